// The answer page: which view the address asks for, who may see it, and what is said when something is refused.

import { get, isAbort, keepToken, Refusal, takeTokenFromAddress, token } from "../api.js";
import { byId, field, setAttribute, setText, show, webAddress } from "../dom.js";
import { addressOf, values } from "./address.js";
import * as collections from "./collections.js";
import * as compare from "./compare.js";
import * as overview from "./overview.js";
import * as product from "./product.js";
import * as products from "./products.js";
import * as seller from "./seller.js";
import * as sellers from "./sellers.js";

const VIEWS = { overview, sellers, seller, products, product, collections, compare };
const BENEATH = { seller: "sellers", product: "products", compare: "collections" };

const view = location.pathname.split("/")[2] ?? "overview";
let asking = new AbortController();

/** What every view is given: what the server is, where to draw, and how to say and to ask something. */
const page = {
  meta: { dagster_url: null, may_control: false, has_simulated_data: false, org_id: "" },
  place: byId("view"),
  width: () => Math.max(280, byId("view").clientWidth),
  announce: (sentence) => setText(byId("announcer"), sentence),
  draw,
  ask,
  name: (title) => (document.title = `${title} · Answers`),
};

/** Draws the view of the present address, from the start. */
async function draw() {
  asking.abort();
  asking = new AbortController();
  setAttribute(byId("main"), "aria-busy", "true");
  await ask((signal) => VIEWS[view].draw(page, values(), signal));
  setAttribute(byId("main"), "aria-busy", null);
}

/** Does something that the server may refuse; what it does then stands at the top. Whether it did it. */
async function ask(act) {
  const { signal } = asking;
  try {
    await act(signal);
    show(byId("trouble"), false);
    return true;
  } catch (error) {
    if (isAbort(error) || signal.aborted) return false;
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 401) askForToken();
    else refuse(error.message);
    return false;
  }
}

function refuse(sentence) {
  setText(byId("trouble-text"), sentence);
  show(byId("trouble"), true);
  const loading = document.getElementById("loading");
  if (loading !== null) show(loading, false);
}

function askForToken() {
  if (token() !== null) setText(byId("token-error"), "The server does not accept this token.");
  keepToken(null);
  show(byId("token-stage"), true);
  show(byId("view"), false);
  byId("token").focus();
}

async function start() {
  const isKnown = await ask(async () => {
    const meta = await get("/api/meta");
    page.meta = { ...meta, dagster_url: webAddress(meta.dagster_url) };
  });
  if (!isKnown) return;
  show(byId("token-stage"), false);
  show(byId("view"), true);
  show(byId("simulated"), page.meta.has_simulated_data === true);
  show(byId("dagster"), page.meta.dagster_url !== null);
  setAttribute(byId("dagster"), "href", page.meta.dagster_url);
  await draw();
}

for (const link of byId("views").querySelectorAll("a")) {
  const name = link.dataset.view;
  link.href = addressOf(name);
  if (name === (BENEATH[view] ?? view)) link.setAttribute("aria-current", name === view ? "page" : "true");
}

byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken(field("token").value.trim());
  field("token").value = "";
  setText(byId("token-error"), "");
  start();
});
byId("retry").addEventListener("click", () => start());
addEventListener("popstate", () => draw());

takeTokenFromAddress();
start();
