/** Numbers and times as people read them. */

export const NOTHING = "–";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const hundredth = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

/** A count. */
export function count(value: number | null | undefined): string {
  return value == null ? NOTHING : whole.format(value);
}

/** Per second. */
export function rate(value: number | null | undefined): string {
  return value == null ? NOTHING : (value < 10 ? hundredth : tenth).format(value);
}

/** Milliseconds without the unit: three digits are enough. */
export function milliseconds(value: number | null | undefined): string {
  if (value == null) return NOTHING;
  if (value >= 100 || value === 0) return whole.format(value);
  return (value >= 10 ? tenth : hundredth).format(value);
}

/** A part of one in percent; never 0% or 100% for what is only nearly so. */
export function share(value: number): string {
  const percent = value * 100;
  if (percent > 0 && percent < 0.1) return "<0.1%";
  if (percent < 100 && percent > 99.9) return ">99.9%";
  return `${tenth.format(percent)}%`;
}

/** Seconds as 59s, 12:05 or 3:07:09. */
export function duration(seconds: number): string {
  const all = Math.max(0, Math.round(seconds));
  if (all < 60) return `${all}s`;
  const two = (part: number) => String(part).padStart(2, "0");
  const [hours, minutes] = [Math.floor(all / 3600), Math.floor(all / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(all % 60)}` : `${minutes}:${two(all % 60)}`;
}
