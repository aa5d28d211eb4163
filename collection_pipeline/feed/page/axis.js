// Round marks for axes.

const S = 1000;
const MIN = 60 * S;
const H = 60 * MIN;
const TIME_STEPS = [5 * S, 10 * S, 15 * S, 30 * S, MIN, 2 * MIN, 5 * MIN, 10 * MIN, 15 * MIN, 30 * MIN, H, 2 * H, 3 * H, 6 * H, 12 * H, 24 * H];

/** Round moments between two others, at most `most` of them. */
export function timeMarks(from, until, most) {
  const step = TIME_STEPS.find((one) => (until - from) / one <= most) ?? 24 * H * Math.ceil((until - from) / (24 * H * most));
  const zone = new Date(from).getTimezoneOffset() * MIN; // so that a mark every 6 h is at 6:00 local time
  const marks = [];
  for (let at = Math.ceil((from - zone) / step) * step + zone; at <= until; at += step) marks.push(at);
  return { step, marks };
}

/** Round numbers around a range, about `most` of them. */
export function numberMarks(low, high, most) {
  const rough = Math.max(1, (high - low) / most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough));
  const marks = [];
  for (let at = Math.floor(low / step) * step; at < high + step; at += step) marks.push(at);
  return marks;
}
