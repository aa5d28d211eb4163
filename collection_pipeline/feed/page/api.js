// Asking the server. The token, where there is one, lives in this tab only and never stays in the address bar.

const KEY = "collection-feed-token";

export class Refusal extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

let inMemory = null; // for browsers that forbid pages to keep anything

export function token() {
  try {
    return sessionStorage.getItem(KEY) ?? inMemory;
  } catch {
    return inMemory;
  }
}

export function keepToken(value) {
  inMemory = value;
  try {
    if (value === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, value);
  } catch {
    // It stays in memory until the page is left.
  }
}

/** Takes the token out of the address bar, and so out of bookmarks, histories and screenshots. */
export function takeTokenFromAddress() {
  const address = new URL(location.href);
  const given = address.searchParams.get("token");
  if (given === null) return;
  address.searchParams.delete("token");
  history.replaceState(history.state, "", address);
  if (given !== "") keepToken(given);
}

/** How far the server's clock is ahead of ours, in ms; small differences are only the time the answer took. */
let ahead = 0;

/** The present moment on the server's clock, with which the events are stamped. */
export const now = () => Date.now() + ahead;

export const get = (path, signal) => ask("GET", path, signal);

export const post = (path, body = undefined) => ask("POST", path, undefined, body);

/** Whether a request ended because nobody waits for its answer any more. */
export const isAbort = (error) => error instanceof DOMException && error.name === "AbortError";

/** A file that a request answers with, and its name. */
export async function download(path, body) {
  const response = await send("POST", path, undefined, body);
  if (!response.ok) throw await refusal(response);
  const name = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1];
  return { file: await response.blob(), name: name ?? "sellers" };
}

async function send(method, path, signal, body) {
  const given = token();
  /** @type {Record<string, string>} */
  const headers = given === null ? {} : { Authorization: `Bearer ${given}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    return await fetch(path, { method, headers, signal, cache: "no-store", body: body && JSON.stringify(body) });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new Refusal(0, "The server does not answer.");
  }
}

async function refusal(response) {
  const body = await response.json().catch(() => null);
  return new Refusal(response.status, body?.error ?? `The server answered ${response.status}.`);
}

async function ask(method, path, signal = undefined, body = undefined) {
  const response = await send(method, path, signal, body);
  const date = Date.parse(response.headers.get("date") ?? "");
  if (!Number.isNaN(date)) ahead = Math.abs(date - Date.now()) > 3000 ? date - Date.now() : 0;
  if (!response.ok) throw await refusal(response);
  return await response.json().catch(() => null);
}

/** An address for EventSource, which cannot send headers. */
export function streamAddress(path, parameters) {
  const address = new URL(path, location.origin);
  for (const [name, value] of Object.entries({ ...parameters, token: token() })) {
    if (value !== null && value !== undefined) address.searchParams.set(name, value);
  }
  return address;
}
