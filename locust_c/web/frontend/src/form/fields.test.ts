import { expect, test } from "vitest";
import type { CustomArgument } from "../args";
import { fieldOf, isUrl, kindOf, swarmBody, timespan, valuesOf } from "./fields";

function argument(default_value: CustomArgument["default_value"], more: Partial<CustomArgument> = {}) {
  const rest = { is_secret: false, is_required: false, is_multiple: false, help_text: null, choices: null };
  return { default_value, ...rest, ...more };
}

function form(...fields: [string, string][]): FormData {
  const data = new FormData();
  for (const [name, value] of fields) data.append(name, value);
  return data;
}

test("an argument is asked for as its default and its choices suggest", () => {
  const choices = ["a", "b"];
  expect(
    [
      argument(false),
      argument("a", { choices }),
      argument(null, { choices, is_multiple: true }),
      argument(["a"], { choices }),
      argument([1, 2]),
      argument(null, { is_multiple: true }),
      argument(0.5),
      argument(2 ** 60),
      argument("x", { is_secret: true }),
      argument(null, { choices: [] }),
    ].map(kindOf),
  ).toEqual(["check", "choice", "choices", "choices", "list", "list", "number", "text", "secret", "text"]);
});

test("values are shown as the server reads them", () => {
  expect(valuesOf(argument([1, 2]))).toEqual(["1,2"]);
  expect(valuesOf(argument(["a", "b"], { choices: ["a", "b", "c"] }))).toEqual(["a", "b"]);
  expect([valuesOf(argument(null)), valuesOf(argument(0)), valuesOf(argument(true))]).toEqual([
    [],
    ["0"],
    ["true"],
  ]);
});

test("the body has every own field that the form shows, and every picked class", () => {
  const fields = form(
    ["user_count", "10"],
    ["spawn_rate", " 2.5 "],
    ["host", "http://x "],
    ["run_time", ""],
    ["user_classes", "A"],
    ["user_classes", "B"],
    ["stray", "1"],
  );
  expect(String(swarmBody(fields, {}, null))).toBe(
    "user_count=10&spawn_rate=2.5&host=http%3A%2F%2Fx&run_time=&user_classes=A&user_classes=B",
  );
});

test("checkboxes are sent either way, lists by repeating, texts as they are", () => {
  const custom = {
    on: argument(false),
    off: argument(true),
    regions: argument(["eu"], { choices: ["eu", "us"], is_multiple: true }),
    ids: argument([1]),
    text: argument(""),
  };
  const fields = form(["on", "true"], ["regions", "eu"], ["regions", "us"], ["ids", "1,2"], ["text", " x "]);
  expect(String(swarmBody(fields, custom, null))).toBe(
    "on=true&off=false&regions=eu&regions=us&ids=1%2C2&text=+x+",
  );
});

test("what is empty is only left out while the server has no value", () => {
  const custom = { unset: argument(null), text: argument("x"), list: argument(["a"], { choices: ["a"] }) };
  const fields = form(["unset", ""], ["text", ""], ["profile", ""]);
  expect(String(swarmBody(fields, custom, null))).toBe("text=&list=");
  const sent = new URLSearchParams("unset=1&profile=p");
  expect(String(swarmBody(fields, custom, sent))).toBe("profile=&unset=&text=&list=");
});

test("the time that is left is written as run times are", () => {
  expect([null, 0, 59.2, 60, 3600, 3930.5].map(timespan)).toEqual(["", "", "1m", "1m", "1h", "1h5m31s"]);
});

test("a refusal is shown at the field it names", () => {
  expect(fieldOf("Invalid user_count value: 'abc' (must be an integer)")).toBe("user_count");
  expect(fieldOf("Invalid number value: 'x'")).toBe("number");
  expect(fieldOf("run_time '1x': Valid run_time formats are : 20, 20s, etc.")).toBe("run_time");
  expect(fieldOf("There are no users with weight > 0.")).toBeNull();
});

test("hosts that are no URL are told from those that are", () => {
  expect(["http://a", "HTTPS://a.b:1/c", " http://a ", "a.b", "http://", "ftp://a", ""].map(isUrl)).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});
