/** How the page stands with its server, in words. */

/** What the last question to the server came to. */
export interface Connection {
  /** `failing`: it answers, but not with what was asked for. */
  kind: "ok" | "lost" | "offline" | "signed-out" | "failing";
  /** When that began, in epoch milliseconds. */
  since: number;
  /** When the server had last answered by then, in epoch milliseconds; null: not yet. */
  answered: number | null;
  /** What it answered, if it is failing. */
  message?: string;
}

/** Figures younger than this when the connection was lost are of that moment. */
const SAME_MOMENT_MS = 5000;

const clock = (at: number) => new Date(at).toLocaleTimeString("en-GB");

function ageOfFigures({ since, answered }: Connection): string {
  if (answered === null) return "";
  const then = since - answered < SAME_MOMENT_MS ? "then" : clock(answered);
  return ` The figures shown are from ${then}.`;
}

/** What is wrong, and what the page does about it; empty if nothing is. */
export function inWords(connection: Connection): string {
  const { kind, since, message } = connection;
  const age = ageOfFigures(connection);
  switch (kind) {
    case "ok":
      return "";
    case "signed-out":
      return `You are signed out.${age}`;
    case "failing":
      return `Locust answers with an error since ${clock(since)}: ${message}${age}`;
    case "offline":
      return `This browser is offline since ${clock(since)}. Trying again…${age}`;
    case "lost":
      return `Connection to Locust lost at ${clock(since)}. Trying again…${age}`;
  }
}
