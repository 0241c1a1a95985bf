/** Asking the server. All addresses are relative to the page's `<base>`. */

/** The server did not answer: it has ended, or the network is down. */
export class Unreachable extends Error {}

/** The session has ended: somebody must sign in again. */
export class SignedOut extends Error {}

/** The server answered that it cannot do this; the message is its own. */
export class Refused extends Error {}

const PATIENCE_MS = 10_000;

async function answerOf(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS), ...init });
  } catch {
    throw new Unreachable("Locust does not answer.");
  }
  if (response.status === 401 || (response.redirected && new URL(response.url).pathname.endsWith("/login"))) {
    throw new SignedOut("You are signed out.");
  }
  // What a proxy says when there is nobody behind it.
  if ([502, 503, 504].includes(response.status)) throw new Unreachable("Locust does not answer.");
  if (!response.ok) throw new Refused((await response.text()) || response.statusText);
  return response;
}

/** The JSON at `path`. */
export async function get<T>(path: string): Promise<T> {
  const response = await answerOf(path, {});
  try {
    return await response.json();
  } catch (error) {
    // The connection can also end within the answer.
    if (!(error instanceof SyntaxError)) throw new Unreachable("Locust does not answer.");
    throw new Refused(`The answer at ${path} is not JSON: something else than Locust answers.`);
  }
}

/** Have the server do something; the body is a form, or JSON. It may take as long as it takes. */
export async function post(path: string, body?: URLSearchParams | string): Promise<Response> {
  const headers: HeadersInit = typeof body === "string" ? { "Content-Type": "application/json" } : {};
  return answerOf(path, { method: "POST", headers, body: body ?? null, signal: null });
}
