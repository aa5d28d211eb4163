// Small pieces that several views are made of.

import { el } from "../dom.js";
import { count, date, moment } from "../format.js";
import { addressOf } from "./address.js";

/** A button that does something. */
export function button(text, act, attributes = {}) {
  const made = el("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", act);
  return made;
}

/** A link to another view. */
export const to = (text, view, given, attributes = {}) => el("a", { href: addressOf(view, given), ...attributes }, text);

export const toSeller = (row) =>
  to(row.display_name ?? row.seller_key, "seller", { key: row.seller_key, marketplace: row.marketplace === "ebay" ? null : row.marketplace });

export const toCollection = (id) => (id ? el("a", { href: `/?collection=${encodeURIComponent(id)}` }, id) : "–");

/** A day; the exact moment is its title. */
export function day(text) {
  const ms = moment(text);
  return ms === null ? "–" : el("time", { datetime: text, title: new Date(ms).toLocaleString() }, date(ms));
}

/** The head of a view. */
export function headline(title, ...more) {
  return el("div", { class: "headline" }, el("div", {}, el("h1", { id: "title", tabindex: -1 }, title), ...more));
}

let panels = 0;

/** A section with a heading. */
export function panel(title, note, ...children) {
  const id = `panel-${++panels}`;
  return el(
    "section",
    { class: "panel", "aria-labelledby": id },
    el("div", { class: "panel-head" }, el("h2", { id }, title), note && el("p", { class: "muted" }, note)),
    ...children,
  );
}

export const nothing = (text) => el("p", { class: "nothing" }, text);

/** A labelled field of a form. */
export function labelled(label, control, attributes = {}) {
  control.id ||= `field-${++panels}`;
  return el("div", attributes, el("label", { for: control.id }, label), control);
}

/** A choice of some values, each with its text; groups are lists of such pairs under a name. */
export function select(options, chosen, attributes = {}) {
  const made = el("select", attributes, ...options.map(optionOf));
  if (chosen && ![...made.options].some((one) => one.value === chosen)) made.append(el("option", { value: chosen }, chosen));
  made.value = chosen ?? "";
  return made;
}

const optionOf = (one) =>
  "group" in one ? el("optgroup", { label: one.group }, ...one.options.map(optionOf)) : el("option", { value: one.value }, one.text);

/** The categories that can be chosen, by department. */
export function categoryOptions(categories) {
  const groups = new Map();
  for (const one of categories) groups.set(one.department, [...(groups.get(one.department) ?? []), { value: one.category, text: one.name }]);
  return [{ value: "", text: "any" }, ...[...groups].map(([group, options]) => ({ group, options }))];
}

/** The least matches that can be chosen. */
export const MATCHES = [{ value: "", text: "any" }, ...[0.3, 0.5, 0.7, 0.9].map((least) => ({ value: String(least), text: `${100 * least} % or more` }))];

/** How likely a listing is the product, which may not be known. */
export const matchText = (match) => (match === null ? "–" : `${Math.round(100 * Number(match))} %`);

/** The same with the reasons below it. What a person said is one of them. */
export const matchCell = (row) => [matchText(row.match), row.match_reasons && el("span", { class: "sub" }, row.match_reasons)].filter(Boolean);

export const sellers = (n) => count(n, "seller");
