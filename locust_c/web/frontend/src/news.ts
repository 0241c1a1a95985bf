/** What is new in tabs that were not looked at since. */

export type Topic = "errors" | "exceptions" | "log_lines";
export type Counts = Record<Topic, number>;

/** The counts when each topic was last looked at. */
export type Seen = Partial<Counts>;

/** What of a topic is known at first: failures are news to whoever opens the page, old log lines are not. */
function knownAtFirst(topic: Topic, counts: Counts): number {
  return topic === "log_lines" ? counts[topic] : 0;
}

/** `seen` after an answer with `counts`, while `shown` is looked at; the same object if nothing changed. */
export function seenAfter(seen: Seen, counts: Counts, shown: Topic | undefined): Seen {
  const next: Seen = {};
  let changed = false;
  for (const topic of ["errors", "exceptions", "log_lines"] as const) {
    const known = seen[topic] ?? knownAtFirst(topic, counts);
    // A count falls when the statistics are cleared: what comes then is new again.
    next[topic] = topic === shown ? counts[topic] : Math.min(known, counts[topic]);
    changed ||= next[topic] !== seen[topic];
  }
  return changed ? next : seen;
}

/** Whether there is something of the topic that nobody has looked at. */
export function hasNews(seen: Seen, counts: Counts, topic: Topic): boolean {
  return counts[topic] > (seen[topic] ?? knownAtFirst(topic, counts));
}
