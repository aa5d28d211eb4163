// Asking for answers: the values of the address, under the organisation that it names.

import { download, get, post } from "../api.js";
import { values } from "./address.js";

/** The path of an answer with these values; empty ones are left out. */
export function pathOf(name, given = {}) {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries({ ...given, org_id: values().org_id })) {
    if (value !== null && value !== undefined && value !== "") search.set(key, String(value));
  }
  return `/api/answer/${name}${search.size > 0 ? `?${search}` : ""}`;
}

export const answerTo = (name, given = {}, signal = undefined) => get(pathOf(name, given), signal);

export const edit = (name, body) => post(pathOf(`sellers/${name}`), body);

export const judge = (body) => post(pathOf("listings/judge"), body);

/** Asks for a file and hands it to the browser to keep. */
export async function keepFile(body, filter = {}) {
  const { file, name } = await download(pathOf("sellers/export", filter), body);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  return name;
}
