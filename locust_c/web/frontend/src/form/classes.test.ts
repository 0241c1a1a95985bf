import { expect, test } from "vitest";
import type { UserClass } from "../args";
import { attributeValue, type ClassFields, changes, counted, ownAttributes } from "./classes";

const user: UserClass = {
  host: null,
  weight: 1,
  fixed_count: 0,
  tasks: ["a", "b", "b"],
  note: "hi",
  active: true,
  depth: 2,
  extra: { key: [1] },
  nothing: null,
};

function fields(more: Partial<ClassFields> = {}): ClassFields {
  const common = { host: "", weight: "1", fixed_count: "0", tasks: ["b", "a"] };
  return { ...common, own: ownAttributes(user), ...more };
}

test("attributes of a class's own are edited by their type", () => {
  expect(ownAttributes(user).map(({ name, kind, text }) => `${name} ${kind} ${text}`)).toEqual([
    "note text hi",
    "active check true",
    "depth number 2",
    'extra json {"key":[1]}',
    "nothing json null",
  ]);
});

test("what was not touched is not sent", () => {
  expect(changes(user, fields())).toEqual({});
  expect(changes({ ...user, host: "http://x" }, fields({ host: "http://x" }))).toEqual({});
});

test("what was changed is sent with its type", () => {
  const own = ownAttributes(user).map((attribute) => {
    const text = { note: "ho", active: "false", depth: "2.5", extra: "[1, 2]" }[attribute.name];
    return { ...attribute, text: text ?? attribute.text };
  });
  expect(changes(user, fields({ host: " http://y ", weight: "3", tasks: ["a"], own }))).toEqual({
    host: "http://y",
    weight: 3,
    note: "ho",
    active: false,
    depth: 2.5,
    extra: [1, 2],
    tasks: ["a"],
  });
  expect(changes({ ...user, host: "http://x" }, fields())).toEqual({ host: null });
});

test("what cannot be sent is said with the name of the attribute", () => {
  expect(() => changes(user, fields({ tasks: [] }))).toThrow("tasks: pick at least one.");
  expect(() => changes(user, fields({ weight: "" }))).toThrow("weight: must be a number.");
  expect(() => attributeValue({ name: "extra", kind: "json", text: "{a: 1}" })).toThrow(
    "extra: must be JSON",
  );
});

test("tasks are counted", () => {
  expect(counted(["b", "a", "b"])).toEqual([
    { name: "b", weight: 2 },
    { name: "a", weight: 1 },
  ]);
});
