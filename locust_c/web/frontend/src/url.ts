/** State of the page that is in its address, so that a link or a reload shows the same. */

import { type Signal, signal } from "@preact/signals";
import { addressWith, valueIn } from "./address";

const params = new Map<string, { value: Signal<string>; initial: string }>();

/**
 * The parameter `name` of the address. Set it with `setParam`; its `initial` value is left out.
 */
export function param(name: string, initial = ""): Signal<string> {
  let known = params.get(name);
  if (!known) {
    known = { value: signal(valueIn(location.href, name, initial)), initial };
    params.set(name, known);
  }
  return known.value;
}

/** Change a parameter; with `step` the browser's Back returns to the value before. */
export function setParam(name: string, value: string, step = false): void {
  const known = params.get(name);
  if (!known) throw new Error(`no parameter is called ${name}`);
  if (known.value.peek() === value) return;
  known.value.value = value;
  const address = addressWith(location.href, name, value, known.initial);
  if (step) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

// Back and Forward.
addEventListener("popstate", () => {
  for (const [name, { value, initial }] of params) value.value = valueIn(location.href, name, initial);
});
