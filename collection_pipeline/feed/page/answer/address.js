// The address holds the whole state of a view: what is sent to a colleague shows the same. Only the token is never there.

/** The values in the present address. @returns {Record<string, string>} */
export const values = () => Object.fromEntries(new URL(location.href).searchParams);

/** The address of a view with these values; empty ones are left out, and the organisation is kept. */
export function addressOf(view, given = {}) {
  const address = new URL(view === "overview" ? "/answer" : `/answer/${view}`, location.origin);
  const org = values().org_id;
  for (const [name, value] of Object.entries({ ...given, org_id: given.org_id ?? org })) {
    if (value !== null && value !== undefined && value !== "") address.searchParams.set(name, String(value));
  }
  return address.pathname + address.search;
}

/** Puts changed values into the present address. Typing replaces it; whatever else is chosen can be taken back. */
export function change(changes, { isReplaced = false } = {}) {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "") address.searchParams.delete(name);
    else address.searchParams.set(name, String(value));
  }
  if (address.href === location.href) return false;
  if (isReplaced) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  return true;
}
