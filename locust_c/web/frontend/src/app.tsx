/** What is visible: the header, and below it the form that starts a test or the tabs that show one. */

import { Footer } from "./footer";
import { StartForm } from "./form/start";
import { Header } from "./header";
import { state } from "./live";
import { Tabs } from "./tabs/tabs";
import { editing } from "./view";

export function App() {
  const form = editing.value || state.value === "ready";
  return (
    <>
      <Header />
      <main>{form ? <StartForm /> : <Tabs />}</main>
      <Footer />
    </>
  );
}
