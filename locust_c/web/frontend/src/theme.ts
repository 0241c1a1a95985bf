/** Light or dark: what the system says, until the user chooses. The choice is kept in this browser. */

import { computed, effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

/** The script in index.html reads it before anything is drawn. */
const KEY = "locust.theme";

const system = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(system.matches);
system.addEventListener("change", ({ matches }) => {
  systemIsDark.value = matches;
});

function kept(): Theme {
  const theme = document.documentElement.dataset.theme;
  return theme === "light" || theme === "dark" ? theme : "system";
}

/** What the user chose. */
export const theme = signal<Theme>(kept());

/** Whether the page is dark now: for what is not drawn by style sheets. */
export const isDark = computed(() =>
  theme.value === "system" ? systemIsDark.value : theme.value === "dark",
);

effect(() => {
  const chosen = theme.value;
  const root = document.documentElement;
  if (chosen === "system") delete root.dataset.theme;
  else root.dataset.theme = chosen;
  try {
    if (chosen === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, chosen);
  } catch {
    // Storage may be forbidden; the choice then holds for this page.
  }
});
