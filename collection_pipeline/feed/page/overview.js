// The top of the page: where the collection stands, its figures, and what may be done about it.

import { byId, field, figures, setAttribute, setText, show } from "./dom.js";
import { amount, capital, clock, count, moment, number, roughly, stretch, when, words } from "./format.js";

const OPEN = ["running", "paused", "cancelling", "finishing"];

const STATES = {
  running: { text: "Running", tone: "work" },
  paused: { text: "Paused", tone: "warn" },
  cancelling: { text: "Cancelling", tone: "warn" },
  finishing: { text: "Finishing", tone: "work" },
  completed: { text: "Completed", tone: "done" },
  completed_with_errors: { text: "Completed with errors", tone: "warn" },
  failed: { text: "Failed", tone: "danger" },
  cancelled: { text: "Cancelled", tone: "rest" },
};

const MAY = {
  pause: ["running"],
  resume: ["paused", "cancelled", "failed", "completed_with_errors"],
  cancel: ["running", "paused"],
};

export const isOpen = (status) => OPEN.includes(status);

export const stateText = (status) => STATES[status]?.text ?? capital(words(status));

const tone = (status) => STATES[status]?.tone ?? "rest";

export function drawOverview({ progress, collection, meta, isBusy }, now) {
  const status = progress.status;
  setText(byId("title"), progress.collection_id);
  setText(byId("state-text"), stateText(status));
  setAttribute(byId("state"), "data-tone", tone(status));
  setText(byId("when"), timesOf(progress, now));
  const share = doneShare(progress);
  field("progress").value = String(Math.round(1000 * share));
  setAttribute(byId("progress"), "data-tone", tone(status));
  setText(byId("progress-label"), progressText(progress, share));
  figures(byId("figures"), figuresOf(progress, now));
  drawVerdict(progress, collection, now);
  show(byId("controls"), meta.may_control && Object.values(MAY).some((statuses) => statuses.includes(status)));
  for (const [name, statuses] of Object.entries(MAY)) {
    show(byId(name), statuses.includes(status));
    field(name).disabled = isBusy;
  }
}

function timesOf(progress, now) {
  const began = moment(progress.started_at);
  const ended = moment(progress.completed_at);
  if (ended === null) return `Started ${when(began, now)}, ${stretch(now - began)} ago`;
  return `Started ${when(began, now)}, ended ${when(ended, now)} after ${stretch(ended - began)}`;
}

const searchesEnded = (progress) => progress.searches_done + progress.searches_failed + progress.searches_skipped;

/** How much of it is done. The searches of categories that are not listed yet count as many as those of the others. */
export function doneShare(progress) {
  if (["completed", "completed_with_errors"].includes(progress.status)) return 1;
  const listed = Math.max(1, progress.categories_listed);
  const expected = (progress.searches_total * Math.max(listed, progress.categories_total)) / listed;
  return expected === 0 ? 0 : Math.min(1, searchesEnded(progress) / expected);
}

function progressText(progress, share) {
  const percent = share >= 1 ? "100 %" : `${Math.floor(100 * share)} %`;
  return `${percent} of the products are searched, ${progress.categories_done + progress.categories_failed} of ${count(progress.categories_total, "category", "categories")} ended`;
}

function figuresOf(progress, now) {
  const failed = progress.categories_failed;
  const perMinute = progress.searches_per_minute;
  const isSpent = progress.cost_cap !== null && Number(progress.cost) >= Number(progress.cost_cap);
  return [
    { name: "Departments", value: number(progress.departments) },
    {
      name: "Categories done",
      value: `${number(progress.categories_done)} / ${number(progress.categories_total)}`,
      remark: failed ? `${number(failed)} failed` : "",
      tone: failed ? "danger" : null,
    },
    { name: "Products", value: number(progress.products_found), remark: `${number(searchesEnded(progress))} searched` },
    {
      name: "Searches",
      value: perMinute && progress.status === "running" ? `${number(perMinute)} / min` : number(progress.searches_done),
      remark: searchRemark(progress),
    },
    ...sellerFigures(progress),
    {
      name: "Cost",
      value: amount(progress.cost),
      remark: progress.cost_cap === null ? count(progress.calls, "call") : `of ${amount(progress.cost_cap)} allowed`,
      tone: isSpent ? "warn" : null,
    },
    timeFigure(progress, now),
  ];
}

/** A category's sellers are merged into the list at its end: until the first has, nothing can be said about them. */
const areSellersKnown = (progress) => progress.listings_found === 0 || progress.categories_done > 0;

function sellerFigures(progress) {
  const listings = count(progress.listings_found, "listing");
  if (!areSellersKnown(progress)) {
    return [{ name: "Sellers found", value: "–", remark: `${listings}, not merged yet` }, { name: "New sellers", value: "–" }];
  }
  return [
    { name: "Sellers found", value: number(progress.sellers_found), remark: listings },
    { name: "New sellers", value: number(progress.new_sellers), tone: "accent" },
  ];
}

function searchRemark(progress) {
  const parts = [];
  if (progress.searches_failed) parts.push(`${number(progress.searches_failed)} failed`);
  if (progress.searches_skipped) parts.push(`${number(progress.searches_skipped)} skipped`);
  return parts.join(", ");
}

function timeFigure(progress, now) {
  const ended = moment(progress.completed_at);
  if (ended !== null) return { name: "Took", value: stretch(ended - moment(progress.started_at)) };
  if (progress.status === "paused") return { name: "Time left", value: "paused" };
  if (progress.time_left_s === null) return { name: "Time left", value: "not known yet" };
  const left_ms = 1000 * progress.time_left_s;
  return { name: "Time left", value: roughly(left_ms), remark: left_ms < 60_000 ? "" : `until about ${when(now + left_ms, now)}` };
}

function drawVerdict(progress, collection, now) {
  const verdict = VERDICTS[progress.status]?.(progress, collection, now) ?? null;
  show(byId("verdict"), verdict !== null);
  if (verdict === null) return;
  setAttribute(byId("verdict"), "data-tone", tone(progress.status));
  setText(byId("verdict-text"), verdict[0]);
  setText(byId("verdict-more"), verdict[1] ?? "");
}

/** What a state means, in a sentence or two. A collection that simply runs needs none. */
const VERDICTS = {
  paused: (progress, collection, now) => [
    collection?.paused_message || `Paused: ${words(progress.paused_reason)}.`,
    untilText(moment(progress.paused_until), now),
  ],
  cancelling: () => ["Its runs are stopping.", "What they have found is kept."],
  finishing: () => ["Every category has ended; the sellers on the list are being counted."],
  completed: (progress, collection) => [summary(progress), listText(collection)],
  completed_with_errors: (progress, collection) => [
    `${summary(progress)} ${failedText(progress)}`,
    `${listText(collection)} Resuming tries again what failed.`.trim(),
  ],
  failed: (progress) => ["Not one category was collected.", `${reasons(progress)} Resuming tries again what failed.`.trim()],
  cancelled: (progress) => ["Somebody cancelled it.", `${summary(progress)} What is missing can be resumed.`],
};

function untilText(until, now) {
  if (until === null) return "It goes on when somebody resumes it.";
  if (until <= now) return "It is about to go on.";
  return `It goes on by itself at ${until - now < 120_000 ? clock(until) : when(until, now)}, in ${stretch(until - now)}.`;
}

const summary = (progress) => !areSellersKnown(progress) ? "No category is at its end, so nothing is known of sellers." :
  `${count(progress.new_sellers, "new seller")} among ${number(progress.sellers_found)} that sell ${count(progress.products_found, "product")}.`;

const listText = (collection) =>
  collection?.seller_count_snapshot ? `The list holds ${count(collection.seller_count_snapshot, "seller")} now.` : "";

function failedText(progress) {
  const parts = [];
  if (progress.categories_failed) parts.push(count(progress.categories_failed, "category", "categories"));
  if (progress.searches_failed) parts.push(count(progress.searches_failed, "product"));
  return parts.length === 0 ? "" : `${parts.join(" and ")} failed.`;
}

export function reasons(progress) {
  const counted = Object.entries(progress.failures ?? {}).sort((a, b) => b[1] - a[1]);
  return counted.length === 0 ? "" : `Failed for good: ${counted.map(([kind, n]) => `${words(kind)} ${number(n)}`).join(", ")}.`;
}

/** The whole state in one sentence, for those who hear the page. */
export function spoken(progress) {
  return (
    `${stateText(progress.status)}. ${number(progress.categories_done)} of ` +
    `${count(progress.categories_total, "category", "categories")} done, ` +
    `${areSellersKnown(progress) ? count(progress.new_sellers, "new seller") : "sellers not merged yet"}.`
  );
}
