/** One field: its label, what is entered, and the words below it. */

import type { ComponentChildren, JSX } from "preact";

interface FieldProps {
  name: string;
  label: string;
  /** Shown behind the label, in lighter letters. */
  unit?: string;
  help?: string | null | undefined;
  warning?: string | null;
  required?: boolean;
  /** The input; give it the `id` and the description. */
  children: (attributes: { id: string; name: string; "aria-describedby": string | undefined }) => JSX.Element;
}

export function Field({ name, label, unit, help, warning, required, children }: FieldProps) {
  const id = `field-${name}`;
  const described = [help && `${id}-help`, warning && `${id}-warning`].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id}>
        <bdi>{label}</bdi>
        {unit && <small> {unit}</small>}
        {required && <Required />}
      </label>
      {children({ id, name, "aria-describedby": described || undefined })}
      <Words id={id} help={help} warning={warning} />
    </div>
  );
}

/** Several checkboxes or fields under one title. */
export function FieldSet(props: Omit<FieldProps, "children" | "unit"> & { children: ComponentChildren }) {
  const id = `field-${props.name}`;
  return (
    <fieldset class="field" aria-describedby={props.help ? `${id}-help` : undefined}>
      <legend>
        <bdi>{props.label}</bdi>
        {props.required && <Required />}
      </legend>
      {props.children}
      <Words id={id} help={props.help} warning={props.warning} />
    </fieldset>
  );
}

export function Words(props: {
  id: string;
  help?: string | null | undefined;
  warning?: string | null | undefined;
}) {
  return (
    <>
      {props.help && (
        <p id={`${props.id}-help`} class="hint" dir="auto">
          {props.help}
        </p>
      )}
      {props.warning && (
        <p id={`${props.id}-warning`} class="warning" role="status">
          {props.warning}
        </p>
      )}
    </>
  );
}

function Required() {
  return <small> required</small>;
}
