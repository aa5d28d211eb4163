// Beside the feed: the pipeline's steps, failures by kind and stage, and the seller list's size over past collections.

import { step } from "./activity.js";
import { numberMarks } from "./axis.js";
import { byId, el, keyed, setAttribute, setText, show, svg } from "./dom.js";
import { clock, count, day, moment, number, when, words } from "./format.js";
import { reasons } from "./overview.js";

const MOST_STEPS = 8;
const MOST_FAILURES = 12;
const HEIGHT = 150;
const LEFT = 46;
const BELOW = 24;

export function drawSteps(heard, nameOf) {
  const steps = heard.steps(MOST_STEPS);
  show(byId("steps-empty"), steps.length === 0);
  keyed(byId("steps"), steps, (event) => event.id, (event) =>
    el(
      "li",
      { "data-action": event.action },
      el("span", {}, step(event, nameOf)),
      el("time", { datetime: event.timestamp }, clock(moment(event.timestamp))),
    ),
  );
}

export function drawFailures(failures, progress) {
  const shown = failures.slice(0, MOST_FAILURES);
  const total = failures.reduce((sum, one) => sum + one.count, 0);
  show(byId("failures"), shown.length > 0);
  show(byId("failures-empty"), shown.length === 0 && reasons(progress) === "");
  setText(byId("failures-note"), total === 0 ? "" : count(total, "event"));
  setText(byId("failures-final"), reasons(progress));
  keyed(
    byId("failure-rows"),
    shown,
    (one) => `${one.error_type} ${one.error_stage}`,
    (one) =>
      el(
        "tr",
        {},
        el("th", { scope: "row" }, words(one.error_type)),
        el("td", {}, words(one.error_stage)),
        el("td", { class: "num" }),
        el("td", { class: "share" }, svg("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("rect", { height: 8, rx: 1 }))),
      ),
    (row, one) => {
      setText(row.children[2], number(one.count));
      setAttribute(row.querySelector("rect"), "width", (100 * one.count) / shown[0].count);
    },
  );
}

export function drawSellers(snapshots, collectionId, now, width) {
  show(byId("sellers-empty"), snapshots.length === 0);
  show(byId("sellers-details"), snapshots.length > 0);
  const last = snapshots.at(-1);
  setText(byId("sellers-note"), last ? `${number(last.seller_count)} at ${when(moment(last.taken_at), now)}` : "");
  byId("sellers").replaceChildren(...(snapshots.length > 0 ? [plot(snapshots, collectionId, width)] : []));
  const newestFirst = snapshots.map((one, place) => ({ ...one, place })).reverse();
  keyed(byId("seller-rows"), newestFirst, (one) => `${one.place} ${one.taken_at}`, (one) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, when(moment(one.taken_at), now)),
      el("td", {}, one.collection_id ?? words(one.cause)),
      el("td", { class: "num" }, number(one.seller_count)),
      el("td", { class: "num" }, one.new_sellers > 0 ? `+${number(one.new_sellers)}` : "0"),
    ),
  );
}

/** Counts side by side, one place each: what matters is each collection's gain, not the quiet days between. */
function plot(snapshots, collectionId, width) {
  const values = snapshots.map((one) => one.seller_count);
  const marks = numberMarks(Math.min(...values), Math.max(...values), 3);
  const [low, high] = [marks[0], Math.max(marks.at(-1), marks[0] + 1)];
  const right = width - 10;
  const x = (place) => (snapshots.length === 1 ? (LEFT + right) / 2 : LEFT + 6 + (place * (right - LEFT - 6)) / (snapshots.length - 1));
  const y = (value) => 8 + (HEIGHT - 16) * (1 - (value - low) / (high - low));
  const points = snapshots.map((one, place) => `${x(place).toFixed(1)},${y(one.seller_count).toFixed(1)}`);
  const [first, last] = [snapshots[0], snapshots.at(-1)];
  const spoken = `Sellers on the list over ${count(snapshots.length, "count")}: from ${number(first.seller_count)} to ${number(last.seller_count)}.`;
  const edge = (one) => day(moment(one.taken_at));
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${HEIGHT + BELOW}`, width, height: HEIGHT + BELOW, role: "img", "aria-label": spoken },
    ...marks.flatMap((value) => [
      svg("line", { class: "grid", x1: LEFT, x2: right, y1: y(value), y2: y(value) }),
      svg("text", { class: "tick", x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, number(value)),
    ]),
    svg("polyline", { class: "curve", points: points.join(" ") }),
    ...snapshots.slice(-60).map((one, late) => {
      const place = late + Math.max(0, snapshots.length - 60);
      return svg(
        "circle",
        { class: "point", cx: x(place), cy: y(one.seller_count), r: one.collection_id === collectionId ? 4.5 : 2.5, "data-this": one.collection_id === collectionId },
        svg("title", {}, `${one.collection_id ?? words(one.cause)}: ${number(one.seller_count)} (+${number(one.new_sellers)})`),
      );
    }),
    svg("text", { class: "tick", x: LEFT, y: HEIGHT + 18 }, edge(first)),
    snapshots.length > 1 && edge(first) !== edge(last) && svg("text", { class: "tick", x: right, y: HEIGHT + 18, "text-anchor": "end" }, edge(last)),
  );
}
