// What can be done to selected sellers, where this server may control: flag, export, remove, and take it back.

import { byId, el, field, modal, setText } from "../dom.js";
import { count, number, words } from "../format.js";
import { edit, keepFile } from "./asking.js";
import { button, labelled, select } from "./parts.js";

const KEY = "collection-answer-actor";

const kept = () => {
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
};

function keep(name) {
  try {
    sessionStorage.setItem(KEY, name);
  } catch {
    // It is asked for again.
  }
}

/** A field for the name of who asks, kept for the session, and what does something under that name. */
export function nameField(page) {
  const input = el("input", { type: "text", value: kept(), maxlength: 100, autocomplete: "name", required: true });
  async function run(act) {
    const name = input.value.trim();
    if (name === "") {
      input.setCustomValidity("Say who asks: it stands in the log.");
      input.reportValidity();
      input.setCustomValidity("");
      return;
    }
    keep(name);
    await page.ask(() => act(name));
  }
  return { input, run };
}

/**
 * A bar of what can be done to `keys()`. `done` is told what was, with the number of the change; it draws anew.
 * @param {any} page
 * @param {() => string[]} keys
 * @param {(told: { text: string, auditId: number | null }) => void} done
 */
export function editor(page, keys, done, isFlagged = null) {
  const { input: actor, run: runAs } = nameField(page);
  const format = formats();

  const run = (act) => runAs(async (name) => done(await act(name)));

  const flag = (wanted) => run(async (name) => tell(await edit("flag", { keys: keys(), is_flagged: wanted, actor: name })));
  const remove = async () => {
    if (await confirmed(keys().length)) await run(async (name) => tell(await edit("remove", { keys: keys(), actor: name })));
  };
  const keepAs = () =>
    run(async (name) => ({ text: `${count(keys().length, "seller")} exported to ${await keepFile({ keys: keys(), format: format.value, actor: name })}.`, auditId: null }));

  return el(
    "div",
    { class: "editor", role: "group", "aria-label": "Do something to the selected sellers" },
    labelled("Your name, for the log", actor),
    isFlagged !== true && button("Flag", () => flag(true)),
    isFlagged !== false && button(isFlagged === null ? "Take flags away" : "Take the flag away", () => flag(false)),
    el("span", { class: "together" }, button("Export", keepAs), format),
    button("Remove…", remove, { class: "danger" }),
  );
}

/** What exports all of a view, with who asks and the format. `done` is told of it. */
export function viewExporter(page, filter, done) {
  const { input, run } = nameField(page);
  const format = formats();
  const keepAs = () => run(async (actor) => done({ text: `The view was exported to ${await keepFile({ whole_view: true, format: format.value, actor }, filter())}.`, auditId: null }));
  return el("details", { class: "more" }, el("summary", {}, "Export all of this view"), el("div", { class: "editor" }, labelled("Your name, for the log", input), el("span", { class: "together" }, button("Export the view", keepAs), format)));
}

const formats = () =>
  select([{ value: "csv", text: "CSV" }, { value: "xlsx", text: "Excel" }, { value: "json", text: "JSON" }, { value: "parquet", text: "Parquet" }], "csv", { "aria-label": "Format of the export" });

function tell(done) {
  return { text: `${count(done.affected, "seller")} ${words(done.action)}. The list holds ${number(done.seller_count)} now.`, auditId: done.audit_id };
}

/** What was done, with the way back. */
export function notice(page, told, done) {
  const undo = button("Undo", () => takeBack(page, told.auditId, done));
  return el("div", { class: "notice", "data-tone": "done", role: "status" }, el("p", {}, told.text), told.auditId !== null && undo);
}

/** Takes a change back. */
export const takeBack = (page, auditId, done) =>
  page.ask(async () => {
    const undone = await edit("undo", { audit_id: auditId, actor: kept() || "somebody" });
    done({ text: `Taken back: ${count(undone.affected, "seller")}. The list holds ${number(undone.seller_count)} now.`, auditId: null });
  });

function confirmed(number_) {
  setText(byId("confirm-title"), `Remove ${count(number_, "seller")}?`);
  setText(byId("confirm-text"), "Collections do not bring them back by themselves. It can be undone.");
  const dialog = modal("confirm");
  field("confirm-no").onclick = () => dialog.close("");
  field("confirm-yes").onclick = () => dialog.close("yes");
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}
