// The page of the live feed: which collection is shown, what is asked of the server and when, and when to draw.
// Drawing happens at most four times a second, however much arrives; each part decides for itself what has changed.

import { Heard } from "./activity.js";
import { Refusal, get, isAbort, keepToken, now, post, takeTokenFromAddress, token } from "./api.js";
import { Feed, offerCategories } from "./cards.js";
import { byId, el, field, keyed, modal, onChange, setAttribute, setText, show, webAddress } from "./dom.js";
import { moment, number, when } from "./format.js";
import { activeRuns, drawLanes } from "./lanes.js";
import { drawOverview, isOpen, spoken, stateText } from "./overview.js";
import { drawFailures, drawSellers, drawSteps } from "./side.js";
import { Stream } from "./stream.js";
import { drawCategories, drawTimeline } from "./timeline.js";
import { WorkerDialog } from "./worker.js";

const FRAME_MS = 250;
const OPEN_POLL_MS = 2_000;
const ENDED_POLL_MS = 15_000; // an ended collection can be resumed, from anywhere
const LIST_POLL_MS = 10_000;
const EMPTY_POLL_MS = 3_000;
const METRICS_EVERY = 3; // of the polls of an open collection: counting events costs the most
const OLD_MS = 5_000; // an answer may be a few seconds old, because the server shares it among its readers
const SPEAK_EVERY_MS = 60_000;

const state = {
  meta: { dagster_url: null, may_control: false },
  collections: [],
  collectionId: null,
  progress: null,
  categories: [],
  askedAt: 0,
  metrics: null,
  snapshots: [],
  heard: new Heard(),
  link: { kind: "connecting" },
  refusal: null,
  needsToken: false,
  isBusy: false,
  names: new Map(),
};

let stream = null;
let asking = new AbortController();
let pollTimer = 0;
let listTimer = 0;
let polls = 0;
let spokenAt = 0;

const nameOf = (category) => state.names.get(category) ?? category;

const addressOf = {
  run: (runId) => (state.meta.dagster_url && runId ? `${state.meta.dagster_url}/runs/${encodeURIComponent(runId)}` : null),
  asset: (asset, category) => `${state.meta.dagster_url}/assets/${asset}?partition=${encodeURIComponent(category)}`,
};

const feed = new Feed(nameOf, schedule);
const dialog = new WorkerDialog(nameOf, schedule);

// ---- drawing -------------------------------------------------------------------------------------------------------

let drawnAt = -Infinity;
let isScheduled = false;

function schedule() {
  if (isScheduled) return;
  isScheduled = true;
  setTimeout(() => requestAnimationFrame(draw), Math.max(0, FRAME_MS - (performance.now() - drawnAt)));
}

function draw() {
  isScheduled = false;
  drawnAt = performance.now();
  drawLink();
  drawStage();
  if (state.progress === null || state.needsToken) return;
  const at = now();
  const collection = state.collections.find((one) => one.collection_id === state.collectionId);
  drawOverview({ progress: state.progress, collection, meta: state.meta, isBusy: state.isBusy }, at);
  drawTimes(Math.floor(at / (isOpen(state.progress.status) ? 2000 : 60_000)), state.askedAt, byId("timeline").clientWidth);
  drawCategories(state.categories, addressOf, at);
  const runs = isOpen(state.progress.status) ? activeRuns(state.categories, state.heard, state.askedAt) : [];
  drawLanes(runs, { addressOf, now: at, status: state.progress.status, openWorker });
  feed.draw(state.heard, state.link.kind === "connecting");
  drawSteps(state.heard, nameOf);
  if (state.metrics) drawFailures(state.metrics.failures, state.progress);
  drawCounts(state.snapshots, state.collectionId, byId("sellers").clientWidth);
  dialog.draw(state.metrics, at);
}

const drawTimes = onChange((_, __, width) => width > 0 && drawTimeline(state.categories, state.progress, now(), width));
const drawCounts = onChange((snapshots, collectionId, width) => width > 0 && drawSellers(snapshots, collectionId, now(), width));

/** Which of the page's stages is shown: loading, asking for the token, nothing there, or the board. */
function drawStage() {
  const isBoard = !state.needsToken && state.progress !== null;
  const isEmpty = !state.needsToken && !isBoard && (state.isMissing || state.isEmpty);
  show(byId("token-stage"), state.needsToken);
  show(byId("board"), isBoard);
  show(byId("empty"), Boolean(isEmpty));
  show(byId("loading"), !state.needsToken && !isBoard && !isEmpty);
  show(byId("picker"), !state.needsToken && state.collections.length > 0);
  setAttribute(byId("main"), "aria-busy", !state.needsToken && !isBoard && !isEmpty ? "true" : null);
  if (isEmpty) drawEmpty();
  const name = isBoard ? `${stateText(state.progress.status)}: ${state.collectionId}` : "Live activity";
  if (document.title !== name) document.title = name;
}

function drawEmpty() {
  setText(byId("empty-title"), state.isMissing ? "There is no such collection" : "Nothing has been collected yet");
  setText(
    byId("empty-text"),
    state.isMissing ? `No collection is called ${state.collectionId}.` : "Start the first collection in a terminal, or from its job in Dagster:",
  );
  show(byId("empty-command"), !state.isMissing);
  setText(byId("empty-hint"), state.isMissing ? "Choose another one above." : "It appears here by itself.");
}

const LINK_TEXTS = {
  connecting: () => "Connecting",
  live: () => "Live",
  broken: () => "Reconnecting",
  waiting: (link) => `Again in ${Math.max(0, Math.ceil((link.until - Date.now()) / 1000))} s`,
  ended: () => "Ended",
};

function drawLink() {
  const { link, refusal } = state;
  const kind = state.needsToken ? "locked" : state.isEmpty || state.isMissing ? "idle" : link.kind;
  setAttribute(byId("link-state"), "data-kind", kind);
  setText(byId("link-text"), kind === "locked" ? "Locked" : kind === "idle" ? "No stream" : LINK_TEXTS[kind](link));
  const sentence = state.needsToken ? null : troubleText(kind, link, refusal);
  show(byId("trouble"), sentence !== null);
  if (sentence !== null) setText(byId("trouble-text"), sentence);
  show(byId("retry"), kind === "waiting");
}

function troubleText(kind, link, refusal) {
  const after = link.lastId === null || link.lastId === undefined ? "" : ` Nothing is missed: it goes on after event ${number(Number(link.lastId))}.`;
  if (kind === "broken") return `The stream of events broke. Reconnecting.${after}`;
  if (kind === "waiting") return `The stream of events is down. ${LINK_TEXTS.waiting(link)}.${after}`;
  return refusal === null ? null : `${refusal} The figures below may be old.`;
}

/** Says something to those who hear the page. Only what matters: it is never used for single events. */
const announce = (sentence) => setText(byId("announcer"), sentence);

// ---- asking --------------------------------------------------------------------------------------------------------

/** Runs a request; what is refused becomes a state of the page. Returns undefined where there is no answer. */
async function answered(request) {
  try {
    const answer = await request;
    state.refusal = null;
    return answer;
  } catch (error) {
    if (isAbort(error)) return undefined;
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 401) askForToken();
    else state.refusal = error.message;
    return undefined;
  } finally {
    schedule();
  }
}

async function start() {
  clearTimeout(listTimer);
  const meta = await answered(get("/api/meta"));
  if (state.needsToken) return;
  if (meta === undefined) {
    listTimer = setTimeout(start, EMPTY_POLL_MS);
    return;
  }
  state.meta = { ...meta, dagster_url: webAddress(meta.dagster_url) };
  show(byId("simulated"), meta.has_simulated_data === true);
  show(byId("dagster"), state.meta.dagster_url !== null);
  setAttribute(byId("dagster"), "href", state.meta.dagster_url);
  await list();
}

/** The list of collections, again and again; the first one found is shown where none was chosen. */
async function list() {
  clearTimeout(listTimer);
  const answer = document.hidden && state.collections.length > 0 ? undefined : await answered(get("/api/collections?limit=50"));
  if (state.needsToken) return;
  if (answer !== undefined) {
    state.collections = answer.collections;
    state.isEmpty = answer.collections.length === 0;
    const wanted = new URL(location.href).searchParams.get("collection") ?? answer.collections[0]?.collection_id;
    if (state.collectionId === null && wanted !== undefined) choose(wanted);
    drawPicker();
  }
  listTimer = setTimeout(list, state.collectionId === null ? EMPTY_POLL_MS : LIST_POLL_MS);
}

function drawPicker() {
  const options = state.collections.map((one) => [one.collection_id, `${one.collection_id}, ${stateText(one.status).toLowerCase()}, ${when(moment(one.started_at), now())}`]);
  const isListed = options.some(([id]) => id === state.collectionId);
  if (!isListed && state.collectionId !== null) options.push([state.collectionId, state.collectionId]);
  keyed(byId("collections"), options, ([id]) => id, ([id]) => el("option", { value: id }), (option, [, text]) => setText(option, text));
  if (state.collectionId !== null) field("collections").value = state.collectionId;
  show(byId("newer"), state.collections.length > 0 && state.collections[0].collection_id !== state.collectionId);
}

/** Shows a collection, from the start. */
function choose(collectionId) {
  asking.abort();
  asking = new AbortController();
  stream?.close();
  dialog.close();
  stream = null;
  Object.assign(state, {
    collectionId,
    progress: null,
    categories: [],
    metrics: null,
    snapshots: [],
    heard: new Heard(),
    link: { kind: "connecting" },
    isMissing: false,
    names: new Map(),
  });
  field("filter-category").value = "";
  feed.reset();
  polls = 0;
  drawPicker();
  follow();
  poll();
  schedule();
}

function follow() {
  stream?.close();
  const heard = state.heard;
  stream = new Stream(`/collections/${encodeURIComponent(state.collectionId)}/activity`, {}, {
    onEvent: (event) => heard.take(event, now()) && schedule(),
    onStatus: (status) => tellStatus(status),
    onEnd: (status) => {
      tellStatus(status);
      state.endedAt = now();
      polls = 0; // the final figures, all of them
    },
    onLink,
  });
}

function onLink(link) {
  const before = state.link.kind;
  state.link = link;
  if (link.kind === "live" && link.isBack) announce("The stream of events is back. Nothing was missed.");
  else if (link.kind === "broken" && before === "live") announce("The stream of events broke. Reconnecting.");
  // Whoever is refused for want of a token only learns so from an ordinary request.
  if (link.kind === "waiting") poll();
  schedule();
}

function tellStatus(status) {
  if (state.progress !== null && state.progress.status !== status) announce(`The collection: ${stateText(status)}.`);
  poll();
}

async function poll() {
  clearTimeout(pollTimer);
  const { signal } = asking;
  if (!document.hidden || state.progress === null) await askAll(signal);
  if (signal.aborted || state.needsToken || state.isMissing) return;
  clearTimeout(pollTimer);
  const isLively = state.progress === null || isOpen(state.progress.status);
  pollTimer = setTimeout(poll, isLively ? OPEN_POLL_MS : ENDED_POLL_MS);
}

async function askAll(signal) {
  const address = `/api/collections/${encodeURIComponent(state.collectionId)}`;
  const askedAt = now();
  const isFull = polls % METRICS_EVERY === 0 || (state.progress !== null && !isOpen(state.progress.status));
  polls += 1;
  let answers;
  try {
    answers = await Promise.all([
      get(`${address}/progress`, signal),
      get(`${address}/categories`, signal),
      get(address, signal),
      isFull ? get(`${address}/metrics`, signal) : null,
    ]);
    const org = encodeURIComponent(answers[0].org_id);
    answers.push(isFull ? await get(`/api/seller-counts?limit=200&org_id=${org}`, signal) : null);
    state.refusal = null;
  } catch (error) {
    if (!isAbort(error) && !(error instanceof Refusal)) throw error;
    if (error instanceof Refusal && error.status === 404) missing();
    else await answered(Promise.reject(error));
    return;
  } finally {
    schedule();
  }
  if (!signal.aborted) take(answers, askedAt);
}

/** @param {any[]} answers */
function take([progress, { categories }, collection, metrics, counts], askedAt) {
  const before = state.progress;
  Object.assign(state, { progress, categories, askedAt, metrics: metrics ?? state.metrics, snapshots: counts?.snapshots ?? state.snapshots });
  const listed = state.collections.findIndex((one) => one.collection_id === collection.collection_id);
  if (listed === -1) state.collections.unshift(collection);
  else state.collections[listed] = collection;
  drawPicker();
  state.names = new Map(categories.map((one) => [one.category, one.name ?? one.category]));
  offerCategories([...new Set([...categories.filter((one) => one.started_at).map((one) => one.category), ...state.heard.categories()])].map((one) => [one, nameOf(one)]));
  if (before !== null && before.status !== progress.status) announce(spoken(progress));
  else if (isOpen(progress.status) && performance.now() - spokenAt > SPEAK_EVERY_MS) {
    spokenAt = performance.now();
    announce(spoken(progress));
  }
  // It had ended and was resumed: there is something to follow again.
  const isSure = before !== null && (!isOpen(before.status) || askedAt - state.endedAt > OLD_MS);
  if (state.link.kind === "ended" && isOpen(progress.status) && isSure) {
    state.link = { kind: "connecting" };
    stream.open();
  }
  schedule();
}

function missing() {
  state.isMissing = true;
  state.progress = null;
  stream?.close();
  schedule();
}

// ---- what people do ------------------------------------------------------------------------------------------------

function askForToken() {
  const wasGiven = token() !== null;
  keepToken(null);
  asking.abort();
  stream?.close();
  dialog.close();
  clearTimeout(listTimer);
  clearTimeout(pollTimer);
  if (!state.needsToken && wasGiven) setText(byId("token-error"), "The server does not accept this token.");
  state.needsToken = true;
  state.refusal = null;
  draw();
  byId("token").focus();
}

byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken(field("token").value.trim());
  field("token").value = "";
  setText(byId("token-error"), "");
  state.needsToken = false;
  state.collectionId = null;
  state.progress = null;
  start();
});

async function control(name) {
  state.isBusy = true;
  schedule();
  const answer = await answered(post(`/api/collections/${encodeURIComponent(state.collectionId)}/${name}`));
  state.isBusy = false;
  if (answer !== undefined) announce(answer.changed ? `Asked: ${name}.` : `Nothing to ${name}.`);
  await poll();
  if (document.activeElement === document.body) byId("title").focus();
}

function openWorker({ runId, category, workerId }) {
  dialog.open({ collectionId: state.collectionId, runId, category, workerId });
}

byId("pause").addEventListener("click", () => control("pause"));
byId("resume").addEventListener("click", () => control("resume"));
byId("cancel").addEventListener("click", () => modal("confirm").showModal());
byId("confirm-no").addEventListener("click", () => modal("confirm").close());
byId("confirm-yes").addEventListener("click", () => {
  modal("confirm").close();
  control("cancel");
});
byId("retry").addEventListener("click", () => stream?.hurry());
byId("collections").addEventListener("change", () => go(field("collections").value));
byId("newer").addEventListener("click", () => go(state.collections[0].collection_id));
byId("categories").addEventListener("toggle", schedule);

function go(collectionId) {
  const address = new URL(location.href);
  address.searchParams.set("collection", collectionId);
  history.pushState(null, "", address);
  choose(collectionId);
}

addEventListener("popstate", () => {
  const wanted = new URL(location.href).searchParams.get("collection") ?? state.collections[0]?.collection_id;
  if (wanted !== undefined && wanted !== state.collectionId) choose(wanted);
});
addEventListener("online", () => stream?.hurry());
addEventListener("resize", schedule);
document.addEventListener("visibilitychange", () => {
  if (document.hidden || state.needsToken || state.collectionId === null) return;
  poll();
  schedule();
});

takeTokenFromAddress();
setInterval(schedule, 1000);
schedule();
start();
