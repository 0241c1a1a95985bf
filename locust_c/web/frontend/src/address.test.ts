import { expect, test } from "vitest";
import { addressWith, valueIn } from "./address";

const PAGE = "http://127.0.0.1:8089/base/?tab=charts&sort=name#top";

test("a parameter that is not in the address has its initial value", () => {
  expect([valueIn(PAGE, "tab", "stats"), valueIn(PAGE, "form", "")]).toEqual(["charts", ""]);
});

test("a change leaves everything else as it was", () => {
  expect(addressWith(PAGE, "tab", "failures", "stats")).toBe(
    "http://127.0.0.1:8089/base/?tab=failures&sort=name#top",
  );
  expect(addressWith(PAGE, "form", "edit", "")).toBe(
    "http://127.0.0.1:8089/base/?tab=charts&sort=name&form=edit#top",
  );
});

test("the initial value is left out, whatever else is escaped", () => {
  expect(addressWith(PAGE, "tab", "stats", "stats")).toBe("http://127.0.0.1:8089/base/?sort=name#top");
  const search = addressWith(PAGE, "search", "a&b=c d é", "");
  expect(valueIn(search, "search", "")).toBe("a&b=c d é");
});
