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

/** How long ago something was, in words. */
export function ago(seconds: number): string {
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** A moment in epoch seconds as 14:03:59, with its date if that is not the one of `now`. */
export function moment(epoch: number, now: Date): string {
  const then = new Date(epoch * 1000);
  const two = (part: number) => String(part).padStart(2, "0");
  const clock = [then.getHours(), then.getMinutes(), then.getSeconds()].map(two).join(":");
  if (then.toDateString() === now.toDateString()) return clock;
  return `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())} ${clock}`;
}
