// Making and changing elements. Text only ever arrives as text: nothing here or elsewhere parses markup.

const SVG = "http://www.w3.org/2000/svg";

/** The element of index.html with that id. @type {(id: string) => HTMLElement} */
export const byId = (id) => document.getElementById(id);

/** The same, for what holds a value. @type {(id: string) => HTMLInputElement} */
export const field = (id) => /** @type {HTMLInputElement} */ (byId(id));

/** The same, for a dialog. @type {(id: string) => HTMLDialogElement} */
export const modal = (id) => /** @type {HTMLDialogElement} */ (byId(id));

/** The same, for a section that opens. @type {(id: string) => HTMLDetailsElement} */
export const details = (id) => /** @type {HTMLDetailsElement} */ (byId(id));

/** An element with attributes and children; strings among the children become text. `null` attributes are left out. */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Sets text only where it differs, so that nothing is laid out or read out again without need. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

export function show(element, isShown) {
  if (element.hidden === isShown) element.hidden = !isShown;
}

/** Makes the children of `parent` those of `items`, in order: known keys keep their element, and with it their focus. */
export function keyed(parent, items, keyOf, make, update = (_child, _item) => {}) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const wanted = new Set(items.map((item) => String(keyOf(item))));
  for (const [key, child] of known) if (!wanted.has(key)) child.remove();
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let child = known.get(key);
    if (child === undefined) {
      child = make(item);
      child.dataset.key = key;
    }
    update(child, item);
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
}

/** Fills a <dl> with figures: a name, a value, and a smaller remark. */
export function figures(list, entries) {
  keyed(
    list,
    entries,
    (entry) => entry.name,
    (entry) => el("div", {}, el("dt", {}, entry.name), el("dd", { class: "value" }), el("dd", { class: "remark" })),
    (box, entry) => {
      setText(box.children[1], entry.value);
      setText(box.children[2], entry.remark ?? "");
      setAttribute(box, "data-tone", entry.tone ?? null);
    },
  );
}

/** Remembers what something was drawn from, and draws again only when that has changed. */
export function onChange(draw) {
  let drawn = null;
  return (...inputs) => {
    const print = JSON.stringify(inputs);
    if (print !== drawn) {
      drawn = print;
      draw(...inputs);
    }
  };
}

/** An address that may be followed, or null: whatever is not http or https could run something. */
export function webAddress(text) {
  const url = text && URL.canParse(text) ? new URL(text) : null;
  return url !== null && ["http:", "https:"].includes(url.protocol) ? text : null;
}

/** A link that leaves the page; only the text where the address may not be followed. */
export function link(text, address) {
  if (webAddress(address) === null) return el("span", {}, text);
  return el("a", { href: address, rel: "noopener noreferrer", target: "_blank", class: "out" }, text);
}
