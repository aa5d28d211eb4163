// The seller list: searched, filtered, sorted, its columns chosen, all of it in the address.

import { isAbort } from "../api.js";
import { el, setText } from "../dom.js";
import { count, number } from "../format.js";
import { change, values } from "./address.js";
import { answerTo } from "./asking.js";
import { editor, notice, viewExporter } from "./editing.js";
import { button, MATCHES, categoryOptions, day, headline, labelled, matchText, nothing, select, to, toCollection, toSeller } from "./parts.js";
import { Selection } from "./selection.js";
import { columnChooser, pager, shownColumns, table } from "./table.js";

const FILTERS = ["q", "category", "new_in", "since", "min_products", "min_feedback", "min_feedback_percent", "min_match", "flagged", "exported", "status"];
const USUAL = { name: "asc", products: "desc", first_seen: "desc" };
const TYPING_MS = 250;

/** @type {import("./table.js").Column[]} */
const COLUMNS = [
  { key: "name", label: "Seller", cell: (row) => [toSeller(row), row.is_flagged && el("span", { class: "flag" }, "flagged"), row.status === "removed" && el("span", { class: "flag" }, "removed")].filter(Boolean), sort: "name", isHead: true },
  { key: "products", label: "Products", cell: (row) => number(row.product_count), sort: "products", isNumber: true, title: "Products it lists now" },
  { key: "best_sellers", label: "Best sellers", cell: (row) => number(row.best_sellers), isNumber: true, title: "Those that are on a category's present list" },
  { key: "categories", label: "Categories", cell: (row) => number(row.categories), isNumber: true },
  { key: "best_match", label: "Best match", cell: (row) => matchText(row.best_match), isNumber: true, title: "How likely the likeliest of its listings is the product it was found for" },
  { key: "matched", label: "Likely products", cell: (row) => number(row.matched_products), isNumber: true, isExtra: true, title: "Products that a listing of it matches at 50 % or more" },
  { key: "listings", label: "Listings", cell: (row) => number(row.listing_count), isNumber: true, isExtra: true },
  { key: "feedback", label: "Feedback", cell: (row) => number(row.feedback_score), isNumber: true },
  { key: "positive", label: "Positive", cell: (row) => (row.feedback_percent === null ? "–" : `${row.feedback_percent} %`), isNumber: true },
  { key: "first_seen", label: "On the list since", cell: (row) => day(row.first_seen_at), sort: "first_seen" },
  { key: "brought_by", label: "Brought by", cell: (row) => toCollection(row.first_collection_id) },
  { key: "last_seen", label: "Last seen", cell: (row) => day(row.last_seen_at), isExtra: true },
  { key: "exported", label: "Exported", cell: (row) => day(row.exported_at), isExtra: true },
  { key: "note", label: "Note", cell: (row) => row.note ?? "–", isExtra: true },
  { key: "key", label: "Key", cell: (row) => row.seller_key, isExtra: true },
];

const state = { choices: null, told: null, selection: new Selection(() => state.changed()), changed: () => {} };

export async function draw(page, _values, signal) {
  state.choices ??= await answerTo("choices", {}, signal);
  page.name("Sellers");
  const [results, counted, bar, told] = [el("div", { class: "results" }), el("p", { class: "muted" }), el("div", { class: "editing" }), el("div")];
  const filters = el("div");
  page.place.replaceChildren(headline("Sellers", counted), filters, told, results, bar);
  const redraw = () => drawRows(page, results, counted);
  const drawForm = () => filters.replaceChildren(form(redraw, drawForm));
  drawForm();
  state.changed = () => drawBar(page, bar, told, redraw);
  state.changed();
  await fill(page, results, counted, signal);
}

/** The filters. Typing asks after a moment, choosing at once; both begin at the first page. */
function form(redraw, again) {
  const present = values();
  let timer = 0;
  const set = (name, value, isTyped) => {
    clearTimeout(timer);
    const apply = () => change({ [name]: value, after: null }, { isReplaced: isTyped }) && redraw();
    if (isTyped) timer = setTimeout(apply, TYPING_MS);
    else apply();
  };
  const typed = (name, attributes) => {
    const made = el("input", { type: "search", autocomplete: "off", spellcheck: "false", value: present[name] ?? "", ...attributes });
    made.addEventListener("input", () => set(name, made.value.trim(), true));
    return made;
  };
  const chosen = (name, options) => {
    const made = select(options, present[name]);
    made.addEventListener("change", () => set(name, made.value, false));
    return made;
  };
  const pick = (name, any, yes, no) => chosen(name, [{ value: "", text: any }, { value: "yes", text: yes }, { value: "no", text: no }]);
  const collections = [{ value: "", text: "any" }, ...state.choices.collections.map((id) => ({ value: id, text: id }))];
  const since = el("input", { type: "date", value: present.since?.slice(0, 10) ?? "" });
  since.addEventListener("change", () => set("since", since.value, false));
  const clear = button("Clear", () => {
    if (change({ ...Object.fromEntries(FILTERS.map((name) => [name, null])), after: null })) redraw();
    again();
  }, { class: "quiet" });
  const isMore = ["min_products", "min_feedback", "min_feedback_percent", "min_match", "exported", "status"].some((name) => present[name]);
  return el(
    "form",
    { class: "finding", role: "search", "aria-label": "Find sellers" },
    el(
      "div",
      { class: "filters wide" },
      labelled("Name has a word that begins with", typed("q", { placeholder: "such as coffee" }), { class: "grow" }),
      labelled("Sells best sellers of", chosen("category", categoryOptions(state.choices.categories))),
      labelled("New in collection", chosen("new_in", collections)),
      labelled("New since", since),
      labelled("Flag", pick("flagged", "any", "flagged", "not flagged")),
      clear,
    ),
    el(
      "details",
      { open: isMore, class: "more" },
      el("summary", {}, "More filters"),
      el(
        "div",
        { class: "filters wide" },
        labelled("Products from", typed("min_products", { type: "number", min: 0 })),
        labelled("Feedback from", typed("min_feedback", { type: "number", min: 0 })),
        labelled("Positive from, in %", typed("min_feedback_percent", { type: "number", min: 0, max: 100, step: 0.1 })),
        labelled("Best match from", chosen("min_match", MATCHES)),
        labelled("Exported", pick("exported", "any", "before", "never")),
        labelled("On the list", chosen("status", [{ value: "", text: "active" }, { value: "removed", text: "removed" }, { value: "all", text: "both" }])),
      ),
    ),
  );
}

const presentFilter = () => {
  const present = values();
  return Object.fromEntries(FILTERS.map((name) => [name, present[name]]));
};

const drawRows = (page, results, counted) => page.ask((signal) => fill(page, results, counted, signal));

let filling = new AbortController();

/** Asks for the page that the address describes; an answer that was overtaken is not shown. */
async function fill(page, results, counted, signal) {
  filling.abort();
  filling = new AbortController();
  const mine = AbortSignal.any([signal, filling.signal]);
  results.setAttribute("aria-busy", "true");
  const present = values();
  const filter = presentFilter();
  const counting = answerTo("sellers/count", filter, mine).then((found) => tell(page, counted, found), (error) => isAbort(error) || setText(counted, ""));
  const { sort, direction, after } = present;
  const answer = await answerTo("sellers", { ...filter, sort, direction, after }, mine);
  results.replaceChildren(...resultsOf(page, answer, () => drawRows(page, results, counted)));
  results.removeAttribute("aria-busy");
  await counting;
}

function tell(page, place, { count: n, is_more: isMore }) {
  const text = isMore ? `More than ${number(n)} sellers` : count(n, "seller");
  setText(place, text);
  page.announce(text);
}

function resultsOf(page, { rows, next }, redraw) {
  const present = values();
  const sort = present.sort ?? "name";
  const direction = present.direction ?? USUAL[sort];
  const go = (after) => {
    change({ after });
    redraw().then(() => document.getElementById("title")?.scrollIntoView({ block: "start" }));
  };
  const choose = (wanted) => {
    const other = direction === "asc" ? "desc" : "asc";
    change({ sort: wanted === "name" ? null : wanted, direction: wanted === sort && other !== USUAL[sort] ? other : null, after: null });
    redraw();
  };
  const chooser = columnChooser(COLUMNS, present.columns, (columns) => {
    change({ columns }, { isReplaced: true });
    const old = document.querySelector(".results .scroll-x");
    old?.replaceWith(rowsOf(page, rows, sort, direction, choose));
  });
  if (rows.length === 0) return [chooser, nothing(present.after ? "There are no more." : "No seller fits. Take a filter away.")];
  return [chooser, rowsOf(page, rows, sort, direction, choose), pager(present.after, next, go)].filter(Boolean);
}

const rowsOf = (page, rows, sort, direction, choose) =>
  table("Sellers", shownColumns(COLUMNS, values().columns), rows, { sorting: { sort, direction, choose }, selection: page.meta.may_control ? state.selection : null });

function drawBar(page, place, told, redraw) {
  if (!page.meta.may_control) {
    place.replaceChildren(el("p", { class: "muted" }, "You may only look here. Open the page by the address that `up` prints to flag, export and remove sellers."));
    return;
  }
  const done = (what) => {
    state.selection.rows.clear();
    told.replaceChildren(notice(page, what, done));
    page.announce(what.text);
    state.changed();
    redraw();
  };
  const { size } = state.selection.rows;
  if (size === 0) place.replaceChildren(viewExporter(page, presentFilter, done));
  else if (place.querySelector(".chosen") === null) {
    const clear = () => {
      state.selection.clear();
      redraw();
    };
    place.replaceChildren(el("div", { class: "chosen" }, el("p", { class: "chosen-count" }), editor(page, () => state.selection.keys, done), button("Clear the selection", clear, { class: "quiet" })));
  }
  const text = place.querySelector(".chosen-count");
  if (text !== null) setText(text, `${count(size, "seller")} selected`);
}

export const newIn = (id, text) => to(text, "sellers", { new_in: id, sort: "first_seen" });
