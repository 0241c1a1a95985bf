import { render } from "preact";
import { App } from "./app";
import { startPolling } from "./live";
import { watchForRestart } from "./restarted";
import { keepTitle } from "./status";
import "./styles/main.css";

const place = document.getElementById("app");
if (!place) throw new Error("the page has no element with the id app");
place.replaceChildren();
render(<App />, place);
keepTitle();
watchForRestart();
startPolling();
