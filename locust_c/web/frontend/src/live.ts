/** The test as it is now: asked for every two seconds while the page is visible, in one request. */

import { batch, computed, signal } from "@preact/signals";
import { get, Refused, SignedOut } from "./api";
import { args } from "./args";
import type { Connection } from "./connection";
import { pauseAfter } from "./retry";
import { emptyTimeline, merged, type Timeline, type TimelinePart } from "./timeline";

export interface Worker {
  id: string;
  state: string;
  user_count: number;
  cpu_usage: number;
  memory_usage: number;
}

export interface Live {
  /** Another one for each start of the server. */
  instance?: string;
  state: string;
  user_count: number;
  target_user_count: number;
  spawn_rate: number | null;
  host: string | null;
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

/** Whether the server answers. */
export const connection = signal<Connection>({ kind: "ok", since: Date.now(), answered: null });

export const state = computed(() => live.value?.state ?? args.state);
export const isRunning = computed(() => ["spawning", "running", "stopping", "cleanup"].includes(state.value));

/** Whether somebody sees the page. */
export const visible = signal(!document.hidden);

/** When the server last answered. */
let answered: number | null = null;
let failures = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let asking: Promise<void> | null = null;
let askingAgain: Promise<void> | null = null;

async function ask(): Promise<void> {
  const { epoch, next } = timeline.peek();
  try {
    const answer = await get<Live>(`stats/live?epoch=${epoch}&since=${next}`);
    failures = 0;
    answered = Date.now();
    batch(() => {
      if (connection.peek().kind !== "ok") connection.value = { kind: "ok", since: Date.now(), answered };
      timeline.value = merged(timeline.peek(), answer.timeline);
      live.value = answer;
    });
  } catch (error) {
    failures += 1;
    const before = connection.peek();
    const now = troubleOf(error);
    if (before.kind !== now.kind || before.message !== now.message) {
      connection.value = { ...now, since: Date.now(), answered };
    }
  }
}

function troubleOf(error: unknown): Pick<Connection, "kind" | "message"> {
  if (error instanceof SignedOut) return { kind: "signed-out" };
  if (error instanceof Refused) return { kind: "failing", message: error.message };
  return { kind: navigator.onLine ? "lost" : "offline" };
}

/** Ask now, not only at the next turn; resolves when an answer is there that was asked for after the call. */
export function refresh(): Promise<void> {
  // The answer on its way may say how it was before what the caller has just done.
  if (asking) {
    askingAgain ??= asking.then(() => {
      askingAgain = null;
      return refresh();
    });
    return askingAgain;
  }
  clearTimeout(timer);
  asking = ask().finally(() => {
    asking = null;
    schedule();
  });
  return asking;
}

function schedule(): void {
  clearTimeout(timer);
  if (visible.peek()) timer = setTimeout(refresh, pauseAfter(failures));
}

/** Begin to ask. A page that nobody sees does not; it catches up when it is looked at again. */
export function startPolling(): void {
  document.addEventListener("visibilitychange", () => {
    visible.value = !document.hidden;
    if (visible.value) void refresh();
    else clearTimeout(timer);
  });
  // What the browser says of the network says nothing about a server on this machine: ask.
  for (const change of ["online", "offline"]) window.addEventListener(change, () => void refresh());
  void refresh();
}
