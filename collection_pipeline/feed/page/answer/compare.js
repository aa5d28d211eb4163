// Two collections compared: who came and who left, among the sellers that each of them saw.

import { el, figures } from "../dom.js";
import { count, date, moment, number } from "../format.js";
import { change, values } from "./address.js";
import { answerTo } from "./asking.js";
import { button, headline, labelled, nothing, panel, select, toSeller } from "./parts.js";
import { pager, table } from "./table.js";

/** @type {import("./table.js").Column[]} */
const COLUMNS = [
  { key: "name", label: "Seller", cell: (row) => (row.display_name === null ? row.seller_key : toSeller(row)), isHead: true },
  { key: "products", label: "Products now", cell: (row) => number(row.product_count), isNumber: true },
  { key: "feedback", label: "Feedback", cell: (row) => number(row.feedback_score), isNumber: true },
  { key: "status", label: "On the list", cell: (row) => row.status ?? "no" },
];

let choices = null;

export async function draw(page, present, signal) {
  choices ??= await answerTo("choices", {}, signal);
  page.name("Two collections compared");
  const [newest, before] = choices.collections;
  const first = present.first ?? before;
  const second = present.second ?? newest;
  if (first === undefined || second === undefined) {
    page.place.replaceChildren(headline("Two collections compared"), nothing("There have to be two collections to compare."));
    return;
  }
  const chosen = { first, second };
  const wanted = present.change === "left" ? "left" : "came";
  const [compared, { rows, next }] = await Promise.all([answerTo("compare", chosen, signal), answerTo("compare/sellers", { ...chosen, change: wanted, after: present.after }, signal)]);
  const list = el("dl", { class: "figures" });
  figures(list, figuresOf(compared));
  const go = (after) => change({ after }) && page.draw();
  page.place.replaceChildren(
    headline("Two collections compared"),
    form(page, chosen),
    ...differences(compared),
    el("section", { class: "overview", "aria-label": "Figures" }, list),
    panel(
      "Sellers",
      wanted === "came" ? `seen by ${second}, not by ${first}` : `seen by ${first}, not by ${second}`,
      switcher(page, wanted, compared),
      rows.length === 0 ? nothing(wanted === "came" ? "Nobody came." : "Nobody left.") : table("Sellers that changed", COLUMNS, rows, { isNarrow: true }),
      pager(values().after, next, go),
    ),
  );
}

function form(page, { first, second }) {
  const options = choices.collections.map((id) => ({ value: id, text: id }));
  const pick = (name, value) => {
    const made = select(options, value);
    made.addEventListener("change", () => change({ [name]: made.value, after: null }) && page.draw());
    return made;
  };
  return el("div", { class: "filters wide choosing" }, labelled("Earlier", pick("first", first)), labelled("Later", pick("second", second)));
}

const figuresOf = ({ first, second, came, left, stayed }) => [
  { name: "Came", value: number(came), remark: "only in the later one", tone: "accent" },
  { name: "Left", value: number(left), remark: "only in the earlier one" },
  { name: "Stayed", value: number(stayed), remark: "in both" },
  ...[first, second].map((one) => ({ name: one.collection_id, value: `${number(one.new_sellers)} new`, remark: `${date(moment(one.started_at))}, ${count(one.calls, "call")}` })),
];

/** Whoever was not looked for has not left: that is said before any figure. */
function differences({ first, second, only_in_first: a, only_in_second: b }) {
  if (a.length + b.length === 0) return [];
  const part = (one, names) => (names.length === 0 ? "" : `Only ${one.collection_id} looked at ${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${count(names.length - 5, "more category", "more categories")}` : ""}. `);
  return [el("div", { class: "notice", "data-tone": "warn" }, el("p", {}, `${part(first, a)}${part(second, b)}Part of the difference is only that.`))];
}

function switcher(page, wanted, compared) {
  const one = (name, text) => button(text, () => change({ change: name === "came" ? null : name, after: null }) && page.draw(), { "aria-pressed": String(wanted === name) });
  return el("div", { class: "row switcher", role: "group", "aria-label": "Which sellers" }, one("came", `Came (${number(compared.came)})`), one("left", `Left (${number(compared.left)})`));
}
