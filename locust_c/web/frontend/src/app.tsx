/** What is visible: the header, and below it the form that starts a test or the tabs that show one. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { Footer } from "./footer";
import { StartForm } from "./form/start";
import { Header } from "./header";
import { state } from "./live";
import { Notices } from "./notices";
import { inWords } from "./status";
import { Tabs } from "./tabs/tabs";
import { editing } from "./view";

export function App() {
  const isNew = state.value === "ready";
  return (
    <>
      <Header />
      <main>{isNew ? <StartForm /> : <Tabs />}</main>
      <Footer />
      {editing.value && !isNew && <FormDialog />}
      <Notices />
      <StateForScreenReaders />
    </>
  );
}

/** The form above a test that goes on behind it. Escape closes it; the focus returns to where it was. */
function FormDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const node = dialog.current as HTMLDialogElement;
    node.showModal();
    return () => node.close();
  }, []);
  return (
    <dialog
      class="form"
      ref={dialog}
      onClose={() => {
        editing.value = false;
      }}
    >
      <StartForm />
    </dialog>
  );
}

/** Says what the test does now, each time that this changes and not before. */
function StateForScreenReaders() {
  const first = useRef(state.value);
  const changed = useRef(false);
  changed.current ||= state.value !== first.current;
  return (
    <p class="unseen" role="status">
      {changed.current && `Status: ${inWords(state.value)}`}
    </p>
  );
}
