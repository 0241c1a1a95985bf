/** The form that changes the running test: only what can be changed while it runs. */

import { useEffect, useRef, useState } from "preact/hooks";
import { args } from "../args";
import { isRunning, live } from "../live";
import { swarmBody, timespan } from "./fields";
import { HostField, LoadFields, RunTimeField } from "./load";
import { CancelButton, FormFoot, ShapeWords, useFocus } from "./parts";
import { useSubmit } from "./submit";

/** The time that is left now, not when the server was last asked. */
function useTimeLeft(): () => number | null {
  const asked = useRef(0);
  useEffect(() => {
    asked.current = performance.now();
  }, [live.value]);
  return () => {
    const left = live.value?.time_left_s ?? null;
    // Not nothing, which would be no limit.
    return left === null ? null : Math.max(1, left - (performance.now() - asked.current) / 1000);
  };
}

export function ChangeForm() {
  // What is running, only the server knows.
  return live.value ? <Fields /> : <p class="empty" aria-busy="true" />;
}

function Fields() {
  const form = useRef<HTMLFormElement>(null);
  const { problem, busy, submit, forget } = useSubmit();
  const timeLeft = useTimeLeft();
  const [before] = useState(() => ({
    user_count: String(live.value?.target_user_count ?? args.num_users ?? 1),
    spawn_rate: String(live.value?.spawn_rate ?? args.spawn_rate ?? 1),
    host: live.value?.host ?? "",
    run_time: timespan(live.value?.time_left_s ?? null),
  }));
  useFocus(form);
  const shown = (name: string) => (name in before ? [before[name as keyof typeof before]] : null);
  const shape = live.value ? live.value.shape : args.shape;
  const over = isRunning.value ? "" : "The test has ended meanwhile.";

  function send(node: HTMLFormElement): void {
    const body = swarmBody(new FormData(node), {}, null);
    const kept = new URLSearchParams(body);
    // Who leaves it as it is does not want the test to last longer, nor the next one to be shorter.
    if (body.get("run_time") === before.run_time) {
      body.set("run_time", timespan(timeLeft()));
      kept.delete("run_time");
    }
    void submit(node, body, kept);
  }

  return (
    <form
      ref={form}
      class="card start"
      aria-labelledby="form-title"
      aria-busy={busy}
      onInput={forget}
      onSubmit={(event) => {
        event.preventDefault();
        if (!over && !shape) send(event.currentTarget);
      }}
    >
      <h1 id="form-title">Change the running test</h1>
      {shape ? (
        <>
          <ShapeWords name={shape} usesFields={false} />
          <p class="hint">While it runs, the test can be stopped, but not changed.</p>
        </>
      ) : (
        <>
          <LoadFields shown={shown} />
          <HostField shown={shown} />
          <RunTimeField value={before.run_time} fromNow />
        </>
      )}
      <FormFoot problem={problem} missing={over}>
        {!shape && (
          <button type="submit" class="primary" disabled={busy || over !== ""}>
            {busy ? "Changing…" : "Change"}
          </button>
        )}
        <CancelButton title={shape ? "Close" : "Cancel"} />
      </FormFoot>
    </form>
  );
}
