// Best sellers with their price, the band that was searched, and what eBay asks for them.

import { el } from "../dom.js";
import { money, number } from "../format.js";
import { change, values } from "./address.js";
import { answerTo } from "./asking.js";
import { button, categoryOptions, headline, labelled, nothing, select, to } from "./parts.js";
import { spread } from "./plots.js";
import { pager, table } from "./table.js";

const TYPING_MS = 250;
const USUAL = { sellers: "desc", spread: "desc", position: "asc" };

/** @type {import("./table.js").Column[]} */
const COLUMNS = [
  { key: "position", label: "Rank", cell: (row) => number(row.position), sort: "position", isNumber: true },
  { key: "title", label: "Product", cell: (row) => [to(row.title, "product", { asin: row.asin }), el("span", { class: "sub" }, row.asin)], isHead: true },
  { key: "amazon", label: "At Amazon", cell: (row) => money(row.price, row.currency), isNumber: true },
  { key: "band", label: "Price band", cell: (row) => (row.band_low === null ? "–" : `${money(row.band_low, row.currency)} – ${money(row.band_high, row.currency)}`), isNumber: true },
  { key: "sellers", label: "Sellers", cell: (row) => number(row.sellers), sort: "sellers", isNumber: true },
  { key: "prices", label: "Prices on eBay", cell: spread, sort: "spread" },
  { key: "median", label: "Median", cell: (row) => money(row.price_median, row.currency), isNumber: true },
];

let choices = null;

export async function draw(page, present, signal) {
  choices ??= await answerTo("choices", {}, signal);
  page.name("Products");
  const results = el("div", { class: "results" });
  const redraw = () => page.ask((now) => fill(results, redraw, now));
  page.place.replaceChildren(headline("Products", el("p", { class: "muted" }, "Amazon's current best sellers, and who sells them on eBay")), form(present, redraw), legend(), results);
  await fill(results, redraw, signal);
}

function form(present, redraw) {
  let timer = 0;
  const words = el("input", { type: "search", autocomplete: "off", spellcheck: "false", value: present.q ?? "" });
  words.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => change({ q: words.value.trim(), after: null }, { isReplaced: true }) && redraw(), TYPING_MS);
  });
  const category = select(categoryOptions(choices.categories), present.category);
  // The rank is that of one list: without a category there is none to sort by.
  category.addEventListener("change", () => change({ category: category.value, after: null, sort: null, direction: null }) && redraw());
  const clear = button("Clear", () => {
    words.value = category.value = "";
    if (change({ q: null, category: null, after: null, sort: null, direction: null })) redraw();
  }, { class: "quiet" });
  return el("form", { class: "finding", role: "search", "aria-label": "Find products" }, el("div", { class: "filters wide" }, labelled("Title has a word that begins with", words, { class: "grow" }), labelled("On the list of", category), clear));
}

const legend = () =>
  el("ul", { class: "legend spreads", "aria-hidden": "true" }, ...[["band", "price band that was searched"], ["range", "lowest to highest price on eBay"], ["median", "median"], ["amazon", "price at Amazon"]].map(([kind, text]) => el("li", { "data-mark": kind }, el("span", { class: "swatch" }), text)));

let filling = new AbortController();

async function fill(results, redraw, signal) {
  filling.abort();
  filling = new AbortController();
  const { q, category, sort, direction, after } = values();
  const answer = await answerTo("products", { q, category, sort, direction, after }, AbortSignal.any([signal, filling.signal]));
  const present = sort ?? (category ? "position" : "sellers");
  const way = direction ?? USUAL[present];
  const choose = (wanted) => {
    const other = way === "asc" ? "desc" : "asc";
    change({ sort: wanted, direction: wanted === present ? other : null, after: null });
    redraw();
  };
  const go = (place) => change({ after: place }) && redraw();
  const columns = category ? COLUMNS : COLUMNS.map((one) => (one.key === "position" ? { ...one, label: "Best rank", sort: undefined } : one));
  if (answer.rows.length === 0) results.replaceChildren(nothing(after ? "There are no more." : "No best seller fits. Take a filter away."));
  else results.replaceChildren(...[table("Products", columns, answer.rows, { sorting: { sort: present, direction: way, choose } }), pager(after, answer.next, go)].filter(Boolean));
}
