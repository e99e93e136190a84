// @ts-check
/**
 * What the page keeps in the tab (sessionStorage), so that a reload goes on where it was: what was received, the newest
 * rows, what is not acknowledged yet, and a pass for one login. Never the secret. The vector and the rows are kept as
 * one: whatever is kept, they agree with each other.
 */

/** @typedef {import("./session_types.js").Saved} Saved */
/** @typedef {import("./stream_model.js").Row} Row */
/** @typedef {{ version: 1, session: Saved, rows: Row[], isPlain: boolean, place?: string }} Kept */

const KEY = "thrum-client";

/**
 * @param {Pick<Storage, "getItem">} storage
 * @returns {Kept | undefined} Nothing where nothing is kept, or it cannot be read.
 */
export function readKept(storage) {
  try {
    const kept = JSON.parse(storage.getItem(KEY) ?? "null");
    const isOurs = kept?.version === 1 && typeof kept.session?.username === "string" && Array.isArray(kept.rows);
    return isOurs ? kept : undefined;
  } catch {
    // A browser may refuse to keep anything for this page, or somebody has written there: then it begins anew.
    return undefined;
  }
}

/**
 * @param {Pick<Storage, "setItem">} storage
 * @param {Omit<Kept, "version">} kept
 */
export function writeKept(storage, kept) {
  try {
    storage.setItem(KEY, JSON.stringify({ version: 1, ...kept }));
  } catch {
    // It is full or forbidden. What was kept before is older, and as good: what came since will come again.
  }
}

/** @param {Pick<Storage, "removeItem">} storage */
export function forgetKept(storage) {
  try {
    storage.removeItem(KEY);
  } catch {
    // As above.
  }
}
