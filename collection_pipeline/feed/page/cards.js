// The feed: the newest events as cards, bounded, filterable, and still while somebody reads.

import { facts, isTrouble, KINDS, parameters, title, who } from "./activity.js";
import { byId, el, field, keyed, setAttribute, setText, show } from "./dom.js";
import { clock, count, moment, number, took, words } from "./format.js";

const MOST_CARDS = 60;
const FAST = 20; // events a second, beyond which nobody reads along and the list changes once a second only
const SLOW_MS = 1000;

/** An event as a card. What never changes is made once; names are text. */
export function card(event, nameOf) {
  const figures = facts(event);
  const rest = parameters(event);
  return el(
    "li",
    { class: "card", "data-tone": toneOf(event) },
    el(
      "p",
      { class: "card-head" },
      el("span", { class: "card-title" }, title(event)),
      el("span", { class: "card-who" }, who(event)),
      el("time", { datetime: event.timestamp }, clock(moment(event.timestamp))),
    ),
    event.product_name && el("p", { class: "card-product" }, event.product_name),
    el("p", { class: "card-facts" }, ...[nameOf(event.category), ...figures, ...timing(event)].map((text) => el("span", {}, text))),
    event.error_message && el("p", { class: "card-error" }, event.error_message),
    rest.length > 0 && el("p", { class: "card-parameters" }, ...rest.map((text) => el("span", {}, text))),
  );
}

function timing(event) {
  const texts = [];
  if (event.duration_ms !== null && event.duration_ms !== undefined) texts.push(took(event.duration_ms));
  if (event.attempt) texts.push(`attempt ${event.attempt}`);
  if (event.api_params?.wait_ms) texts.push(`waits ${took(Number(event.api_params.wait_ms))}`);
  if (event.error_stage) texts.push(`${words(event.error_stage)} stage`);
  return texts;
}

function toneOf(event) {
  if (event.action === "error") return "danger";
  if (isTrouble(event)) return "warn";
  if (KINDS.steps.includes(event.action)) return "accent";
  return event.action === "complete" ? "done" : null;
}

export class Feed {
  constructor(nameOf, changed) {
    this.nameOf = nameOf;
    this.isHeld = false;
    this.reset();
    for (const id of ["filter-kind", "filter-category", "filter-worker", "filter-text"]) {
      byId(id).addEventListener("input", () => {
        this.isDirty = true;
        byId("feed-scroll").scrollTop = 0;
        changed();
      });
    }
    byId("hold").addEventListener("click", () => {
      this.isHeld = !this.isHeld;
      this.isDirty = true;
      changed();
    });
    byId("show-new").addEventListener("click", () => {
      this.isHeld = false;
      this.isDirty = true;
      byId("feed-scroll").scrollTop = 0;
      byId("feed-scroll").focus({ preventScroll: true });
      changed();
    });
    byId("feed-scroll").addEventListener("scroll", changed, { passive: true });
  }

  /** Forgets what was shown, for another collection. */
  reset() {
    this.drawnVersion = -1;
    this.drawnTotal = 0;
    this.drawnAt = 0;
    this.isDirty = true;
    byId("feed").replaceChildren();
  }

  draw(heard, isLoading) {
    const rate = heard.rate();
    const isStill = (this.isHeld || byId("feed-scroll").scrollTop > 24) && !this.isDirty;
    setAttribute(byId("hold"), "aria-pressed", this.isHeld);
    setText(byId("hold"), this.isHeld ? "Held" : "Hold");
    setText(byId("feed-note"), noteOf(heard, rate));
    const isTooSoon = rate > FAST && performance.now() - this.drawnAt < SLOW_MS && !this.isDirty;
    if (!isStill && !isTooSoon && (this.isDirty || heard.version !== this.drawnVersion)) this.drawCards(heard);
    const unseen = heard.total - this.drawnTotal;
    show(byId("show-new"), isStill && unseen > 0);
    setText(byId("show-new"), `${count(unseen, "new event")} since you stopped the feed: show`);
    const isEmpty = byId("feed").childElementCount === 0;
    show(byId("feed-empty"), isEmpty);
    if (isEmpty) setText(byId("feed-empty"), emptyText(heard, isLoading));
  }

  drawCards(heard) {
    const filter = {
      kind: field("filter-kind").value,
      category: field("filter-category").value,
      worker: field("filter-worker").value,
      text: field("filter-text").value,
    };
    keyed(byId("feed"), heard.newest(MOST_CARDS, filter), (event) => event.id, (event) => card(event, this.nameOf));
    this.isDirty = false;
    this.drawnVersion = heard.version;
    this.drawnTotal = heard.total;
    this.drawnAt = performance.now();
  }
}

function noteOf(heard, rate) {
  if (heard.total === 0) return "";
  const speed = rate >= 1 ? `, ${number(rate)} a second` : "";
  return `${count(heard.total, "event")} received${speed}; the newest ${MOST_CARDS} that fit are shown`;
}

const emptyText = (heard, isLoading) =>
  heard.total > 0
    ? "No event fits these filters."
    : isLoading
      ? "Waiting for the first events…"
      : "Nothing has been heard from this collection. Events are deleted after a while; the figures stay.";

/** Offers the categories that there are, and keeps the choice. */
export function offerCategories(names) {
  const select = byId("filter-category");
  const options = [["", "any"], ...names];
  keyed(select, options, ([category]) => category, ([category]) => el("option", { value: category }), (option, [, name]) => setText(option, name));
}
