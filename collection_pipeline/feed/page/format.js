// Numbers, times and durations as text. The same everywhere, so that two figures can be compared at a glance.

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const exact = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });
const timeOfDay = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const hourAndMinute = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const dayAndMonth = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

const wholeDate = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

export const UNKNOWN = "–";

export const number = (value) => (value === null || value === undefined ? UNKNOWN : whole.format(value));

/** Money and the like, which arrives as a string so that it loses no digit. */
export const amount = (value) => (value === null || value === undefined ? UNKNOWN : exact.format(Number(value)));

export const count = (value, one, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`;

export const moment = (text) => (text ? Date.parse(text) : null);

export const clock = (ms) => timeOfDay.format(ms);

export const hour = (ms) => hourAndMinute.format(ms);

export const day = (ms) => dayAndMonth.format(ms);

/** A day with its year, for what may be long ago. */
export const date = (ms) => (ms === null ? UNKNOWN : wholeDate.format(ms));

/** An amount of money; without a currency it is only a number. */
export function money(value, currency) {
  if (value === null || value === undefined) return UNKNOWN;
  if (!currency) return amount(value);
  return new Intl.NumberFormat("en-US", { style: "currency", currency }).format(Number(value));
}

/** The time, with the day where that is another than today's. */
export function when(ms, now) {
  return new Date(ms).toDateString() === new Date(now).toDateString() ? hour(ms) : `${day(ms)}, ${hour(ms)}`;
}

/** A stretch of time with its two largest units: 45 s, 2 min 5 s, 1 h 12 min, 3 d 4 h. */
export function stretch(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return pair(Math.floor(s / 60), "min", s % 60, "s");
  const min = Math.round(s / 60);
  if (min < 1440) return pair(Math.floor(min / 60), "h", min % 60, "min");
  const h = Math.round(min / 60);
  return pair(Math.floor(h / 24), "d", h % 24, "h");
}

const pair = (large, largeUnit, small, smallUnit) =>
  small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;

/** How long something seems to take, without a precision that an estimate does not have. */
export function roughly(ms) {
  const min = ms / 60_000;
  if (min < 1) return "< 1 min";
  if (min < 10) return `${Math.round(min)} min`;
  if (min < 90) return `${Math.round(min / 5) * 5} min`;
  return stretch(Math.round(min / 15) * 15 * 60_000);
}

/** How long one request or unit took. */
export const took = (ms) => (ms < 1000 ? `${ms} ms` : ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : stretch(ms));

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** `rate_limited` as people write it. */
export const words = (name) => String(name ?? "unknown").replaceAll("_", " ");
