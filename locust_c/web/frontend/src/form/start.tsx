/** The form that starts a test. */

import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { args } from "../args";
import { isRunning, live } from "../live";
import { editing } from "../view";
import { ChangeForm } from "./change";
import { CustomFields, type Shown } from "./custom";
import { Field } from "./field";
import { swarmBody, timespan } from "./fields";
import "./form.css";
import { HostField, LoadFields, ProfileField, RunTimeField } from "./load";
import { CancelButton, FormFoot, ShapeWords, useFocus } from "./parts";
import { ClassPicker, useClassDialog } from "./picker";
import { keepDraft, lastDraft, lastSent, reveal, useSubmit } from "./submit";

/** What the form calls a test without a load shape. */
const NO_SHAPE = "Default";

/** The form for the state that the test has when it is opened. */
export function StartForm() {
  const [running] = useState(isRunning.peek());
  return running ? <ChangeForm /> : <NewForm />;
}

const KNOWN: Record<string, keyof typeof args> = {
  user_count: "num_users",
  spawn_rate: "spawn_rate",
  host: "host",
  run_time: "run_time",
  profile: "profile",
};

/** What was entered before, else what the server said when it made the page. */
const shown: Shown = (name) => {
  const before = lastDraft();
  if (before?.has(name)) return before.getAll(name);
  const known = KNOWN[name] && args[KNOWN[name]];
  if (name === "run_time" && typeof known === "number") return [timespan(known)];
  return known === null || known === undefined ? null : [String(known)];
};

function NewForm() {
  const form = useRef<HTMLFormElement>(null);
  const { problem, busy, submit, forget } = useSubmit();
  const [picked, pick] = useState(() => shown("user_classes") ?? args.available_user_classes);
  const [shape, setShape] = useState(() => firstShape());
  const { dialog, configure } = useClassDialog();
  useFocus(form);
  useDraft(form);
  const missing = whatIsMissing(picked);
  const load = shape === null || usesLoad(shape);
  return (
    <>
      <form
        ref={form}
        class={args.show_userclass_picker ? "card start with-classes" : "card start"}
        aria-labelledby="form-title"
        aria-busy={busy}
        onInput={forget}
        onInvalidCapture={(event) => reveal(event.target as Element)}
        onSubmit={(event) => {
          event.preventDefault();
          const fields = new FormData(event.currentTarget);
          if (!missing) void submit(event.currentTarget, swarmBody(fields, args.extra_options, lastSent()));
        }}
      >
        <h1 id="form-title">Start a test</h1>
        {args.show_userclass_picker && (
          <>
            <ClassPicker picked={picked} pick={pick} configure={configure} />
            {args.available_shape_classes.length > 1 && <ShapeField shape={shape} setShape={setShape} />}
          </>
        )}
        {shape && <ShapeWords name={shape} usesFields={load} />}
        {load && <LoadFields shown={shown} />}
        <HostField shown={shown} />
        <details class="section" open={Boolean(shown("run_time")?.[0] || shown("profile")?.[0])}>
          <summary>Advanced options</summary>
          <div class="field-grid">
            {load && <RunTimeField value={shown("run_time")?.[0] ?? ""} />}
            <ProfileField shown={shown} />
          </div>
        </details>
        <CustomFields shown={shown} />
        <FormFoot problem={problem} missing={missing}>
          <button type="submit" class="primary" disabled={busy || missing !== ""}>
            {busy ? "Starting…" : "Start"}
          </button>
          {editing.value && <CancelButton />}
        </FormFoot>
      </form>
      {dialog}
    </>
  );
}

/** Keep what is entered when the form goes away: somebody else may start a test meanwhile. */
function useDraft(form: RefObject<HTMLFormElement>): void {
  useEffect(() => {
    const node = form.current as HTMLFormElement;
    return () => keepDraft(swarmBody(new FormData(node), args.extra_options, null));
  }, []);
}

function firstShape(): string | null {
  if (!args.show_userclass_picker) return args.shape;
  const before = shown("shape_class")?.[0] ?? NO_SHAPE;
  return before === NO_SHAPE ? null : before;
}

/** Whether a load shape reads the number of users and the ramp up of the form. */
function usesLoad(shape: string): boolean {
  return args.show_userclass_picker
    ? args.shapes_with_common_options.includes(shape)
    : !args.hide_common_options;
}

function whatIsMissing(picked: string[]): string {
  const workers = live.value?.worker_count ?? args.worker_count;
  if (args.is_distributed && workers === 0)
    return "Waiting for a worker: a test can start when one is connected.";
  return args.show_userclass_picker && picked.length === 0 ? "Pick at least one user class." : "";
}

function ShapeField(props: { shape: string | null; setShape: (name: string | null) => void }) {
  return (
    <Field name="shape_class" label="Load shape">
      {(attributes) => (
        <select
          {...attributes}
          onChange={(event) => {
            const { value } = event.currentTarget;
            props.setShape(value === NO_SHAPE ? null : value);
          }}
        >
          {args.available_shape_classes.map((name) => (
            <option key={name} value={name} selected={name === (props.shape ?? NO_SHAPE)}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
