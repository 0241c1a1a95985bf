import { expect, test } from "vitest";
import { cut, inLine, inLines } from "./text";

test("control characters are visible", () => {
  expect(inLine("a\0b\x1b[31m\x7f\x85\u202egpj.exe")).toBe("a␀b␛[31m␡\\u0085\\u202egpj.exe");
  expect(inLine("two\nlines\tand a tab\r\n")).toBe("two↵lines⇥and a tab␍↵");
  expect(inLines("two\r\nlines\tand \x07")).toBe("two\nlines\tand ␇");
});

test("other languages, emoji and markup stay as they are", () => {
  const text = "مرحبا שלום 👩‍👩‍👧 é <b onclick='x'>&amp;</b>";
  expect(inLine(text)).toBe(text);
});

test("a text is cut between characters", () => {
  expect(cut("abc", 3)).toBe("abc");
  expect(cut("abcd", 3)).toBe("abc…");
  expect(cut("ab😀d", 3)).toBe("ab…");
});
