/** The test as it is now: asked for every two seconds while the page is visible, in one request. */

import { computed, signal } from "@preact/signals";
import { get, SignedOut } from "./api";
import { args } from "./args";
import { emptyTimeline, merged, type Timeline, type TimelinePart } from "./timeline";

const POLL_MS = 2000;
const SLOWEST_RETRY_MS = 10_000;

export interface Worker {
  id: string;
  state: string;
  user_count: number;
  cpu_usage: number;
  memory_usage: number;
}

export interface Live {
  state: string;
  user_count: number;
  target_user_count: number;
  spawn_rate: number | null;
  host: string;
  shape: string | null;
  run_time_s: number | null;
  elapsed_s: number | null;
  time_left_s: number | null;
  worker_count: number;
  workers: Worker[];
  total: {
    num_requests: number;
    num_failures: number;
    current_rps: number;
    current_fail_per_sec: number;
    fail_ratio: number;
    total_rps: number;
    median_response_time: number;
    avg_response_time: number;
    generator_lag_p99: number | null;
  };
  counts: { names: number; errors: number; exceptions: number; log_lines: number };
  timeline: TimelinePart;
}

/** The last answer; null before the first. */
export const live = signal<Live | null>(null);

/** The points of all charts, complete also after a reload. */
export const timeline = signal<Timeline>(emptyTimeline());

/** Whether the server answers, and since when (milliseconds) it does not. */
export const connection = signal<{ kind: "ok" | "lost" | "signed-out"; since: number }>({
  kind: "ok",
  since: 0,
});

export const state = computed(() => live.value?.state ?? args.state);
export const isRunning = computed(() => ["spawning", "running", "stopping", "cleanup"].includes(state.value));

let failures = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let asking: Promise<void> | null = null;

async function ask(): Promise<void> {
  const { epoch, next } = timeline.value;
  try {
    const answer = await get<Live>(`stats/live?epoch=${epoch}&since=${next}`);
    failures = 0;
    connection.value = { kind: "ok", since: 0 };
    timeline.value = merged(timeline.value, answer.timeline);
    live.value = answer;
  } catch (error) {
    failures += 1;
    const kind = error instanceof SignedOut ? "signed-out" : "lost";
    if (connection.value.kind !== kind) connection.value = { kind, since: Date.now() };
  }
}

/** Ask now, not only at the next turn; resolves when the answer is there. */
export function refresh(): Promise<void> {
  clearTimeout(timer);
  asking ??= ask().finally(() => {
    asking = null;
    schedule();
  });
  return asking;
}

function schedule(): void {
  clearTimeout(timer);
  if (document.hidden) return;
  timer = setTimeout(refresh, Math.min(POLL_MS * 1.5 ** Math.max(0, failures - 1), SLOWEST_RETRY_MS));
}

/** Begin to ask. A page that nobody sees does not; it catches up when it is looked at again. */
export function startPolling(): void {
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void refresh();
  });
  window.addEventListener("online", () => void refresh());
  void refresh();
}
