// Drawings: a line over time, a spread of prices, a bar. Each says in words what it shows.

import { numberMarks } from "../axis.js";
import { svg } from "../dom.js";
import { date, money, number } from "../format.js";

const LEFT = 62;
const BELOW = 24;

/**
 * A line over time. Points are { at, value, kind, text }; `kind` marks what caused one. `isInverted` puts 1 on top.
 * @param {{ at: number, value: number, kind?: string, text: string }[]} points
 */
export function line(points, { width, height = 200, label, isInverted = false, isStepped = false }) {
  const all = points.map((one) => one.value);
  const marks = numberMarks(Math.min(...all), Math.max(...all), 4).filter((one) => !isInverted || one >= 0);
  const [low, high] = [marks[0], Math.max(marks.at(-1), marks[0] + 1)];
  const [first, last] = [points[0].at, points.at(-1).at];
  const right = width - 12;
  const x = (at) => (last === first ? (LEFT + right) / 2 : LEFT + 8 + ((at - first) * (right - LEFT - 8)) / (last - first));
  const share = (value) => (value - low) / (high - low);
  const y = (value) => 10 + (height - 20) * (isInverted ? share(value) : 1 - share(value));
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${height + BELOW}`, width, height: height + BELOW, role: "img", "aria-label": label },
    ...marks.flatMap((value) => [
      svg("line", { class: "grid", x1: LEFT, x2: right, y1: y(value), y2: y(value) }),
      svg("text", { class: "tick", x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, number(value)),
    ]),
    svg("path", { class: "curve", d: pathOf(points.map((one) => [x(one.at), y(one.value)]), isStepped) }),
    ...points.map((one) => mark(one, x(one.at), y(one.value))),
    ...ends(first, last, right, height),
  );
}

const pathOf = (places, isStepped) =>
  places.map(([x, y], n) => `${n === 0 ? "M" : isStepped ? `H${x.toFixed(1)}V` : "L"}${n > 0 && isStepped ? y.toFixed(1) : `${x.toFixed(1)} ${y.toFixed(1)}`}`).join("");

function mark(point, x, y) {
  const title = svg("title", {}, point.text);
  if (point.kind === "import") return svg("rect", { class: "point", "data-kind": "import", x: x - 4, y: y - 4, width: 8, height: 8 }, title);
  return svg("circle", { class: "point", "data-kind": point.kind, cx: x, cy: y, r: point.kind === "manual" ? 3.5 : 3 }, title);
}

const ends = (first, last, right, height) =>
  (first === last ? [[first, "start"]] : [[first, "start"], [last, "end"]]).map(([at, anchor]) =>
    svg("text", { class: "tick", x: anchor === "start" ? LEFT : right, y: height + 18, "text-anchor": anchor }, date(at)),
  );

const WIDE = 168;
const TALL = 20;
const MOST = 4; // times Amazon's price: the usual band ends at three

/** A product's prices on eBay as multiples of its price at Amazon, so that rows can be compared at a glance. */
export function spread(product) {
  const unit = Number(product.price) || Number(product.price_median) || 1;
  const x = (value) => 4 + (Math.min(MOST, Number(value) / unit) * (WIDE - 8)) / MOST;
  const middle = TALL / 2;
  const has = product.sellers > 0 && product.price_low !== null;
  const parts = [];
  if (product.band_low !== null) parts.push(svg("rect", { class: "band", x: x(product.band_low), y: 2, width: x(product.band_high) - x(product.band_low), height: TALL - 4 }));
  if (has) {
    parts.push(svg("line", { class: "range", x1: x(product.price_low), x2: Math.max(x(product.price_high), x(product.price_low) + 1), y1: middle, y2: middle }));
    parts.push(svg("line", { class: "median", x1: x(product.price_median), x2: x(product.price_median), y1: 3, y2: TALL - 3 }));
  }
  if (product.price !== null) parts.push(svg("circle", { class: "amazon", cx: x(product.price), cy: middle, r: 3.5 }));
  return svg("svg", { class: "spread", viewBox: `0 0 ${WIDE} ${TALL}`, width: WIDE, height: TALL, role: "img", "aria-label": spreadText(product, has) }, ...parts);
}

function spreadText(product, has) {
  const { currency } = product;
  if (!has) return "No listing on eBay now";
  return `eBay from ${money(product.price_low, currency)} to ${money(product.price_high, currency)}, median ${money(product.price_median, currency)}; Amazon ${money(product.price, currency)}`;
}

/** A share of something as a bar. */
export const bar = (share) =>
  svg("svg", { class: "bar-line", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("rect", { height: 8, rx: 1, width: Math.max(0.5, 100 * share) }));
