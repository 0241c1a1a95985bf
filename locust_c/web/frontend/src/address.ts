/** Parameters of an address. */

/** The value of parameter `name` in an address. */
export function valueIn(address: string, name: string, initial: string): string {
  return new URL(address).searchParams.get(name) ?? initial;
}

/** `address` with another value of parameter `name`, and everything else as it was. */
export function addressWith(address: string, name: string, value: string, initial: string): string {
  const changed = new URL(address);
  if (value === initial) changed.searchParams.delete(name);
  else changed.searchParams.set(name, value);
  return changed.href;
}
