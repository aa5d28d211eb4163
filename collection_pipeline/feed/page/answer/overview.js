// The overview: how many sellers there are and what changed it, where new ones came from, what is left, what is wrong.

import { el, figures, link } from "../dom.js";
import { stateText } from "../overview.js";
import { count, date, moment, number, stretch, when, words } from "../format.js";
import { addressOf } from "./address.js";
import { answerTo } from "./asking.js";
import { bar, line } from "./plots.js";
import { headline, nothing, panel, sellers, to, toCollection } from "./parts.js";

const CAUSES = { collection: "collections", manual: "edits by hand", import: "imports" };

export async function draw(page, _values, signal) {
  const answer = await answerTo("overview", {}, signal);
  page.name("Overview");
  const list = el("dl", { class: "figures" });
  figures(list, figuresOf(answer));
  page.place.replaceChildren(
    headline("Overview", el("p", { class: "muted" }, answer.org_id === "default" ? "The seller list, and what changes it" : `The seller list of ${answer.org_id}`)),
    el("section", { class: "overview", "aria-label": "Figures" }, list),
    overTime(answer.points, page.width() - 42),
    el("div", { class: "columns" }, fromCategories(answer), el("div", { class: "side" }, quotas(answer), alerts(answer, page))),
  );
}

function figuresOf({ points, newest: [newest], next_collection: next, alerts, alerts_days: days }) {
  const last = points.at(-1);
  const monthAgo = Date.now() - 30 * 86_400_000;
  const month = points.findLast((one) => moment(one.taken_at) < monthAgo);
  // Before its first count a list held what that count did not find new.
  const before = month ? month.seller_count : Math.max(0, (points[0]?.seller_count ?? 0) - (points[0]?.new_sellers ?? 0));
  const gained = last ? last.seller_count - before : 0;
  const due = moment(next.due_at);
  return [
    { name: "Sellers on the list", value: number(last?.seller_count), remark: last ? `counted ${when(moment(last.taken_at), Date.now())}` : "nothing was counted yet", tone: "accent" },
    { name: "In 30 days", value: gained > 0 ? `+${number(gained)}` : number(gained), remark: !last ? "" : month ? `${number(before)} before` : `since its first count, ${date(moment(points[0].taken_at))}` },
    { name: "Newest collection", value: newest ? `${number(newest.new_sellers)} new` : "none", remark: newest ? `${stateText(newest.status)}, ${date(moment(newest.started_at))}` : "" },
    { name: "Next by schedule", value: due === null ? "never" : `in ${stretch(due - Date.now())}`, remark: due === null ? "" : `${next.preset}, ${when(due, Date.now())}, if the schedule is on` },
    { name: "Alerts", value: number(alerts.length), remark: `in ${days} days`, tone: alerts.length > 0 ? "warn" : null },
  ];
}

function overTime(points, width) {
  if (points.length === 0) return panel("Sellers over time", null, nothing("The first count is taken when a collection ends or somebody edits the list."));
  const shown = points.map((one) => ({ at: moment(one.taken_at), value: one.seller_count, kind: one.cause, text: `${date(moment(one.taken_at))}: ${sellers(one.seller_count)} after ${causeOf(one)}` }));
  const [first, last] = [points[0], points.at(-1)];
  const label = `Sellers on the list: ${number(first.seller_count)} on ${date(moment(first.taken_at))}, ${number(last.seller_count)} on ${date(moment(last.taken_at))}.`;
  const kinds = [...new Set(points.map((one) => one.cause))];
  return panel(
    "Sellers over time",
    null,
    el("ul", { class: "legend causes" }, ...kinds.map((kind) => el("li", { "data-kind": kind }, el("span", { class: "swatch", "aria-hidden": "true" }), CAUSES[kind] ?? kind))),
    line(shown, { width, label, isStepped: true }),
    el("details", {}, el("summary", {}, "Every change"), everyChange(points)),
  );
}

const causeOf = (point) =>
  point.collection_id ? `the collection ${point.collection_id}` : point.action ? `${words(point.action)} (${count(point.affected, "seller")}) by ${point.actor}` : words(point.cause);

function everyChange(points) {
  const rows = points.toReversed().map((one) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, when(moment(one.taken_at), Date.now())),
      el("td", {}, one.collection_id ? toCollection(one.collection_id) : causeOf(one)),
      el("td", { class: "num" }, number(one.seller_count)),
      el("td", { class: "num" }, one.collection_id && one.new_sellers > 0 ? to(`+${number(one.new_sellers)}`, "sellers", { new_in: one.collection_id, sort: "first_seen" }) : number(one.new_sellers)),
    ),
  );
  const heads = [["Counted"], ["Because of"], ["Sellers", "num"], ["New", "num"]].map(([text, kind]) => el("th", { scope: "col", class: kind }, text));
  return el("div", { class: "scroll-y", role: "region", "aria-label": "Every change of the list", tabindex: 0 }, el("table", {}, el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...rows)));
}

function fromCategories({ new_sellers: rows, new_sellers_days: days }) {
  const most = Math.max(1, ...rows.map((one) => one.new_sellers));
  const body = rows.map((one) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, to(one.name ?? one.category, "products", { category: one.category })),
      el("td", { class: "num" }, el("a", { href: addressOf("sellers", { category: one.category, since: sinceOf(days), sort: "first_seen" }) }, number(one.new_sellers))),
      el("td", { class: "share" }, bar(one.new_sellers / most)),
    ),
  );
  return panel("New sellers by category", `collections of the last ${days} days`, rows.length === 0 ? nothing("No collection has brought a new seller lately.") : el("table", {}, el("thead", { class: "visually-hidden" }, el("tr", {}, el("th", { scope: "col" }, "Category"), el("th", { scope: "col" }, "New sellers"), el("th", {}))), el("tbody", {}, ...body)));
}

const sinceOf = (days) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

function quotas({ quotas: rows }) {
  return panel(
    "Calls left today",
    "of all organisations together",
    el("ul", { class: "plain" }, ...rows.map((one) =>
      el("li", {}, el("span", {}, el("strong", {}, one.source === "ebay" ? "eBay" : "Oxylabs"), ` ${one.left === null ? "no limit" : `${number(Number(one.left))} of ${number(one.quota)}`}`), el("span", { class: "muted" }, `${number(Number(one.used))} used; anew in ${stretch(moment(one.renewed_at) - Date.now())}`)),
    )),
  );
}

function alerts({ alerts: rows, alerts_days: days }, page) {
  const told = rows.map((one) =>
    el(
      "li",
      {},
      el("p", {}, one.text),
      el("p", { class: "muted links" }, el("span", {}, when(moment(one.happened_at), Date.now())), !one.is_sent && el("span", {}, "not sent"), page.meta.dagster_url && link("In Dagster", page.meta.dagster_url + one.path)),
    ),
  );
  return panel("Alerts", `of the last ${days} days`, rows.length === 0 ? nothing("Nobody had to be told of anything.") : el("ul", { class: "alerts" }, ...told));
}
