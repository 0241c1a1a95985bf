import { expect, test } from "vitest";
import {
  bandLabel,
  bandPosition,
  bandsIn,
  columnsOf,
  countOf,
  fullest,
  msAt,
  ratesIn,
  strength,
} from "./heat";

const edges = [1, 2, 4, 8, 16];
const same = (time: number) => time;

test("the first and the last band are open, since they have what is beyond them as well", () => {
  expect([0, 1, 2, 3].map((band) => bandLabel(edges, band))).toEqual([
    "under 2 ms",
    "2–4 ms",
    "4–8 ms",
    "from 8 ms on",
  ]);
});

test("an axis on which each band is 1 high is logarithmic within a band as well", () => {
  expect([1, 2, 8, 16].map((ms) => bandPosition(edges, ms))).toEqual([0, 1, 3, 4]);
  expect(bandPosition(edges, Math.sqrt(8))).toBeCloseTo(1.5);
  expect(bandPosition(edges, 0.5)).toBeCloseTo(-1);
  expect(bandPosition(edges, 32)).toBeCloseTo(5);
  for (const ms of [0.5, 1, 3, 16, 32]) expect(msAt(edges, bandPosition(edges, ms))).toBeCloseTo(ms);
});

test("counts of a point", () => {
  expect([countOf([2, 5, 3, 9], 3), countOf([2, 5], 5), countOf(undefined, 0)]).toEqual([9, 0, 0]);
  expect(fullest([2, 5, 3, 9, 4, 1])).toEqual({ band: 3, count: 9, sum: 15 });
  expect([fullest([]), fullest(undefined)]).toEqual([null, null]);
});

test("the bands of a span", () => {
  const points = [[7, 1], [2, 5, 3, 9], [], [4, 1]];
  expect([bandsIn(points, 1, 3), bandsIn(points, 2, 2), bandsIn(points, 0, 1)]).toEqual([
    [2, 4],
    null,
    [2, 7],
  ]);
});

test("wide points have a column each, with nothing between runs", () => {
  const columns = columnsOf([10, 20, 30, 40], [[0, 1], [], [1, 2], [1, 4]], [0, 3], same, 2);
  expect(columns).toEqual([
    { from: 0, to: 10, seconds: 10, counts: new Map([[0, 1]]) },
    { from: 20, to: 30, seconds: 10, counts: new Map([[1, 2]]) },
    { from: 30, to: 40, seconds: 10, counts: new Map([[1, 4]]) },
  ]);
});

test("points narrower than a column are added up, and no request is lost", () => {
  const time = Array.from({ length: 100 }, (_, point) => point);
  const points = time.map((second) => [second % 2, 1]);
  const columns = columnsOf(time, points, [0, 99], (second) => Math.round(second / 5), 2);
  const sum = columns.reduce((all, { counts }) => all + (counts.get(0) ?? 0) + (counts.get(1) ?? 0), 0);
  expect(sum).toBe(100);
  expect(columns.length).toBeLessThan(20);
  for (const [place, column] of columns.entries()) {
    expect(column.to).toBeGreaterThan(column.from);
    if (place) expect(column.from).toBe(columns[place - 1]?.to);
  }
});

test("a column does not reach over a pause", () => {
  const columns = columnsOf([1, 2, 50, 51], [[0, 1], [0, 1], [], [0, 1]], [0, 3], same, 5);
  expect(columns.map(({ from, to }) => [from, to])).toEqual([
    [0, 2],
    [50, 51],
  ]);
});

test("colours depend on requests per second, so that long points are not darker", () => {
  const columns = columnsOf(
    [1, 2, 12],
    [
      [0, 5],
      [0, 5],
      [0, 50],
    ],
    [0, 2],
    same,
    1,
  );
  expect(ratesIn(columns)).toEqual([5, 5]);
  expect(ratesIn([])).toBeNull();
});

test("strength is logarithmic and stays within its limits", () => {
  expect([1, 10, 100, 0.1, 1000].map((rate) => strength(rate, [1, 100]))).toEqual([0, 0.5, 1, 0, 1]);
  expect(strength(3, [3, 3])).toBe(1);
});
