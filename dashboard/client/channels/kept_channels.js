// @ts-check
/**
 * The channels of each user for the next visit, in the browser's storage for this page (localStorage). They are no
 * secret: names of channels and of users, and nothing that was said there.
 */

const KEY = "thrum-channels";
/** Users of one browser that are remembered; who was here last stays longest. */
const MAX_USERS = 20;

/**
 * Those that a user had joined; what stands there may be anything.
 * @param {Pick<Storage, "getItem">} storage
 * @param {string} username
 * @returns {unknown}
 */
export function readChannels(storage, username) {
  return readAll(storage).find(([name]) => name === username)?.[1];
}

/**
 * @param {Pick<Storage, "getItem" | "setItem">} storage
 * @param {string} username
 * @param {readonly string[]} channels None: nothing of this user is kept.
 */
export function writeChannels(storage, username, channels) {
  const others = readAll(storage).filter(([name]) => name !== username);
  /** @type {[string, unknown][]} */
  const all = channels.length === 0 ? others : [[username, [...channels]], ...others];
  try {
    storage.setItem(KEY, JSON.stringify(all.slice(0, MAX_USERS)));
  } catch {
    // It is full or forbidden: the next visit begins with what is for everyone.
  }
}

/** @param {Pick<Storage, "getItem">} storage @returns {[string, unknown][]} */
function readAll(storage) {
  try {
    const all = JSON.parse(storage.getItem(KEY) ?? "[]");
    return Array.isArray(all) ? all.filter((one) => Array.isArray(one) && typeof one[0] === "string") : [];
  } catch {
    // Somebody else has written there, or it cannot be read.
    return [];
  }
}
