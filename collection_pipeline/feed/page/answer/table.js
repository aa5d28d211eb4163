// A table of rows that come in pages: columns that can be chosen and sorted by, rows that can be selected.

import { el } from "../dom.js";
import { button } from "./parts.js";

/**
 * What a column is: how it is called, what a cell shows, and the name it is sorted by if it can be.
 * @typedef {{ key: string, label: string, cell: (row: any) => any, sort?: string, isNumber?: boolean, isExtra?: boolean,
 *             title?: string, isHead?: boolean }} Column
 */

/**
 * A table. `sorting` has the present sort and what to do when another is chosen, `selection` which rows are selected.
 * @param {string} name
 * @param {Column[]} columns
 * @param {any[]} rows
 * @param {{ sorting?: any, selection?: any, isNarrow?: boolean }} options
 */
export function table(name, columns, rows, { sorting = null, selection = null, isNarrow = false } = {}) {
  const heads = columns.map((column) => head(column, sorting));
  const body = rows.map((row) =>
    el("tr", {}, selection && el("td", { class: "choose" }, selection.box(row)), ...columns.map((column) => cell(column, row))),
  );
  const all = selection && el("th", { class: "choose", scope: "col" }, selection.all(rows));
  return el(
    "div",
    { class: "scroll-x", role: "region", "aria-label": name, tabindex: 0 },
    el("table", { class: isNarrow ? "rows narrow" : "rows" }, el("thead", {}, el("tr", {}, all, ...heads)), el("tbody", {}, ...body)),
  );
}

function head(column, sorting) {
  const attributes = { scope: "col", class: column.isNumber ? "num" : null, title: column.title };
  if (!sorting || !column.sort) return el("th", attributes, column.label);
  const isSorted = sorting.sort === column.sort;
  const arrow = isSorted ? (sorting.direction === "desc" ? " ↓" : " ↑") : "";
  const made = button(column.label, () => sorting.choose(column.sort), { class: "sort", "aria-pressed": null });
  made.append(el("span", { "aria-hidden": "true" }, arrow));
  const order = isSorted ? (sorting.direction === "desc" ? "descending" : "ascending") : null;
  return el("th", { ...attributes, "aria-sort": order }, made);
}

function cell(column, row) {
  const content = column.cell(row);
  const tag = column.isHead ? "th" : "td";
  return el(tag, { scope: column.isHead ? "row" : null, class: column.isNumber ? "num" : null, "data-column": column.key }, ...[content].flat());
}

/** Which columns are shown: those of the address, or those that are shown unless others are chosen. */
export function shownColumns(columns, chosen) {
  const keys = chosen ? chosen.split(",") : columns.filter((one) => !one.isExtra).map((one) => one.key);
  return columns.filter((one) => one.isHead || keys.includes(one.key));
}

/** A list of boxes, one per column. `changed` is given the value for the address; null is the usual choice. */
export function columnChooser(columns, chosen, changed) {
  const shown = new Set(shownColumns(columns, chosen).map((one) => one.key));
  const boxes = columns
    .filter((one) => !one.isHead)
    .map((column) => {
      const box = el("input", { type: "checkbox", value: column.key, checked: shown.has(column.key) });
      box.addEventListener("change", () => {
        if (box.checked) shown.add(column.key);
        else shown.delete(column.key);
        const keys = columns.filter((one) => shown.has(one.key)).map((one) => one.key);
        const isUsual = columns.every((one) => one.isHead || shown.has(one.key) === !one.isExtra);
        changed(isUsual ? null : keys.join(","));
      });
      return el("label", { class: "box" }, box, column.label);
    });
  return el("details", { class: "chooser" }, el("summary", {}, "Columns"), el("fieldset", {}, el("legend", { class: "visually-hidden" }, "Columns that are shown"), ...boxes));
}

/** The way to the next page and back to the first. `go` is given the place where a page begins, or null. */
export function pager(after, next, go) {
  if (!after && next === null) return null;
  return el(
    "nav",
    { class: "pager", "aria-label": "Pages" },
    button("First page", () => go(null), { disabled: !after }),
    button("Next page", () => go(next), { disabled: next === null, class: "next" }),
  );
}
