/** State of the page that is in its address, so that a link or a reload shows the same. */

import { type Signal, signal } from "@preact/signals";

const params = new Map<string, { value: Signal<string>; initial: string }>();

const inAddress = (name: string, initial: string) => new URL(location.href).searchParams.get(name) ?? initial;

/**
 * The parameter `name` of the address. Set it with `setParam`; where it has its `initial` value it is left out.
 */
export function param(name: string, initial = ""): Signal<string> {
  let known = params.get(name);
  if (!known) {
    known = { value: signal(inAddress(name, initial)), initial };
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
  const address = new URL(location.href);
  if (value === known.initial) address.searchParams.delete(name);
  else address.searchParams.set(name, value);
  if (step) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

addEventListener("popstate", () => {
  for (const [name, { value, initial }] of params) value.value = inAddress(name, initial);
});
