/** The table of user classes, of which a test takes those that are picked. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { args, type UserClass } from "../args";
import { counted } from "./classes";
import { ClassDialog } from "./dialog";

/** The classes as the server has them; a class that was configured is kept as it was sent. */
const users: Record<string, UserClass> = { ...args.users };

interface PickerProps {
  picked: string[];
  pick: (names: string[]) => void;
  configure: (name: string) => void;
}

export function ClassPicker({ picked, pick, configure }: PickerProps) {
  const names = args.available_user_classes;
  const all = picked.length === names.length;
  return (
    <section class="field" aria-labelledby="classes-title">
      <h2 id="classes-title">User classes</h2>
      <div class="classes-box">
        <table class="classes">
          <thead>
            <tr>
              <th scope="col">
                <label class="check">
                  <input
                    type="checkbox"
                    checked={all}
                    indeterminate={!all && picked.length > 0}
                    onChange={() => pick(all ? [] : names)}
                  />
                  All
                </label>
              </th>
              <th scope="col">Host</th>
              <th scope="col" class="number">
                Weight
              </th>
              <th scope="col" class="number">
                Fixed count
              </th>
              <th scope="col">Tasks</th>
              <th aria-label="Configure" />
            </tr>
          </thead>
          <tbody>
            {names.map((name) => (
              <ClassRow
                key={name}
                name={name}
                isPicked={picked.includes(name)}
                toggle={() =>
                  pick(
                    names.filter((other) =>
                      other === name ? !picked.includes(name) : picked.includes(other),
                    ),
                  )
                }
                configure={configure}
              />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface RowProps {
  name: string;
  isPicked: boolean;
  toggle: () => void;
  configure: (name: string) => void;
}

function ClassRow({ name, isPicked, toggle, configure }: RowProps) {
  const user = users[name];
  return (
    <tr>
      <th scope="row">
        <label class="check">
          <input type="checkbox" name="user_classes" value={name} checked={isPicked} onChange={toggle} />
          <bdi>{name}</bdi>
        </label>
      </th>
      <td data-title="Host">
        <bdi class="cut" title={user?.host ?? ""}>
          {user?.host ?? <span class="muted">not set</span>}
        </bdi>
      </td>
      <td class="number" data-title="Weight">
        {user?.weight}
      </td>
      <td class="number" data-title="Fixed count">
        {user?.fixed_count || <span class="muted">none</span>}
      </td>
      <td data-title="Tasks">
        <bdi class="cut" title={tasksText(user)}>
          {tasksText(user)}
        </bdi>
      </td>
      <td>
        {user && (
          <button type="button" aria-label={`Configure ${name}`} onClick={() => configure(name)}>
            Configure
          </button>
        )}
      </td>
    </tr>
  );
}

function tasksText(user: UserClass | undefined): string {
  return counted(user?.tasks ?? [])
    .map(({ name, weight }) => (weight > 1 ? `${name} ×${weight}` : name))
    .join(", ");
}

/** The dialog that is open, and how to open it: beside the form, since forms cannot be nested. */
export function useClassDialog() {
  const [open, setOpen] = useState<string | null>(null);
  const opener = useRef<Element | null>(null);
  const user = open === null ? undefined : users[open];
  const dialog = open !== null && user && (
    <ClassDialog
      key={open}
      name={open}
      user={user}
      close={(changed) => {
        if (changed) users[open] = { ...user, ...changed };
        setOpen(null);
      }}
    />
  );
  useLayoutEffect(() => {
    // Only now: beside an open dialog nothing can have the focus.
    if (open === null) (opener.current as HTMLElement | null)?.focus();
  }, [open]);
  function configure(name: string): void {
    opener.current = document.activeElement;
    setOpen(name);
  }
  return { dialog, configure };
}
