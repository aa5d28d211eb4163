// One product: its prices, its rank over time, and its listings.

import { el, figures, link } from "../dom.js";
import { count, date, moment, money, number } from "../format.js";
import { change, values } from "./address.js";
import { answerTo } from "./asking.js";
import { MATCHES, day, headline, labelled, matchCell, nothing, panel, select, to, toSeller } from "./parts.js";
import { judging } from "./judging.js";
import { line, spread } from "./plots.js";
import { pager, table } from "./table.js";

/** @type {import("./table.js").Column[]} */
const LISTINGS = [
  { key: "title", label: "Listing", cell: (row) => [link(row.title, row.url), row.gone_at && el("span", { class: "sub" }, `gone since ${date(moment(row.gone_at))}`)].filter(Boolean), isHead: true },
  { key: "seller", label: "Seller", cell: (row) => toSeller({ ...row, display_name: row.seller_name }) },
  { key: "price", label: "Price", cell: (row) => money(row.price, row.currency), sort: "price", isNumber: true },
  { key: "feedback", label: "Feedback", cell: (row) => number(row.feedback_score), isNumber: true },
  { key: "match", label: "Match", cell: matchCell, sort: "match", title: "How likely the listing is the product, and why" },
  { key: "first_seen", label: "First seen", cell: (row) => day(row.first_seen_at) },
  { key: "last_seen", label: "Last seen", cell: (row) => day(row.last_seen_at) },
];

export async function draw(page, { asin, after, sort, min_match }, signal) {
  const [{ product, history }, listings] = await Promise.all([answerTo("product", { asin }, signal), answerTo("product/listings", { asin, after, sort, min_match }, signal)]);
  page.name(product.title);
  const list = el("dl", { class: "figures" });
  figures(list, figuresOf(product));
  page.place.replaceChildren(
    headline(product.title, el("p", { class: "muted links" }, el("span", {}, product.asin), link("Its page at Amazon", product.url), ...product.categories.map((one) => to(one, "products", { category: one })))),
    el("section", { class: "overview", "aria-label": "Figures" }, list, el("div", { class: "spread-large" }, spread(product))),
    ranks(history, page.width() - 42),
    listingsPanel(page, asin, listings),
  );
}

function listingsPanel(page, asin, { rows, next }) {
  const { sort = "price", min_match: least, after } = values();
  const show = (changes) => change({ after: null, ...changes }) && page.draw();
  const filter = select(MATCHES, least);
  filter.addEventListener("change", () => show({ min_match: filter.value }));
  const judge = page.meta.may_control ? judging(page, asin, (text) => {
    page.announce(text);
    page.draw();
  }) : null;
  const chooser = el("div", { class: "filters" }, labelled("Match from", filter), judge?.field);
  if (rows.length === 0) return panel("Listings", null, least && chooser, nothing(least ? "No listing matches as much." : "No listing of it is known."));
  const columns = judge ? [...LISTINGS, judge.column] : LISTINGS;
  const sorting = { sort, direction: sort === "match" ? "desc" : "asc", choose: (wanted) => show({ sort: wanted === "price" ? null : wanted }) };
  return panel("Listings", sort === "match" ? "likeliest first" : "cheapest first", chooser, table("Listings of this product", columns, rows, { sorting }), pager(after, next, (place) => change({ after: place }) && page.draw()));
}

const figuresOf = (product) => [
  { name: "Sellers on eBay", value: number(product.sellers), remark: count(product.listings, "listing"), tone: "accent" },
  { name: "At Amazon", value: money(product.price, product.currency), remark: `rank ${number(product.position)} of ${product.category}` },
  { name: "Price band", value: product.band_low === null ? "–" : money(product.band_low, product.currency), remark: product.band_high === null ? "not searched yet" : `to ${money(product.band_high, product.currency)}` },
  { name: "Lowest", value: money(product.price_low, product.currency) },
  { name: "Median", value: money(product.price_median, product.currency) },
  { name: "Highest", value: money(product.price_high, product.currency) },
];

function ranks(history, width) {
  if (history.length === 0) return panel("Rank over time", null, nothing("It has not been on a list that was kept."));
  const categories = [...new Set(history.map((one) => one.category))];
  const plots = categories.flatMap((category) => {
    const places = history.filter((one) => one.category === category);
    const [first, last] = [places[0], places.at(-1)];
    const label = `Rank on the list of ${category}: ${number(first.position)} on ${date(moment(first.seen_at))}, ${number(last.position)} on ${date(moment(last.seen_at))}.`;
    const points = places.map((one) => ({ at: moment(one.seen_at), value: one.position, kind: "collection", text: `${date(moment(one.seen_at))}: rank ${one.position}, ${money(one.price, "USD")}` }));
    return [el("p", { class: "muted" }, category), line(points, { width, height: 150, label, isInverted: true })];
  });
  return panel("Rank over time", "1 is on top", ...plots);
}
