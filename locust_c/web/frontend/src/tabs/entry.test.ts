import { expect, test } from "vitest";
import { percentile, withoutTotal } from "./entry";

test("percentiles have the keys of the answer and Locust's titles", () => {
  expect([0.95, 0.999, 0.57, 1].map(percentile)).toEqual([
    { key: "response_time_percentile_0.95", title: "95%ile (ms)" },
    { key: "response_time_percentile_0.999", title: "99.9%ile (ms)" },
    { key: "response_time_percentile_0.57", title: "57%ile (ms)" },
    { key: "response_time_percentile_1.0", title: "100%ile (ms)" },
  ]);
});

test("the last row is the total", () => {
  expect(withoutTotal(["a", "b", "all"])).toEqual({ rows: ["a", "b"], total: "all" });
  expect(withoutTotal([])).toEqual({ rows: [], total: undefined });
  expect(withoutTotal(undefined)).toEqual({ rows: null, total: undefined });
});
