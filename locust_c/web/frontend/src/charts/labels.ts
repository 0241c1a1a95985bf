/** Where labels of marks go. */

export interface Label {
  /** The number of its mark. */
  mark: number;
  left: number;
  row: number;
}

/**
 * Puts the label of each mark right of its line, or left of it where the picture ends; one that would cover another
 * goes into the next row, and is left out if it does not fit into the last of the `rows`. The newest come first.
 *
 * @param at where the lines are, rising; `widths` of the labels and `end` of the picture are in the same unit.
 */
export function placeLabels(at: number[], widths: number[], end: number, rows: number): Label[] {
  const placed: Label[] = [];
  const taken: [from: number, to: number][][] = Array.from({ length: rows }, () => []);
  for (let mark = at.length - 1; mark >= 0; mark -= 1) {
    const [line, width] = [at[mark] as number, widths[mark] as number];
    const left = line + width <= end ? line : line - width;
    const row = taken.findIndex((labels) => labels.every(([from, to]) => left + width <= from || left >= to));
    if (left < 0 || row < 0) continue;
    taken[row]?.push([left, left + width]);
    placed.push({ mark, left, row });
  }
  return placed.reverse();
}
