/** The colours of the charts: custom properties of the style sheet, which differ between the themes. */

import { computed, signal } from "@preact/signals";
import { ramp } from "./ramp";

export interface Colours {
  text: string;
  muted: string;
  line: string;
  card: string;
  font: string;
  /** By the number of the series. */
  series: (name: string) => string;
  /** From few to many requests. */
  heat: string[];
}

const SHADES = 64;

function read(): Colours {
  const style = getComputedStyle(document.documentElement);
  const property = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    text: property("text"),
    muted: property("muted"),
    line: property("line"),
    card: property("card"),
    font: property("font"),
    series: (name) => property(`series-${name}`),
    heat: ramp(property("heat").split(","), SHADES),
  };
}

const changes = signal(0);

/** The colours of the theme that is shown; another value when it changes. */
export const colours = computed(() => {
  changes.value;
  return read();
});

const noteChange = () => {
  changes.value += 1;
};
new MutationObserver(noteChange).observe(document.documentElement, { attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", noteChange);
