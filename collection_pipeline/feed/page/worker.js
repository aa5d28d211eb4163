// One worker looked at closely: its state, its figures, and its own log from a stream of its own.

import { Heard, workerState } from "./activity.js";
import { now } from "./api.js";
import { card } from "./cards.js";
import { byId, figures, keyed, modal, setAttribute, setText, show } from "./dom.js";
import { capital, number, took } from "./format.js";
import { timeText, workerName } from "./lanes.js";
import { Stream } from "./stream.js";

const MOST_LINES = 100;

export class WorkerDialog {
  constructor(nameOf, changed) {
    this.nameOf = nameOf;
    this.changed = changed;
    this.shown = null;
    byId("worker-close").addEventListener("click", () => modal("worker").close());
    byId("worker").addEventListener("click", (event) => event.target === byId("worker") && modal("worker").close());
    byId("worker").addEventListener("close", () => this.forget());
  }

  /** Opens it for `{collectionId, runId, category, workerId}`. */
  open(worker) {
    this.forget();
    this.heard = new Heard();
    this.shown = worker;
    this.drawnVersion = -1;
    this.stream = new Stream(
      `/collections/${encodeURIComponent(worker.collectionId)}/activity`,
      { run_id: worker.runId, worker_id: worker.workerId },
      { onEvent: (event) => this.take(event) },
    );
    setText(byId("worker-title"), workerName(worker.workerId));
    setText(byId("worker-where"), `${this.nameOf(worker.category)}, run ${worker.runId.slice(0, 8)}`);
    byId("worker-log").replaceChildren();
    modal("worker").showModal();
    this.changed();
  }

  forget() {
    this.stream?.close();
    this.stream = null;
    this.shown = null;
  }

  close() {
    if (modal("worker").open) modal("worker").close();
  }

  take(event) {
    if (this.shown === null || event.run_id !== this.shown.runId || event.worker_id !== this.shown.workerId) return;
    if (this.heard.take(event, now())) this.changed();
  }

  draw(metrics, at) {
    if (this.shown === null) return;
    const { runId, workerId } = this.shown;
    const latest = this.heard.runs.get(runId)?.workers.get(workerId);
    const state = workerState(latest, at);
    const time = timeText(state, at);
    setText(byId("worker-now"), `${capital(state.label)}${time ? `, ${time}` : ""}`);
    setAttribute(byId("worker-now"), "data-tone", state.tone);
    figures(byId("worker-figures"), figuresOf(metrics?.workers.find((one) => one.run_id === runId && one.worker_id === workerId)));
    show(byId("worker-empty"), this.heard.total === 0);
    if (this.heard.version === this.drawnVersion) return;
    this.drawnVersion = this.heard.version;
    keyed(byId("worker-log"), this.heard.newest(MOST_LINES), (event) => event.id, (event) => card(event, this.nameOf));
  }
}

const figuresOf = (row) => [
  { name: "Products", value: number(row?.products) },
  { name: "Pages", value: number(row?.pages) },
  { name: "A page takes", value: row?.mean_ms ? took(row.mean_ms) : "–" },
  { name: "Rate-limited", value: number(row?.rate_limited), tone: row?.rate_limited ? "warn" : null },
  { name: "Errors", value: number(row?.errors), tone: row?.errors ? "danger" : null },
  { name: "New sellers", value: number(row?.new_sellers) },
];
