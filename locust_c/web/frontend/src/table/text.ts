/** Texts of others - names, errors, tracebacks - as they can be shown: whatever they hold is visible text. */

// Control characters, and those that turn the direction of all text behind them.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;
const LAYOUT = new Set(["\n", "\t"]);

function visible(character: string): string {
  const code = character.charCodeAt(0);
  if (character === "\n") return "↵";
  if (character === "\t") return "⇥";
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return "␡";
  return `\\u${code.toString(16).padStart(4, "0")}`;
}

/** `text` for one line: control characters, line ends as well, are visible. */
export function inLine(text: string): string {
  return text.replace(UNSEEN, visible);
}

/** `text` for several lines: as `inLine`, but line ends and tabs are what they are. */
export function inLines(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replace(UNSEEN, (character) => (LAYOUT.has(character) ? character : visible(character)));
}

/** At most `most` UTF-16 units of `text`, and no half characters. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const last = text.charCodeAt(most - 1);
  return `${text.slice(0, last >= 0xd800 && last < 0xdc00 ? most - 1 : most)}…`;
}
