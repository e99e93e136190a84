/** A connection of its own, for a few lines one after the other: the WebSocket of a change of an account. */

/** @typedef {import("./account_change.js").Wire} Wire */
/** @typedef {import("../session_types.js").Message} Message */

/** For the connection, and for each answer: as in the client library. */
const TIMEOUT_MS = 10_000;

/**
 * Connects.
 *
 * @param {string} url
 * @returns {Promise<Wire | undefined>} Nothing when nobody answers.
 */
export async function openWire(url) {
  /** @type {WebSocket} */
  let socket;
  try {
    socket = new WebSocket(url);
  } catch {
    // The browser does not allow it: to the person that is no other than a server that does not answer.
    return undefined;
  }
  /** @type {string[]} */
  const lines = [];
  let isOver = false;
  let wake = () => {};
  const over = () => {
    isOver = true;
    wake();
  };
  socket.onopen = () => wake();
  socket.onerror = socket.onclose = over;
  socket.onmessage = ({ data }) => {
    lines.push(String(data));
    wake();
  };
  /** @param {() => boolean} isThere */
  const until = async (isThere) => {
    const timer = setTimeout(over, TIMEOUT_MS);
    while (!isThere() && !isOver) await new Promise((resolve) => wake = () => resolve(undefined));
    clearTimeout(timer);
    return isThere();
  };
  if (!await until(() => socket.readyState === WebSocket.OPEN)) {
    socket.close();
    return undefined;
  }
  return {
    write: (line) => socket.readyState === WebSocket.OPEN && socket.send(line),
    next: async () => await until(() => lines.length > 0) ? read(lines.shift() ?? "") : undefined,
    close: () => socket.close(),
  };
}

/** @param {string} line @returns {Message} What cannot be read is a message that is not known. */
function read(line) {
  try {
    const message = JSON.parse(line);
    return typeof message?.command === "string" ? message : { command: "" };
  } catch {
    return { command: "" };
  }
}
