/** What is visible: the header, and below it the form that starts a test or the tabs that show one. */

import { computed } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Footer } from "./footer";
import { StartForm } from "./form/start";
import { Header } from "./header";
import { live, state } from "./live";
import { Notices } from "./notices";
import { inWords } from "./status";
import { Tabs } from "./tabs/tabs";
import { editing } from "./view";

/** The form shows what is running, which only the first answer tells. */
const isOpen = computed(() => editing.value && state.value !== "ready" && live.value !== null);

export function App() {
  return (
    <>
      <Header />
      <main>{state.value === "ready" ? <StartForm /> : <Tabs />}</main>
      <Footer />
      {isOpen.value && <FormDialog />}
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
