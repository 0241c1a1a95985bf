/** User classes as the class picker edits them: attributes to texts, and texts to what `POST /user` is sent. */

import type { UserClass } from "../args";

/** The attributes that every class has; others come from a class's own `json()`. */
const COMMON = ["host", "weight", "fixed_count", "tasks"];

/** How an attribute is edited: `json` is anything that has no field of its own. */
export type AttributeKind = "check" | "json" | "number" | "text";

export interface Attribute {
  name: string;
  kind: AttributeKind;
  text: string;
}

/** What makes a value of a class, and that is not what it is. */
export class BadAttribute extends Error {
  constructor(
    readonly attribute: string,
    message: string,
  ) {
    super(`${attribute}: ${message}`);
  }
}

function kindOf(value: unknown): AttributeKind {
  if (typeof value === "boolean") return "check";
  if (typeof value === "number") return "number";
  return typeof value === "string" ? "text" : "json";
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The attributes that a class shows besides the common ones. */
export function ownAttributes(user: UserClass): Attribute[] {
  return Object.entries(user)
    .filter(([name]) => !COMMON.includes(name))
    .map(([name, value]) => ({ name, kind: kindOf(value), text: textOf(value) }));
}

/**
 * The value that `text` stands for.
 *
 * @throws BadAttribute it is no number, or no JSON.
 */
export function attributeValue({ name, kind, text }: Attribute): unknown {
  if (kind === "text") return text;
  if (kind === "check") return text === "true";
  if (kind === "number") {
    const number = Number(text);
    if (text.trim() === "" || !Number.isFinite(number)) throw new BadAttribute(name, "must be a number.");
    return number;
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new BadAttribute(name, 'must be JSON, such as ["a", "b"], {"key": 1}, "text" or null.');
  }
}

/** What is entered for a class. */
export interface ClassFields {
  host: string;
  weight: string;
  fixed_count: string;
  /** Names, each once. */
  tasks: string[];
  own: Attribute[];
}

/**
 * The attributes that `fields` changes, as `POST /user` takes them; none if all is as it was. What was not
 * touched is left out: the page does not know all of it, such as the password in a host.
 *
 * @throws BadAttribute a field cannot be what was entered.
 */
export function changes(user: UserClass, fields: ClassFields): Record<string, unknown> {
  if (fields.tasks.length === 0) throw new BadAttribute("tasks", "pick at least one.");
  const values: Record<string, unknown> = {
    host: fields.host.trim() || null,
    weight: attributeValue({ name: "weight", kind: "number", text: fields.weight }),
    fixed_count: attributeValue({ name: "fixed_count", kind: "number", text: fields.fixed_count }),
    ...Object.fromEntries(fields.own.map((attribute) => [attribute.name, attributeValue(attribute)])),
  };
  const changed = Object.entries(values).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(user[name] ?? null),
  );
  const tasks = [...new Set(user.tasks)];
  const same = tasks.length === fields.tasks.length && tasks.every((task) => fields.tasks.includes(task));
  return Object.fromEntries(same ? changed : [...changed, ["tasks", fields.tasks]]);
}

/** Names with how often each is there, in the order of their first place: tasks with their weights. */
export function counted(names: string[]): { name: string; weight: number }[] {
  const weights = new Map<string, number>();
  for (const name of names) weights.set(name, (weights.get(name) ?? 0) + 1);
  return [...weights].map(([name, weight]) => ({ name, weight }));
}
