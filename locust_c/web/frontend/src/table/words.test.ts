import { expect, test } from "vitest";
import { countWords } from "./words";

test("the number of rows", () => {
  expect(countWords(2000, 2000, 2000, "name", "")).toBe("2,000 names");
  expect(countWords(1, 1, 1, "name", " ")).toBe("1 name");
  expect(countWords(12, 2000, 2000, "name", "cart")).toBe("12 of 2,000");
});

test("where the server sent only the first rows it is said", () => {
  expect(countWords(500, 500, 100_000, "kind", "")).toBe("500 of 100,000 kinds shown");
  expect(countWords(3, 500, 100_000, "kind", "x")).toBe("3 of 500 (500 of 100,000 kinds shown)");
});
