/** What of the page is open, as far as several parts must know it. */

import { signal } from "@preact/signals";

/** Whether the form is open although a test has been started: to change it, or to start another. */
export const editing = signal(false);
