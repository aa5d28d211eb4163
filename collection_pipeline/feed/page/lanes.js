// One lane per active run, with its five workers: what each does now, and for how long.

import { WORKERS, who, workerState } from "./activity.js";
import { byId, el, keyed, link, setAttribute, setText, show } from "./dom.js";
import { count, moment, number, stretch, words } from "./format.js";

const MOST_LANES = 25;
const MAY_BE_OLD_MS = 10_000; // the server's answers are shared by many readers

/** The runs that are active: those the tables say run, and those heard of since about when they were asked. */
export function activeRuns(categories, heard, askedAt) {
  const running = categories.filter((one) => one.status === "running" && one.run_id !== null);
  const known = new Set(categories.map((one) => one.run_id));
  const started = [...heard.runs.values()]
    .filter((run) => !known.has(run.runId) && moment(run.latest.timestamp) > askedAt - MAY_BE_OLD_MS)
    .map((run) => ({ category: run.latest.category, run_id: run.runId, isNew: true }));
  return [...running, ...started].map((one) => ({ ...one, run: heard.runs.get(one.run_id) }));
}

export function drawLanes(runs, { addressOf, now, status, openWorker }) {
  const shown = runs.slice(0, MOST_LANES);
  setText(byId("lanes-note"), runs.length === 0 ? "" : `${count(runs.length, "run")}, ${count(busy(runs, now), "worker")} at work`);
  show(byId("lanes-empty"), runs.length === 0);
  setText(byId("lanes-empty"), WHY_NONE[status] ?? "No run is active; this collection has ended.");
  keyed(byId("lanes"), shown, (one) => one.run_id, (one) => lane(one, addressOf, openWorker), (element, one) => fillLane(element, one, now));
}

const WHY_NONE = {
  running: "No run has started yet. Dagster starts the first within a few seconds.",
  paused: "Nothing runs while the collection is paused.",
  cancelling: "Its runs have stopped.",
  finishing: "Every run has ended.",
};

const busy = (runs, now) =>
  runs.reduce((sum, { run }) => sum + WORKERS.filter((id) => workerState(run?.workers.get(id), now).tone === "work").length, 0);

function lane(one, addressOf, openWorker) {
  const category = one.category;
  return el(
    "li",
    { class: "lane" },
    el(
      "div",
      { class: "lane-head" },
      el("h3", {}),
      el("p", { class: "muted" }),
      el(
        "p",
        { class: "links" },
        addressOf.run(one.run_id) && link("Run", addressOf.run(one.run_id)),
        addressOf.run(one.run_id) && link("Products", addressOf.asset("amazon_products", category)),
        addressOf.run(one.run_id) && link("Listings", addressOf.asset("ebay_listings", category)),
      ),
    ),
    el("ul", { class: "workers" }, ...WORKERS.map((id) => worker(one, id, openWorker))),
  );
}

function worker(one, id, openWorker) {
  const button = el(
    "button",
    { type: "button", class: "worker", "aria-haspopup": "dialog" },
    el("span", { class: "worker-id" }, el("span", { class: "visually-hidden" }, "Worker "), String(id)),
    el("span", { class: "worker-state" }),
    el("span", { class: "worker-time" }),
    el("span", { class: "worker-what" }),
  );
  button.addEventListener("click", () => openWorker({ runId: one.run_id, category: one.category, workerId: id }));
  return el("li", {}, button);
}

function fillLane(element, one, now) {
  const [title, text] = element.querySelector(".lane-head").children;
  setText(title, one.name ?? one.category);
  setText(text, laneText(one, now));
  WORKERS.forEach((id, place) => {
    const event = one.run?.workers.get(id);
    const state = workerState(event, now);
    const [, label, time, what] = element.lastElementChild.children[place].firstElementChild.children;
    setAttribute(element.lastElementChild.children[place].firstElementChild, "data-tone", state.tone);
    setText(label, state.label);
    setText(time, timeText(state, now));
    setText(what, whatText(event, state));
  });
}

function laneText(one, now) {
  const parts = [];
  if (one.searches_total) parts.push(`${number(one.searches_ended)} of ${number(one.searches_total)} searched`);
  else if (!one.isNew) parts.push("listing its best sellers");
  if (one.attempt > 1) parts.push(`attempt ${one.attempt}`);
  if (one.started_at) parts.push(stretch(now - moment(one.started_at)));
  return parts.join(", ");
}

/** For how long, or how long still: a wait counts down, everything else up. */
export function timeText(state, now) {
  if (state.since === null) return "";
  if (state.until === null) return stretch(now - state.since);
  const left_s = Math.ceil((state.until - now) / 1000);
  return left_s > 0 ? `again in ${left_s} s` : "again now";
}

function whatText(event, state) {
  if (event === undefined) return "";
  if (state.tone === "danger") return words(event.error_type);
  return state.label === "idle" ? "" : event.product_name ?? (event.api_params?.page ? `page ${event.api_params.page}` : "");
}

export const workerName = (workerId) => who({ worker_id: workerId }).replace(/^./, (letter) => letter.toUpperCase());
