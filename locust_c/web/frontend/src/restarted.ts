/** A server that is another one than the page came from: it may have another locustfile. */

import { effect, signal } from "@preact/signals";
import { args } from "./args";
import { live } from "./live";

const KEY = "locust.reloaded";

/** Whether the page must be loaded again, and cannot do so by itself. */
export const isOutdated = signal(false);

const filled = new WeakSet<HTMLFormElement>();

/** Whether a form that is open would lose what somebody typed. */
const isFilling = () => [...document.forms].some((form) => filled.has(form));

/** Whether the page may load itself again: once for each server, in case a proxy keeps an old page. */
function mayReloadFor(instance: string): boolean {
  try {
    if (sessionStorage.getItem(KEY) === instance) return false;
    sessionStorage.setItem(KEY, instance);
    return true;
  } catch {
    return false;
  }
}

/** Load the page again when another server answers; if that would lose something, leave it to the user. */
export function watchForRestart(): void {
  document.addEventListener("input", ({ target }) => {
    const form = (target as HTMLInputElement).form;
    if (form) filled.add(form);
  });
  effect(() => {
    const instance = live.value?.instance;
    if (!instance || !args.instance || instance === args.instance) return;
    if (!isFilling() && mayReloadFor(instance)) location.reload();
    else isOutdated.value = true;
  });
}
