import { expect, test } from "vitest";
import tokens from "../styles/tokens.css?raw";
import css from "./charts.css?raw";
import { oklabOf, ramp } from "./ramp";

/** How much two colours stand out from each other: 1 to 21 (WCAG 2.2). */
function contrast(one: string, other: string): number {
  const luminance = (hex: string) => {
    const parts = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
    const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * (r as number) + 0.7152 * (g as number) + 0.0722 * (b as number);
  };
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** The colours of a theme: 0 is the light one, 1 the dark one, 2 the dark one of the system. */
const values = (name: string, theme: number, source = css): string[] =>
  [...source.matchAll(new RegExp(`--${name}: ([^;]+);`, "g"))][theme]?.[1]?.split(", ") ?? [];

const long = (hex: string) => (hex.length === 4 ? hex.replace(/[0-9a-f]/g, "$&$&") : hex);

test("a ramp begins and ends with its stops, and a colour survives the way to OKLab and back", () => {
  const stops = ["#71dcd6", "#2d78bd", "#331150"];
  expect(ramp(stops, 5).filter((_, place) => place % 2 === 0)).toEqual(stops);
  expect(oklabOf("#ffffff").map((part) => Math.round(part * 1000) / 1000 + 0)).toEqual([1, 0, 0]);
});

test.each([0, 1])("the heat map's colours are ever darker or ever lighter, evenly (theme %i)", (theme) => {
  const lightness = ramp(values("heat", theme), 64).map((hex) => oklabOf(hex)[0]);
  const steps = lightness
    .slice(1)
    .map((next, place) => (next - (lightness[place] as number)) * (theme ? 1 : -1));
  const mean = steps.reduce((sum, step) => sum + step) / steps.length;
  for (const step of steps) {
    expect(step).toBeGreaterThan(mean * 0.5);
    expect(step).toBeLessThan(mean * 1.7);
  }
});

test.each([0, 1])("one request in the heat map and each line stand out from the card (theme %i)", (theme) => {
  const card = long(values("card", theme, tokens)[0] as string);
  expect(contrast(values("heat", theme)[0] as string, card)).toBeGreaterThan(1.6);
  const names = ["rps", "failures", "users", "lag", "limit", "p0", "p1", "p2", "p3", "p4", "p5"];
  for (const name of names) {
    expect(contrast(values(`series-${name}`, theme)[0] as string, card), name).toBeGreaterThan(3);
  }
});

test("the dark colours are the same whether the user or the system chose them", () => {
  const names = [...css.matchAll(/--((?:series-\w+|heat)): #/g)].map((match) => match[1] as string);
  expect(new Set(names).size).toBe(12);
  for (const name of names) expect(values(name, 2)).toEqual(values(name, 1));
});
