/** Lines of the log: what they say, and which of them are new. */

export interface LogLine {
  /** The same as long as the line is shown. */
  id: number;
  /** As it was logged: `[2026-11-23 06:30:38,615] host/INFO/locust.main: message`. */
  whole: string;
  /** Empty for lines that do not begin like this, such as those of tables. */
  time: string;
  level: string;
  logger: string;
  message: string;
}

export type Severity = "error" | "warning" | "info" | "debug";

const HEAD = /^\[([^\]]{1,40})\] ([^/\s]*)\/([A-Z][A-Z0-9 ]*)\/([^:\s]*): /;

/** Read one entry of `/logs`, which may have several lines. */
export function parsed(whole: string, id: number): LogLine {
  const head = HEAD.exec(whole);
  if (!head) return { id, whole, time: "", level: "", logger: "", message: whole };
  const [start, time = "", , level = "", logger = ""] = head;
  return { id, whole, time, level, logger, message: whole.slice(start.length) };
}

/** How much a line matters; those without a level are information. */
export function severity({ level }: LogLine): Severity {
  if (level === "CRITICAL" || level === "ERROR") return "error";
  if (level === "WARNING") return "warning";
  return level === "DEBUG" ? "debug" : "info";
}

/**
 * The lines of `texts`, the last that were logged, of which the first ones are those of `before` that are still
 * there: these are the same objects, so that nothing of them is drawn again.
 */
export function continued(before: LogLine[], texts: string[]): LogLine[] {
  const skipped = before.findIndex((_, place) => isContinuedBy(before, place, texts));
  const kept = skipped < 0 ? [] : before.slice(skipped);
  const next = (before.at(-1)?.id ?? -1) + 1;
  return kept.concat(texts.slice(kept.length).map((text, place) => parsed(text, next + place)));
}

/** Whether `texts` begins with the lines of `before` from `first` on. */
function isContinuedBy(before: LogLine[], first: number, texts: string[]): boolean {
  if (before.length - first > texts.length) return false;
  for (let place = first; place < before.length; place++) {
    if (before[place]?.whole !== texts[place - first]) return false;
  }
  return true;
}

export type Least = "all" | "warning" | "error";

/** The lines that matter at least so much and hold `search`, in any case. */
export function chosen(lines: LogLine[], least: Least, search: string): LogLine[] {
  const wanted = search.trim().toLowerCase();
  const levels: Severity[] = least === "error" ? ["error"] : ["error", "warning"];
  return lines.filter(
    (line) =>
      (least === "all" || levels.includes(severity(line))) &&
      (!wanted || line.whole.toLowerCase().includes(wanted)),
  );
}
