// All collections, newest first: what each found, what it took, and what failed.

import { el } from "../dom.js";
import { amount, count, moment, number, stretch } from "../format.js";
import { stateText } from "../overview.js";
import { change, values } from "./address.js";
import { answerTo } from "./asking.js";
import { day, headline, nothing, to, toCollection } from "./parts.js";
import { newIn } from "./sellers.js";
import { pager, table } from "./table.js";

/** @type {import("./table.js").Column[]} */
const COLUMNS = [
  { key: "id", label: "Collection", cell: (row) => [toCollection(row.collection_id), el("span", { class: "sub" }, row.preset ?? "chosen categories")], isHead: true },
  { key: "started", label: "Started", cell: (row) => day(row.started_at) },
  { key: "state", label: "State", cell: (row) => stateText(row.status) },
  { key: "took", label: "Took", cell: (row) => (row.completed_at === null ? "–" : stretch(moment(row.completed_at) - moment(row.started_at))), isNumber: true },
  { key: "categories", label: "Categories", cell: (row) => `${number(row.categories_done)} / ${number(row.categories)}`, isNumber: true },
  { key: "products", label: "Products", cell: (row) => number(row.products), isNumber: true },
  { key: "new", label: "New sellers", cell: (row) => (row.new_sellers > 0 ? newIn(row.collection_id, number(row.new_sellers)) : "0"), isNumber: true },
  { key: "list", label: "List after it", cell: (row) => number(row.seller_count), isNumber: true },
  { key: "calls", label: "Calls", cell: (row) => number(row.calls), isNumber: true },
  { key: "per_new", label: "Calls per new", cell: (row) => amount(row.calls_per_new_seller), isNumber: true },
  { key: "failures", label: "Failed", cell: (row) => failures(row), isNumber: true },
  { key: "compare", label: "Changes", cell: (row) => (row.before ? to("compare", "compare", { first: row.before, second: row.collection_id }, { "aria-label": `Compare ${row.collection_id} with ${row.before}` }) : "–") },
];

function failures(row) {
  const parts = [row.categories_failed && count(row.categories_failed, "category", "categories"), row.products_failed && count(row.products_failed, "product")].filter(Boolean);
  return parts.length === 0 ? "–" : el("span", { class: "tag", "data-tone": "danger" }, ...parts.map((one) => el("span", { class: "line" }, one)));
}

export async function draw(page, { after }, signal) {
  const { rows, next } = await answerTo("collections", { after }, signal);
  page.name("Collections");
  const shown = rows.map((row, place) => ({ ...row, before: rows[place + 1]?.collection_id }));
  const go = (place) => change({ after: place }) && page.draw();
  const found = rows.length === 0 ? [nothing("Nothing has been collected yet.")] : [table("Collections", COLUMNS, shown), pager(values().after, next, go)];
  page.place.replaceChildren(headline("Collections", el("p", { class: "muted" }, "Newest first")), ...found.filter(Boolean));
}
