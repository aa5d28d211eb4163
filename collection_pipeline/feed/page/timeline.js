// The categories of a collection over time: bars in as few rows as ran side by side, and all of them as a table.

import { timeMarks } from "./axis.js";
import { byId, details, el, keyed, link, setAttribute, setText, show, svg } from "./dom.js";
import { capital, clock, count, hour, moment, number, roughly, stretch, when, words } from "./format.js";

const ROW = 26;
const BAR = 20;
const AXIS = 26;
const LETTER = 6.6;
const MOST_ROWS = 300;
const TONES = { planned: "rest", running: "work", done: "done", failed: "danger", cancelled: "rest" };

export function drawTimeline(categories, progress, now, width) {
  const place = byId("timeline");
  const bars = categories.filter((one) => one.started_at !== null).map((one) => barOf(one, progress, now));
  bars.sort((a, b) => a.from - b.from);
  const rows = pack(bars);
  const from = moment(progress.started_at);
  const last = Math.max(moment(progress.completed_at) ?? now, from + 10_000, ...bars.map((bar) => bar.until));
  // The future may take as much room as the past, so that a long way to go does not hide what has been done.
  const left_ms = progress.status === "running" && progress.time_left_s ? Math.min(1000 * progress.time_left_s, last - from) : 0;
  const scale = (at) => ((at - from) / (last + left_ms - from)) * (width - 2) + 1;
  const height = Math.max(1, rows) * ROW;
  const drawing = svg(
    "svg",
    { viewBox: `0 0 ${width} ${height + AXIS}`, width, height: height + AXIS, role: "img", "aria-label": described(categories) },
    ...axis(from, last + left_ms, scale, height, width),
    ...bars.map((bar) => drawnBar(bar, scale)),
    ...ahead(left_ms, progress, scale(last), width),
    isGoing(progress) && svg("line", { class: "now", x1: scale(now), x2: scale(now), y1: 0, y2: height }),
  );
  place.replaceChildren(drawing);
}

function ahead(left_ms, progress, x, width) {
  if (left_ms === 0 || width - x < 130) return [];
  return [svg("text", { class: "tick", x: x + 10, y: ROW / 2 + 4 }, `${roughly(1000 * progress.time_left_s)} to go`)];
}

const isGoing = (progress) => progress.completed_at === null;

function barOf(one, progress, now) {
  const from = moment(one.started_at);
  const until = moment(one.ended_at) ?? (one.status === "running" ? now : moment(progress.completed_at) ?? now);
  return { one, from, until: Math.max(until, from), row: 0 };
}

/** Gives every bar the first row that is free when it begins; how many rows that takes. */
function pack(bars) {
  const ends = [];
  for (const bar of bars) {
    const free = ends.findIndex((end) => end <= bar.from);
    bar.row = free === -1 ? ends.length : free;
    ends[bar.row] = bar.until;
  }
  return ends.length;
}

function drawnBar({ one, from, until, row }, scale) {
  const x = scale(from);
  const wide = Math.max(3, scale(until) - x - 1.5);
  const y = row * ROW + (ROW - BAR) / 2;
  const isRunning = one.status === "running";
  const share = one.searches_total > 0 ? one.searches_ended / one.searches_total : 0;
  const name = one.name ?? one.category;
  const indent = one.status === "failed" ? 18 : 7;
  const fits = Math.floor((wide - indent - 7) / LETTER);
  return svg(
    "g",
    { class: "span", "data-status": one.status },
    svg("title", {}, `${name}: ${words(one.status)}, ${stretch(until - from)}, ${number(one.searches_ended)} of ${number(one.searches_total)} searched`),
    svg("rect", { class: "span-box", x, y, width: wide, height: BAR, rx: 3 }),
    isRunning && svg("rect", { class: "span-done", x, y, width: wide * share, height: BAR, rx: 3 }),
    one.status === "failed" && wide > 16 && svg("path", { class: "span-cross", d: `M${x + 6} ${y + 7}l6 6m0 -6l-6 6` }),
    fits >= 4 && svg("text", { x: x + indent, y: y + 14 }, name.length <= fits ? name : `${name.slice(0, fits - 1)}…`),
  );
}

function axis(from, until, scale, height, width) {
  const { step, marks } = timeMarks(from, until, Math.max(2, Math.floor(width / 110)));
  const text = step < 60_000 ? clock : step >= 86_400_000 ? (at) => when(at, 0) : hour;
  return marks.flatMap((at) => [
    svg("line", { class: "grid", x1: scale(at), x2: scale(at), y1: 0, y2: height + 5 }),
    scale(at) < width - 50 && svg("text", { class: "tick", x: scale(at) + 3, y: height + 19 }, text(at)),
  ]);
}

const tally = (categories) => {
  const counted = new Map(Object.keys(TONES).map((status) => [status, 0]));
  for (const one of categories) counted.set(one.status, (counted.get(one.status) ?? 0) + 1);
  return [...counted].filter(([, n]) => n > 0);
};

const described = (categories) =>
  `${count(categories.length, "category", "categories")} over time: ${tally(categories).map(([status, n]) => `${n} ${words(status)}`).join(", ")}. The table below has each.`;

export function drawLegend(categories) {
  keyed(
    byId("legend"),
    tally(categories),
    ([status]) => status,
    ([status]) => el("li", { "data-status": status }, el("span", { class: "swatch", "aria-hidden": "true" }), el("span")),
    (item, [status, n]) => setText(item.lastElementChild, `${number(n)} ${words(status)}`),
  );
}

/** Every category as a row; only drawn while the table is open. */
export function drawTable(categories, addressOf, now) {
  const shown = categories.slice(0, MOST_ROWS);
  keyed(byId("category-rows"), shown, (one) => one.category, rowOf, (row, one) => fillRow(row, one, addressOf, now));
  const more = categories.length - shown.length;
  setText(byId("categories-more"), more > 0 ? `${count(more, "more category", "more categories")} in the table collection_categories.` : "");
}

function rowOf(one) {
  const name = el("th", { scope: "row" }, el("span", {}, one.name ?? one.category), el("span", { class: "sub" }, one.department ?? ""));
  const state = el("td", {}, el("span", { class: "tag" }), el("span", { class: "sub" }));
  return el("tr", {}, name, state, ...Array.from({ length: 5 }, () => el("td", { class: "num" })), el("td", {}, el("p", { class: "links" })));
}

function statusText(one) {
  if (one.attempt <= 1) return capital(words(one.status));
  return one.status === "planned" ? `Waits for attempt ${one.attempt}` : `${capital(words(one.status))}, attempt ${one.attempt}`;
}

function fillRow(row, one, addressOf, now) {
  const [, state, products, searched, sellers, fresh, took, { firstElementChild: links }] = row.children;
  const began = moment(one.started_at);
  setText(state.firstElementChild, statusText(one));
  setAttribute(state.firstElementChild, "data-tone", TONES[one.status] ?? "rest");
  setText(state.lastElementChild, [one.reason && words(one.reason), one.error_message].filter(Boolean).join(": "));
  setText(products, number(one.products));
  setText(searched, one.searches_total ? `${number(one.searches_ended)} / ${number(one.searches_total)}` : "–");
  setText(sellers, number(one.sellers_found));
  setText(fresh, number(one.new_sellers));
  setText(took, began === null ? "–" : stretch((moment(one.ended_at) ?? now) - began));
  const run = addressOf.run(one.run_id);
  if (links.dataset.run === String(run)) return;
  links.dataset.run = String(run);
  links.replaceChildren(...(run ? [link("run", run), link("asset", addressOf.asset("ebay_listings", one.category))] : []));
}

export function drawCategories(categories, addressOf, now) {
  drawLegend(categories);
  show(byId("categories"), categories.length > 0);
  if (details("categories").open) drawTable(categories, addressOf, now);
}
