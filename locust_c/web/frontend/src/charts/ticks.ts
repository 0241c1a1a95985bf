/** What is written at the axes. */

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const clockWithSeconds = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

const MINUTE_S = 60;
const DAY_S = 86_400;

/** A moment (epoch seconds) in local time, with its date unless that is the day of `now`. */
export function moment(time: number, now = Date.now() / 1000): string {
  const [date, today] = [new Date(time * 1000), new Date(now * 1000)];
  const hours = clockWithSeconds.format(date);
  return date.toDateString() === today.toDateString() ? hours : `${day.format(date)} ${hours}`;
}

/**
 * Labels of a time axis whose ticks are `step` seconds apart. A second line has the date where the day changes,
 * and at the first tick if the axis has another day than that of `now`.
 */
export function timeLabels(ticks: number[], step: number, now = Date.now() / 1000): string[] {
  const days = ticks.map((tick) => day.format(tick * 1000));
  if (step >= DAY_S) return days;
  const hours = step < MINUTE_S ? clockWithSeconds : clock;
  const today = day.format(now * 1000);
  const dated = days.some((each) => each !== today);
  return ticks.map((tick, place) => {
    const label = hours.format(tick * 1000);
    return dated && days[place] !== days[place - 1] ? `${label}\n${days[place]}` : label;
  });
}

/** A number at an axis: short, so that axes of all charts have the same width. */
export function axisNumber(value: number): string {
  return (Math.abs(value) >= 10_000 ? compact : plain).format(value);
}

/** Ticks of a logarithmic axis: 1, 2 and 5 of each power of ten, or 1 and 3, or fewer, so that there are `most` at most. */
export function logTicks(min: number, max: number, most: number): number[] {
  const powers = (digits: number[], every: number) => {
    const ticks: number[] = [];
    const last = Math.floor(Math.log10(max) + 1e-9);
    for (let power = Math.floor(Math.log10(min)); power <= last; power += 1) {
      if (power % every !== 0) continue;
      for (const digit of digits) {
        const tick = Number(`${digit}e${power}`);
        if (tick >= min * (1 - 1e-9) && tick <= max * (1 + 1e-9)) ticks.push(tick);
      }
    }
    return ticks;
  };
  let ticks = powers([1, 2, 5], 1);
  if (ticks.length > most) ticks = powers([1, 3], 1);
  for (let every = 1; ticks.length > most; every += 1) ticks = powers([1], every);
  return ticks;
}
