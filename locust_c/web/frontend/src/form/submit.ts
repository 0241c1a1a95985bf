/** Sending the form: once at a time, until the page shows what came of it. */

import { useRef, useState } from "preact/hooks";
import { post } from "../api";
import { refresh, state } from "../live";
import { editing } from "../view";
import { fieldOf } from "./fields";

interface SwarmAnswer {
  success: boolean;
  message: string;
}

/** A start that has not begun after so many questions has failed; the log says why. */
const PATIENCE = 20;
const PAUSE_MS = 250;

/** What was sent last: the form shows it again. */
let sent: URLSearchParams | null = null;

/** What was entered last, sent or not. */
let draft: URLSearchParams | null = null;

export const lastSent = () => sent;
export const lastDraft = () => draft;

export function keepDraft(body: URLSearchParams): void {
  draft = body;
}

/** `before`, with what `body` has instead. */
function updated(before: URLSearchParams | null, body: URLSearchParams): URLSearchParams {
  const kept = [...(before ?? [])].filter(([name]) => !body.has(name));
  return new URLSearchParams([...kept, ...body]);
}

/** Resolves when the test that was just asked for has begun. */
async function begun(): Promise<void> {
  for (let asked = 0; asked < PATIENCE; asked++) {
    await refresh();
    if (state.value !== "ready") return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  throw new Error("The test has not begun. The log of Locust says why.");
}

export function useSubmit() {
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  // Two clicks may come before the button is drawn anew.
  const underWay = useRef(false);

  /** Send `body`; the next form shows what `kept` has of it. */
  async function submit(form: HTMLFormElement, body: URLSearchParams, kept = body): Promise<void> {
    if (underWay.current) return;
    underWay.current = true;
    setBusy(true);
    setProblem("");
    try {
      const answer: SwarmAnswer = await (await post("swarm", body)).json();
      if (!answer.success) throw new Error(answer.message);
      sent = updated(sent, kept);
      draft = updated(draft, kept);
      editing.value = false;
      await begun();
    } catch (error) {
      const { message } = error as Error;
      setProblem(message);
      pointAt(form, fieldOf(message));
    } finally {
      underWay.current = false;
      setBusy(false);
    }
  }

  return { problem, busy, submit, forget: () => setProblem("") };
}

/** Go to the field that the server refused, and mark it until it is changed. */
function pointAt(form: HTMLFormElement, name: string | null): void {
  const field = name === null ? null : form.elements.namedItem(name);
  if (!(field instanceof HTMLElement)) return;
  reveal(field);
  field.setAttribute("aria-invalid", "true");
  field.addEventListener("input", () => field.removeAttribute("aria-invalid"), { once: true });
  field.focus();
}

/** Open what `field` is folded away in. */
export function reveal(field: Element): void {
  const section = field.closest("details");
  if (section) section.open = true;
  field.closest("[hidden]")?.removeAttribute("hidden");
}
