// One seller: what it sells, what became of it, and who sells the same.

import { el, figures, link } from "../dom.js";
import { count, date, moment, money, number, when, words } from "../format.js";
import { change, values } from "./address.js";
import { answerTo } from "./asking.js";
import { editor, notice, takeBack } from "./editing.js";
import { MATCHES, button, day, headline, labelled, matchCell, matchText, nothing, panel, select, to, toCollection, toSeller } from "./parts.js";
import { pager, table } from "./table.js";

/** @type {import("./table.js").Column[]} */
const LISTINGS = [
  { key: "title", label: "Listing", cell: (row) => [link(row.title, row.url), row.gone_at && el("span", { class: "sub" }, `gone since ${date(moment(row.gone_at))}`)].filter(Boolean), isHead: true },
  { key: "product", label: "Product", cell: (row) => to(row.product_title ?? row.asin, "product", { asin: row.asin }) },
  { key: "price", label: "Price", cell: (row) => money(row.price, row.currency), isNumber: true },
  { key: "amazon", label: "At Amazon", cell: (row) => money(row.product_price, row.currency), isNumber: true },
  { key: "match", label: "Match", cell: matchCell, title: "How likely the listing is the product, and why" },
  { key: "first_seen", label: "First seen", cell: (row) => day(row.first_seen_at) },
  { key: "last_seen", label: "Last seen", cell: (row) => day(row.last_seen_at) },
];

/** @type {import("./table.js").Column[]} */
const OVERLAP = [
  { key: "name", label: "Seller", cell: toSeller, isHead: true },
  { key: "shared", label: "In common", cell: (row) => number(row.shared), isNumber: true },
  { key: "products", label: "Of its products", cell: (row) => number(row.products), isNumber: true },
];

const MOST_CATEGORIES = 12;

let told = null;

export async function draw(page, { key, marketplace, after, min_match }, signal) {
  const who = { key, marketplace };
  const [profile, listings] = await Promise.all([answerTo("seller", who, signal), answerTo("seller/listings", { ...who, after, min_match, limit: 20 }, signal)]);
  const { seller } = profile;
  page.name(seller.display_name);
  const list = el("dl", { class: "figures" });
  figures(list, figuresOf(seller));
  const done = (what) => {
    told = what;
    page.announce(what.text);
    page.draw();
  };
  page.place.replaceChildren(
    headline(seller.display_name, el("p", { class: "muted links" }, el("span", {}, stateOf(seller)), !seller.seller_key.startsWith("anon-") && link("Its page at eBay", `https://www.ebay.com/usr/${encodeURIComponent(seller.seller_key)}`), seller.note && el("span", {}, seller.note))),
    ...(told ? [notice(page, told, done)] : []),
    el("section", { class: "overview", "aria-label": "Figures" }, list),
    ...(page.meta.may_control && seller.status === "active" ? [editor(page, () => [seller.seller_key], done, seller.is_flagged)] : []),
    listingsPanel(page, seller, listings),
    el("div", { class: "columns" }, el("div", { class: "side" }, overlap(profile), past(page, profile.past, done)), categories(profile.categories)),
  );
  told = null;
}

const stateOf = (seller) => (seller.status === "removed" ? "Removed from the list" : seller.is_flagged ? "On the list, flagged" : "On the list");

const figuresOf = (seller) => [
  { name: "Products", value: number(seller.product_count), remark: count(seller.listing_count, "listing"), tone: "accent" },
  { name: "Best sellers", value: number(seller.best_sellers), remark: `in ${count(seller.categories, "category", "categories")}` },
  { name: "Best match", value: matchText(seller.best_match), remark: `${count(seller.matched_products, "likely product")}` },
  { name: "Feedback", value: number(seller.feedback_score), remark: seller.feedback_percent === null ? "" : `${seller.feedback_percent} % positive` },
  { name: "On the list since", value: date(moment(seller.first_seen_at)), remark: seller.first_collection_id ?? "added by hand" },
  { name: "Last seen", value: date(moment(seller.last_seen_at)), remark: seller.last_collection_id ?? "" },
  { name: "Exported", value: seller.exported_at === null ? "never" : date(moment(seller.exported_at)) },
];

function listingsPanel(page, seller, { rows, next }) {
  const go = (after) => change({ after }) && page.draw();
  const least = values().min_match;
  const filter = select(MATCHES, least);
  filter.addEventListener("change", () => change({ min_match: filter.value, after: null }) && page.draw());
  const chooser = el("div", { class: "filters" }, labelled("Match from", filter));
  if (rows.length === 0) return panel("Listings", null, least && chooser, nothing(least ? "No listing matches as much." : "No listing of it is known."));
  return panel("Listings", count(seller.listing_count, "current one"), chooser, table("Listings of this seller", LISTINGS, rows), pager(values().after, next, go));
}

function past(page, states, done) {
  if (states.length === 0) return panel("Its past", null, nothing("Nothing is known of it from before the list kept a log."));
  const rows = states.map((one) =>
    el(
      "li",
      {},
      el("p", {}, el("strong", {}, capitalised(one.action)), ` by ${one.actor}`, one.detail && ` (${one.detail})`),
      el("p", { class: "muted links" }, el("span", {}, when(moment(one.changed_at), Date.now())), one.collection_id && toCollection(one.collection_id), el("span", {}, describe(one)), page.meta.may_control && one.can_be_undone && button("Undo", () => takeBack(page, one.audit_id, done), { class: "quiet small", "aria-label": `Undo change ${one.audit_id}` })),
    ),
  );
  return panel("Its past", "newest first", el("ol", { class: "past" }, ...rows));
}

const capitalised = (action) => words(action).replace(/^./, (letter) => letter.toUpperCase());

const describe = (one) => `then ${one.status}${one.is_flagged ? ", flagged" : ""}, called ${one.display_name}${one.note ? `, noted: ${one.note}` : ""}`;

function categories(rows) {
  const items = rows.map((one) => el("li", {}, to(one.name ?? one.category, "products", { category: one.category }), el("span", { class: "muted" }, count(one.best_sellers, "best seller"))));
  if (rows.length === 0) return panel("Categories", null, nothing("It sells no current best seller."));
  const rest = items.slice(MOST_CATEGORIES);
  const more = rest.length > 0 && el("details", {}, el("summary", {}, `${rest.length} more`), el("ul", { class: "plain" }, ...rest));
  return panel("Categories", null, el("ul", { class: "plain" }, ...items.slice(0, MOST_CATEGORIES)), more);
}

function overlap({ overlap: rows, compared_products: most, seller }) {
  const note = seller.product_count > most ? `over its first ${number(most)} products` : "products in common";
  return panel("Who sells the same", note, rows.length === 0 ? nothing("Nobody on the list sells any of its products.") : table("Sellers of the same products", OVERLAP, rows, { isNarrow: true }));
}
