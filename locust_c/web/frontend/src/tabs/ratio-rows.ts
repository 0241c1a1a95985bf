/** How often tasks are picked, as rows of one table. */

export interface Tasks {
  [name: string]: { ratio: number; tasks?: Tasks };
}

export interface RatioRow {
  /** Names from the user class down to this. */
  path: string[];
  name: string;
  /** 0 for a user class, 1 for its tasks, … */
  depth: number;
  /** Of users for a class, else of the tasks beside it. */
  own: number;
  /** Of all tasks that are run. */
  total: number | null;
}

/** One row for each class, task set and task, what belongs to another behind it. */
export function ratioRows(perClass: Tasks, total: Tasks, path: string[] = []): RatioRow[] {
  return Object.entries(perClass).flatMap(([name, { ratio, tasks }]) => {
    const here = [...path, name];
    const same = total[name];
    const row = { path: here, name, depth: path.length, own: ratio, total: same?.ratio ?? null };
    return [row, ...ratioRows(tasks ?? {}, same?.tasks ?? {}, here)];
  });
}
