// Which sellers are selected, also across pages of the list.

import { el } from "../dom.js";

export class Selection {
  constructor(changed) {
    this.rows = new Map();
    this.changed = changed;
  }

  get keys() {
    return [...this.rows.keys()];
  }

  clear() {
    this.rows.clear();
    this.changed();
  }

  /** The box of one row. Removed sellers have none: there is nothing to do to them here. */
  box(row) {
    const box = el("input", { type: "checkbox", "aria-label": `Select ${row.display_name}`, checked: this.rows.has(row.seller_key), disabled: row.status !== "active" });
    box.addEventListener("change", () => {
      if (box.checked) this.rows.set(row.seller_key, row);
      else this.rows.delete(row.seller_key);
      this.changed();
    });
    return box;
  }

  /** The box of all rows of a page. */
  all(rows) {
    const active = rows.filter((row) => row.status === "active");
    const isWhole = active.length > 0 && active.every((row) => this.rows.has(row.seller_key));
    const box = el("input", { type: "checkbox", "aria-label": "Select all sellers of this page", checked: isWhole });
    box.addEventListener("change", () => {
      for (const row of active) {
        if (box.checked) this.rows.set(row.seller_key, row);
        else this.rows.delete(row.seller_key);
      }
      for (const one of box.closest("table").querySelectorAll("tbody .choose input:not(:disabled)")) one.checked = box.checked;
      this.changed();
    });
    return box;
  }
}
