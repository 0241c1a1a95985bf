/** The dialog that edits a user class. */

import { useEffect, useRef, useState } from "preact/hooks";
import { post } from "../api";
import { args, type UserClass } from "../args";
import { type Attribute, changes, counted, ownAttributes } from "./classes";
import { Field, FieldSet } from "./field";

interface DialogProps {
  name: string;
  user: UserClass;
  /** Called when the dialog is closed, with the attributes that were changed. */
  close: (changed: Partial<UserClass> | null) => void;
}

export function ClassDialog({ name, user, close }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const own = ownAttributes(user);
  useEffect(() => dialog.current?.showModal(), []);

  async function save(form: HTMLFormElement): Promise<void> {
    if (busy) return;
    setBusy(true);
    setProblem("");
    try {
      const changed = changes(user, entered(new FormData(form), own));
      if (Object.keys(changed).length === 0) return close(null);
      await post("user", JSON.stringify({ user_class_name: name, ...changed }));
      const { tasks } = changed as { tasks?: string[] };
      const weighted = tasks && available(name, user).filter((task) => tasks.includes(task));
      close({ ...changed, ...(weighted && { tasks: weighted }) });
    } catch (error) {
      setProblem((error as Error).message);
      setBusy(false);
    }
  }

  return (
    <dialog ref={dialog} class="form class-dialog" aria-labelledby="class-title" onClose={() => close(null)}>
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          void save(event.currentTarget);
        }}
      >
        <h2 id="class-title">
          Configure <bdi>{name}</bdi>
        </h2>
        <Field name="class-host" label="Host" help="Empty: the host of the test.">
          {(attributes) => (
            <input
              {...attributes}
              inputmode="url"
              autocomplete="off"
              spellcheck={false}
              defaultValue={user.host ?? ""}
            />
          )}
        </Field>
        <div class="field-grid">
          <Field name="class-weight" label="Weight" help="Its share of the users.">
            {(attributes) => (
              <input
                {...attributes}
                type="number"
                min="0"
                step="any"
                required
                defaultValue={String(user.weight)}
              />
            )}
          </Field>
          <Field name="class-fixed_count" label="Fixed count" help="So many users instead; 0: by weight.">
            {(attributes) => (
              <input
                {...attributes}
                type="number"
                min="0"
                step="1"
                required
                defaultValue={String(user.fixed_count)}
              />
            )}
          </Field>
        </div>
        <Tasks name={name} user={user} />
        {own.map((attribute) => (
          <OwnField key={attribute.name} {...attribute} />
        ))}
        <div class="form-foot">
          <p role="alert" class="error" dir="auto">
            {problem}
          </p>
          <div class="buttons">
            <button type="submit" class="primary" disabled={busy}>
              {busy ? "Saving…" : "Save"}
            </button>
            <button type="button" onClick={() => dialog.current?.close()}>
              Cancel
            </button>
          </div>
        </div>
      </form>
    </dialog>
  );
}

/** Names of the tasks a class can have, each as often as its weight. */
function available(name: string, user: UserClass): string[] {
  return args.available_user_tasks[name] ?? user.tasks;
}

function entered(fields: FormData, own: Attribute[]) {
  const text = (name: string) => String(fields.get(`class-${name}`) ?? "");
  return {
    host: text("host"),
    weight: text("weight"),
    fixed_count: text("fixed_count"),
    tasks: fields.getAll("class-tasks").map(String),
    own: own.map((attribute) => ({
      ...attribute,
      text: attribute.kind === "check" ? String(fields.has(`class-${attribute.name}`)) : text(attribute.name),
    })),
  };
}

function Tasks({ name, user }: { name: string; user: UserClass }) {
  const tasks = counted(available(name, user));
  return (
    <FieldSet name="class-tasks" label="Tasks">
      <div class="choices">
        {tasks.map(({ name: task, weight }) => (
          <label key={task} class="check">
            <input
              type="checkbox"
              name="class-tasks"
              value={task}
              defaultChecked={user.tasks.includes(task)}
            />
            <bdi>{task}</bdi>
            {weight > 1 && <small>×{weight}</small>}
          </label>
        ))}
      </div>
    </FieldSet>
  );
}

function OwnField({ name, kind, text }: Attribute) {
  const field = `class-${name}`;
  if (kind === "check") {
    return (
      <label class="check">
        <input type="checkbox" name={field} defaultChecked={text === "true"} />
        <bdi>{name}</bdi>
      </label>
    );
  }
  return (
    <Field name={field} label={name} unit={kind === "json" ? "JSON" : ""}>
      {(attributes) =>
        kind === "json" ? (
          <textarea {...attributes} rows={3} spellcheck={false} defaultValue={text} />
        ) : (
          <input {...attributes} type={kind} step="any" autocomplete="off" defaultValue={text} />
        )
      }
    </Field>
  );
}
