import { count } from "../format";

/**
 * How many rows there are: `shown` of the `known` ones match the search; of `all` that the server has it may
 * have sent only the first.
 */
export function countWords(shown: number, known: number, all: number, unit: string, query: string): string {
  const many = (number: number) => `${count(number)} ${number === 1 ? unit : `${unit}s`}`;
  const sent = known < all ? `${count(known)} of ${many(all)} shown` : many(known);
  return query.trim() ? `${count(shown)} of ${count(known)}${known < all ? ` (${sent})` : ""}` : sent;
}
