/** Scales of colours that look evenly stepped. */

export type Oklab = [lightness: number, a: number, b: number];

const linear = (part: number) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
const gamma = (part: number) => (part <= 0.0031308 ? part * 12.92 : 1.055 * part ** (1 / 2.4) - 0.055);

function rgbOf(hex: string): [number, number, number] {
  const value = Number.parseInt(hex.trim().slice(1), 16);
  return [linear((value >> 16) / 255), linear(((value >> 8) & 255) / 255), linear((value & 255) / 255)];
}

/** A colour `#rrggbb` in OKLab (Ottosson 2020), where equal distances look equally different. */
export function oklabOf(hex: string): Oklab {
  const [r, g, b] = rgbOf(hex);
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function hexOf([lightness, a, b]: Oklab): string {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const parts = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  const byte = (part: number) => Math.round(255 * gamma(Math.min(Math.max(part, 0), 1)));
  return `#${parts.map((part) => byte(part).toString(16).padStart(2, "0")).join("")}`;
}

/** `steps` colours that lead through the `stops`, evenly in OKLab. */
export function ramp(stops: string[], steps: number): string[] {
  const points = stops.map(oklabOf);
  return Array.from({ length: steps }, (_, step) => {
    const at = (step / (steps - 1)) * (points.length - 1);
    const before = Math.min(Math.floor(at), points.length - 2);
    const [from, to] = [points[before] as Oklab, points[before + 1] as Oklab];
    const between = (part: 0 | 1 | 2) => from[part] + (to[part] - from[part]) * (at - before);
    return hexOf([between(0), between(1), between(2)]);
  });
}
