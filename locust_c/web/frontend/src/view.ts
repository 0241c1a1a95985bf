/** What of the page is open, as far as several parts must know it. */

import { effect, signal } from "@preact/signals";
import { param, setParam } from "./url";

const form = param("form");

/**
 * Whether the form is open although a test has been started: to change it, or to start another. It is in the
 * address as `form=edit`, so that Back closes it.
 */
export const editing = signal(form.value === "edit");

effect(() => {
  editing.value = form.value === "edit";
});
effect(() => setParam("form", editing.value ? "edit" : "", editing.value));
