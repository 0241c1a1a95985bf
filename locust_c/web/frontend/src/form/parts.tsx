/** What the two forms have in common. */

import type { ComponentChildren, RefObject } from "preact";
import { useEffect } from "preact/hooks";
import { editing } from "../view";

/** Words about a load shape, which decides how many users there are. */
export function ShapeWords({ name, usesFields }: { name: string; usesFields: boolean }) {
  return (
    <p class="hint">
      Load shape{" "}
      <strong>
        <bdi>{name}</bdi>
      </strong>
      {usesFields ? " uses the values below." : " decides how many users there are, and when the test ends."}
    </p>
  );
}

/**
 * The last lines of a form: what the server refused, why it cannot be sent yet, and the buttons.
 */
export function FormFoot(props: { problem: string; missing: string; children: ComponentChildren }) {
  return (
    <div class="form-foot">
      <p role="alert" class="error" dir="auto">
        {props.problem}
      </p>
      <p role="status" class="warning">
        {props.missing}
      </p>
      <div class="buttons">{props.children}</div>
    </div>
  );
}

export function CancelButton({ title = "Cancel" }: { title?: string }) {
  return (
    <button
      type="button"
      onClick={() => {
        editing.value = false;
      }}
    >
      {title}
    </button>
  );
}

/** Put the cursor where most begin; not on a phone, where the keyboard would hide the form. */
export function useFocus(form: RefObject<HTMLFormElement>): void {
  useEffect(() => {
    const first = form.current?.querySelector("input");
    if (first && matchMedia("(pointer: fine)").matches) {
      first.focus();
      if (first.type === "number") first.select();
    }
  }, []);
}
