/** What the fields of the start form show, and what `POST /swarm` is sent for them. */

import type { CustomArgument } from "../args";

export type Kind = "check" | "choice" | "choices" | "list" | "number" | "secret" | "text";

/** Fields of the form that are not custom arguments. */
const OWN = ["user_count", "spawn_rate", "host", "run_time", "profile", "shape_class", "user_classes"];

/** How a custom argument is asked for. */
export function kindOf({ default_value, choices, is_multiple, is_secret }: CustomArgument): Kind {
  if (typeof default_value === "boolean") return "check";
  const several = is_multiple || Array.isArray(default_value);
  if (choices?.length) return several ? "choices" : "choice";
  if (several) return "list";
  if (is_secret) return "secret";
  // Larger ones have lost digits on their way here; as text nobody would notice either, but nothing is rounded.
  return typeof default_value === "number" && Math.abs(default_value) <= Number.MAX_SAFE_INTEGER
    ? "number"
    : "text";
}

/** The values a custom argument has now: none, one, or those of a list. A list without choices is one text. */
export function valuesOf(argument: CustomArgument): string[] {
  const value = argument.default_value;
  if (value === null) return [];
  if (!Array.isArray(value)) return [String(value)];
  const texts = value.map(String);
  return kindOf(argument) === "choices" ? texts : [texts.join(",")];
}

/**
 * The body of `POST /swarm`.
 *
 * A checkbox that is not checked is sent as "false", since the server takes what is missing for unchanged.
 * For the same reason what is empty is sent as well, except where the server has no value either: that stays
 * `None` in Python.
 *
 * @param fields the form as the browser reads it.
 * @param custom the custom arguments that the form asks for.
 * @param sent what was sent before, so what the server knows instead of the defaults.
 */
export function swarmBody(
  fields: FormData,
  custom: Record<string, CustomArgument>,
  sent: URLSearchParams | null,
): URLSearchParams {
  const body = new URLSearchParams();
  const texts = (name: string) => fields.getAll(name).filter((value) => typeof value === "string");
  for (const name of OWN) for (const value of texts(name)) body.append(name, value.trim());
  if (body.get("profile") === "" && !sent?.get("profile")) body.delete("profile");
  for (const [name, argument] of Object.entries(custom)) {
    const values = texts(name);
    if (kindOf(argument) === "check") {
      body.append(name, String(values.length > 0));
    } else if (values.some((value) => value !== "")) {
      for (const value of values) body.append(name, value);
    } else if (argument.default_value !== null || sent?.has(name)) {
      body.append(name, "");
    }
  }
  return body;
}

/** Seconds as Locust's `--run-time` reads them, such as 1h5m30s; empty for none. */
export function timespan(seconds: number | null): string {
  const all = Math.max(0, Math.ceil(seconds ?? 0));
  const parts = [`${Math.floor(all / 3600)}h`, `${Math.floor(all / 60) % 60}m`, `${all % 60}s`];
  return parts.filter((part) => !/^0\D/.test(part)).join("");
}

/** The name of the field that a refusal of `/swarm` is about; null if it is about none. */
export function fieldOf(message: string): string | null {
  if (/run_time/.test(message)) return "run_time";
  return /\bInvalid (\w+) value/.exec(message)?.[1] ?? null;
}

/** Whether users of HTTP can take `host`: a URL. */
export function isUrl(host: string): boolean {
  return /^https?:\/\/[^\s/]+/i.test(host.trim());
}
