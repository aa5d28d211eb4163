// What people say of a product's listings, where this server may control: that they are the product, or are not.

import { el } from "../dom.js";
import { judge } from "./asking.js";
import { nameField } from "./editing.js";
import { button, labelled } from "./parts.js";

const isJudged = (row) => /^(confirmed|rejected) by /.test(row.match_reasons ?? "");

/**
 * A column of buttons, and the field for the name of who says so. `done` is told what was said, and draws anew.
 * @param {any} page
 * @param {string} asin
 * @param {(text: string) => void} done
 */
export function judging(page, asin, done) {
  const { input, run } = nameField(page);
  const say = (row, verdict, text) => run(async (actor) => {
    await judge({ asin, keys: [row.listing_id], verdict, actor });
    done(`${text}: ${row.title}`);
  });
  const buttons = (row) => (isJudged(row)
    ? [button("Take back", () => say(row, "undo", "Taken back"), { class: "quiet small", "aria-label": `Take back what was said of ${row.title}` })]
    : [
        button("It is", () => say(row, "confirm", "Confirmed"), { class: "quiet small", "aria-label": `${row.title} is the product` }),
        button("It is not", () => say(row, "reject", "Rejected"), { class: "quiet small", "aria-label": `${row.title} is not the product` }),
      ]);
  return {
    field: labelled("Your name, for the log", input),
    column: { key: "judge", label: "Is it the product?", cell: (row) => el("span", { class: "together" }, ...buttons(row)) },
  };
}
