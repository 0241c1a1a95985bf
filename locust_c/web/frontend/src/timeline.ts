/** The course of the test: columns of equally many points, kept in step with those of the server. */

export interface Heat {
  /** Limits of the bands in milliseconds: band 0 is from the first to the second. */
  edges: number[];
  /** For each point: band, count, band, count, … */
  points: number[][];
}

export interface Mark {
  /** Epoch seconds. */
  time: number;
  text: string;
}

export interface TimelinePart {
  epoch: number;
  /** The number of the first point that is not here yet. */
  next: number;
  step_s: number;
  /** Epoch seconds. */
  time: number[];
  /** Here and below null is a gap between runs. */
  users: (number | null)[];
  rps: (number | null)[];
  failures: (number | null)[];
  percentiles: string[];
  /** By percentile ("0.95"); milliseconds, null where there were no requests. */
  response_times: Record<string, (number | null)[]>;
  /** p99 of generator lag in milliseconds. */
  lag: (number | null)[];
  heat: Heat;
  marks: Mark[];
}

export type Timeline = TimelinePart;

export function emptyTimeline(): Timeline {
  return {
    epoch: -1,
    next: 0,
    step_s: 1,
    time: [],
    users: [],
    rps: [],
    failures: [],
    percentiles: [],
    response_times: {},
    lag: [],
    heat: { edges: [], points: [] },
    marks: [],
  };
}

/** `part` continues `before` if it is of the same epoch; otherwise it is the whole course. */
export function merged(before: Timeline, part: TimelinePart): Timeline {
  if (part.epoch !== before.epoch) return part;
  if (part.time.length === 0) {
    return part.marks.length === before.marks.length ? before : { ...before, marks: part.marks };
  }
  return {
    ...part,
    time: before.time.concat(part.time),
    users: before.users.concat(part.users),
    rps: before.rps.concat(part.rps),
    failures: before.failures.concat(part.failures),
    response_times: Object.fromEntries(
      part.percentiles.map((p) => [p, (before.response_times[p] ?? []).concat(part.response_times[p] ?? [])]),
    ),
    lag: before.lag.concat(part.lag),
    heat: { edges: part.heat.edges, points: before.heat.points.concat(part.heat.points) },
  };
}
