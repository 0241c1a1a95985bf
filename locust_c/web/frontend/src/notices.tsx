/** What the page has to say about itself, at the bottom of the window: nothing moves because of it. */

import { effect, signal } from "@preact/signals";
import { problem } from "./actions";
import { inWords } from "./connection";
import { CloseIcon } from "./icons";
import { connection } from "./live";
import { polledProblem } from "./polled";
import { isOutdated } from "./restarted";

const RESTORED_MS = 4000;

const restored = signal(false);
let wasLost = false;
effect(() => {
  const isLost = connection.value.kind !== "ok";
  const cameBack = wasLost && !isLost;
  wasLost = isLost;
  restored.value = cameBack;
  if (!cameBack) return;
  const timer = setTimeout(() => {
    restored.value = false;
  }, RESTORED_MS);
  return () => clearTimeout(timer);
});

export function Notices() {
  return (
    <div class="notices">
      <div role="alert">
        <ConnectionNotice />
        {isOutdated.value && (
          <p class="notice warm">
            Locust was started anew, perhaps with another locustfile.
            <button type="button" onClick={() => location.reload()}>
              Load the page again
            </button>
          </p>
        )}
        {polledProblem.value && (
          <p class="notice bad">
            <bdi>The server could not answer for this tab: {polledProblem}</bdi>
          </p>
        )}
        {problem.value && (
          <p class="notice bad">
            <bdi>{problem}</bdi>
            <button
              type="button"
              class="quiet icon"
              aria-label="Close this message"
              onClick={() => {
                problem.value = "";
              }}
            >
              <CloseIcon />
            </button>
          </p>
        )}
      </div>
      <div role="status">{restored.value && <p class="notice good">Connected again.</p>}</div>
    </div>
  );
}

/** The page itself leads to the login and back to what is shown now; a page of a user's own may not. */
function loginAddress(): string {
  const { pathname, search } = location;
  return new URL(".", document.baseURI).pathname === pathname ? pathname + search : "login";
}

function ConnectionNotice() {
  const words = inWords(connection.value);
  if (!words) return null;
  return (
    <p class="notice warm">
      <bdi>{words}</bdi>
      {connection.value.kind === "signed-out" && <a href={loginAddress()}>Sign in</a>}
    </p>
  );
}
