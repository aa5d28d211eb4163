// What the events mean: kept by kind so that a flood of one never hides another, with each worker's present state.

import { count, moment, words } from "./format.js";

const KEPT_PER_ACTION = 300; // of each of the eleven actions: trouble stays findable at 200 events a second
const KEPT_IDS = 20_000;
const KEPT_RUNS = 200;
const RESTS_AFTER_MS = 5_000;
const RATE_OVER_MS = 5_000;
const MOST_ARRIVALS = 10_000;

export const SYSTEM = 0;
export const WORKERS = [1, 2, 3, 4, 5];

const TROUBLE = ["rate_limited", "error", "paused"];
const STEPS = ["uploading", "deduped", "inserted", "updated", "paused", "resumed"];

/** The feed's filter by kind: which actions each choice shows. */
export const KINDS = {
  requests: ["fetching", "found"],
  finished: ["complete"],
  trouble: TROUBLE,
  steps: STEPS,
};

export const isTrouble = (event) => TROUBLE.includes(event.action);

/** Everything heard of one collection, bounded. */
export class Heard {
  constructor() {
    this.version = 0;
    this.total = 0;
    this.runs = new Map();
    this.byAction = new Map();
    this.ids = new Set();
    this.arrivals = [];
  }

  /** Takes in an event that arrived at the moment `at`; false if it was known. */
  take(event, at) {
    if (this.ids.has(event.id)) return false;
    this.ids.add(event.id);
    if (this.ids.size > KEPT_IDS) this.ids.delete(this.ids.values().next().value);
    this.version += 1;
    this.total += 1;
    // What happened before anybody looked says nothing about how much happens now.
    if (at - moment(event.timestamp) < RATE_OVER_MS) this.arrivals.push(performance.now());
    if (this.arrivals.length > MOST_ARRIVALS) this.arrivals.splice(0, MOST_ARRIVALS / 2);
    const kept = this.byAction.get(event.action) ?? [];
    this.byAction.set(event.action, kept);
    kept.push(event);
    if (kept.length > 2 * KEPT_PER_ACTION) kept.splice(0, kept.length - KEPT_PER_ACTION);
    this.see(event);
    return true;
  }

  see(event) {
    const run = this.runs.get(event.run_id) ?? { runId: event.run_id, workers: new Map() };
    this.runs.delete(event.run_id); // and set again, so that the map's order is that of the latest word
    this.runs.set(event.run_id, run);
    if (this.runs.size > KEPT_RUNS) this.runs.delete(this.runs.keys().next().value);
    const known = run.workers.get(event.worker_id);
    if (known === undefined || known.id < event.id) run.workers.set(event.worker_id, event);
    if (run.latest === undefined || run.latest.id < event.id) run.latest = event;
  }

  /** Events a second, over the last few seconds. */
  rate() {
    const since = performance.now() - RATE_OVER_MS;
    let first = 0;
    while (first < this.arrivals.length && this.arrivals[first] < since) first += 1;
    this.arrivals.splice(0, first);
    return this.arrivals.length / (RATE_OVER_MS / 1000);
  }

  /** The newest `most` events that a filter lets through, newest first. */
  newest(most, { kind = "", category = "", worker = "", text = "" } = {}) {
    const actions = KINDS[kind] ?? [...this.byAction.keys()];
    const needle = text.trim().toLowerCase();
    const fits = (event) =>
      (category === "" || event.category === category) &&
      (worker === "" || String(event.worker_id) === worker) &&
      (needle === "" || haystack(event).includes(needle));
    return actions
      .flatMap((action) => lastThat(this.byAction.get(action) ?? [], fits, most))
      .sort((a, b) => b.id - a.id)
      .slice(0, most);
  }

  /** What the pipeline did with what was found, newest first: its own steps, and workers who brought new sellers. */
  steps(most) {
    const brought = (event) => event.worker_id !== SYSTEM && event.new_sellers_count > 0;
    return [...this.newest(most, { kind: "steps" }), ...lastThat(this.byAction.get("complete") ?? [], brought, most)]
      .sort((a, b) => b.id - a.id)
      .slice(0, most);
  }

  categories() {
    return [...new Set([...this.runs.values()].map((run) => run.latest.category))];
  }
}

function lastThat(events, fits, most) {
  const found = [];
  for (let place = events.length - 1; place >= 0 && found.length < most; place -= 1) {
    if (fits(events[place])) found.push(events[place]);
  }
  return found;
}

const haystack = (event) =>
  [event.category, event.product_name, event.error_message, event.error_type, event.run_id, ...Object.values(event.api_params ?? {})]
    .join(" ")
    .toLowerCase();

const DOES = {
  amazon: { fetching: "searching products", found: "returning products" },
  ebay: { fetching: "searching sellers", found: "returning sellers" },
};

/** What a worker does now, by the latest word from it: a label, a tone, since when, and until when it waits. */
export function workerState(event, now) {
  if (event === undefined) return { label: "idle", tone: "rest", since: null, until: null };
  const since = moment(event.timestamp);
  const wait_ms = Number(event.api_params?.wait_ms);
  const until = Number.isFinite(wait_ms) && wait_ms > 0 ? since + wait_ms : null;
  switch (event.action) {
    case "fetching":
    case "found":
      return { label: DOES[event.phase]?.[event.action] ?? event.action, tone: "work", since, until: null };
    case "rate_limited":
      return { label: "rate-limited", tone: "warn", since, until };
    case "error":
      return { label: "error", tone: "danger", since, until };
    case "complete":
      return now - since < RESTS_AFTER_MS
        ? { label: "complete", tone: "done", since, until: null }
        : { label: "idle", tone: "rest", since, until: null };
    default:
      return { label: words(event.action), tone: "rest", since, until: null };
  }
}

export const who = (event) => (event.worker_id === SYSTEM ? "system" : `worker ${event.worker_id}`);

/** What happened, in a few words: the title of a card. */
export function title(event) {
  const isAmazon = event.phase === "amazon";
  switch (event.action) {
    case "fetching":
      return isAmazon ? "Searching products" : "Searching sellers";
    case "found":
      return isAmazon ? "Products returned" : "Sellers returned";
    case "rate_limited":
      return "Rate-limited";
    case "error":
      return `Error: ${words(event.error_type)}`;
    case "complete":
      return isAmazon ? "Best sellers complete" : "Product complete";
    default:
      return words(event.action).replace(/^./, (letter) => letter.toUpperCase());
  }
}

/** What the pipeline did with what was found, as a sentence. */
export function step(event, nameOf) {
  const of = nameOf(event.category);
  const items = event.items_count ?? event.new_sellers_count ?? 0;
  switch (event.action) {
    case "uploading":
      return `${count(items, "row")} of ${of} on the way to the list`;
    case "deduped":
      return `${count(items, "distinct seller")} left of ${of}`;
    case "complete":
    case "inserted":
      return `${count(event.new_sellers_count ?? items, "new seller")} from ${event.worker_id === SYSTEM ? of : `worker ${event.worker_id}, ${of}`}`;
    case "updated":
      return `${count(items, "known seller")} seen again in ${of}`;
    case "paused":
      return `${of} paused${event.error_message ? `: ${event.error_message}` : ""}`;
    case "resumed":
      return `${of} resumed`;
    default:
      return `${of}: ${words(event.action)}`;
  }
}

const ITEMS = {
  amazon: ["product", "products"],
  ebay: ["listing", "listings"],
};

/** The figures of a card, in a fixed order: what was found, its price band, how long it took, which attempt. */
export function facts(event) {
  const found = [];
  const band = priceBand(event.api_params ?? {});
  if (event.items_count !== null && event.items_count !== undefined) {
    const [one, many] = event.worker_id === SYSTEM ? ["row", "rows"] : ITEMS[event.phase] ?? ["item", "items"];
    found.push(count(event.items_count, one, many));
  }
  if (event.new_sellers_count) found.push(count(event.new_sellers_count, "new seller"));
  if (band) found.push(band);
  if (event.api_params?.page) found.push(`page ${event.api_params.page}`);
  return found;
}

export function priceBand(parameters) {
  if (parameters.band) return String(parameters.band);
  if (parameters.price_low === undefined && parameters.price_high === undefined) return null;
  return `${parameters.price_low ?? ""}–${parameters.price_high ?? ""} ${parameters.currency ?? ""}`.trim();
}

const SHOWN_ELSEWHERE = ["band", "page", "price_low", "price_high", "currency", "wait_ms"];

/** The parameters that no figure of the card says already. */
export const parameters = (event) =>
  Object.entries(event.api_params ?? {})
    .filter(([name]) => !SHOWN_ELSEWHERE.includes(name))
    .map(([name, value]) => `${name} ${value}`);
