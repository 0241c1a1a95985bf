/** How long the phases of requests took: what `/stats/phases` answers, and what a bar of it shows. */

export interface PhaseTimes {
  /** How many requests had the phase. */
  count: number;
  /** Milliseconds. */
  median: number;
  p95: number;
  p99: number;
}

export interface PhasesEntry {
  method: string | null;
  name: string;
  /** Phases that no request had are left out. */
  phases: { [phase: string]: PhaseTimes };
  generator_lag: PhaseTimes | null;
}

export const QUANTILES = [
  { key: "median", title: "Median" },
  { key: "p95", title: "95%" },
  { key: "p99", title: "99%" },
] as const;

export type Quantile = (typeof QUANTILES)[number]["key"];

/** Title and meaning; docs/response-times.md has them in full. */
export const PHASES: { [phase: string]: { title: string; meaning: string } } = {
  lookup: { title: "Look-up", meaning: "The host’s name is looked up. An address has no look-up." },
  connect: {
    title: "Connect",
    meaning:
      "The TCP connection is made, through a proxy if there is one. A kept connection is there already.",
  },
  tls: { title: "TLS", meaning: "The TLS handshake. A kept connection has had it." },
  send: { title: "Send", meaning: "The request is written, from its first byte to its last." },
  wait: {
    title: "Wait",
    meaning:
      "From the request’s last byte to the response’s first: what the server takes, and the way there and back.",
  },
  receive: { title: "Receive", meaning: "From the response’s first byte to its last." },
};

export const LAG_MEANING =
  "From the arrival of the response until the task went on. It is time of this machine, not of the server, " +
  "and no part of response times. Tens of milliseconds mean that this machine has too much to do.";

export interface Part {
  phase: string;
  /** Of the whole bar, in percent. */
  percent: number;
}

/**
 * Where the time of the requests of a name went: each phase's time, weighted by how many requests had it, since
 * a long handshake that one of a thousand requests had is not where their time went.
 */
export function parts(phases: PhasesEntry["phases"], order: string[], quantile: Quantile): Part[] {
  const times = order.map((phase) => {
    const times = phases[phase];
    return { phase, time: times ? times[quantile] * times.count : 0 };
  });
  const whole = times.reduce((sum, { time }) => sum + time, 0);
  return whole > 0
    ? times
        .filter(({ time }) => time > 0)
        .map(({ phase, time }) => ({ phase, percent: (100 * time) / whole }))
    : [];
}
