/** Dots at tabs that have something new. What was looked at is kept for a reload. */

import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { args } from "../args";
import { live } from "../live";
import { hasNews, type Seen, seenAfter, type Topic } from "../news";
import { param } from "../url";

const KEY = "locust.seen";

const TOPICS: Record<string, Topic> = {
  failures: "errors",
  exceptions: "exceptions",
  logViewer: "log_lines",
};

interface Kept {
  instance: string | undefined;
  seen: Seen;
}

function kept(): Seen {
  try {
    const { instance, seen }: Kept = JSON.parse(sessionStorage.getItem(KEY) ?? "");
    return instance === args.instance ? seen : {};
  } catch {
    return {};
  }
}

const seen = signal<Seen>(kept());

effect(() => {
  const counts = live.value?.counts;
  if (counts) seen.value = seenAfter(seen.peek(), counts, TOPICS[param("tab", "stats").value]);
});
effect(() => {
  const now: Kept = { instance: args.instance, seen: seen.value };
  try {
    sessionStorage.setItem(KEY, JSON.stringify(now));
  } catch {
    // Storage may be forbidden or full; after a reload there is a dot too many.
  }
});

/** Whether the tab with this key has something that nobody has looked at. */
export function dotOf(key: string): ReadonlySignal<boolean> {
  const topic = TOPICS[key];
  return computed(
    () => topic !== undefined && live.value !== null && hasNews(seen.value, live.value.counts, topic),
  );
}
