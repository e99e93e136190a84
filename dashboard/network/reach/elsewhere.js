/**
 * A worker that reads other servers for a page. It has a content policy of its own, from when it was loaded: a page can
 * begin a new one when it hears of a server, and could not call that server itself. Loaded while the page's own server
 * is there, and used when it is not.
 */

/** By the number that the page gave each. */
const sources = new Map();

addEventListener("message", ({ data }) => {
  if (data.kind === "open") open(data.id, data.address);
  else if (data.kind === "close") close(data.id);
  else if (data.kind === "ask") ask(data.id, data.address, data.patienceMs);
});

function open(id, address) {
  const source = new EventSource(address);
  sources.set(id, source);
  source.addEventListener("open", () => postMessage({ id, kind: "opened" }));
  for (const kind of ["view", "change", "end"]) {
    source.addEventListener(kind, ({ data }) => postMessage({ id, kind, data }));
  }
  source.addEventListener("error", () => {
    postMessage({ id, kind: "failed", isRefused: source.readyState === EventSource.CLOSED });
  });
}

function close(id) {
  sources.get(id)?.close();
  sources.delete(id);
}

async function ask(id, address, patienceMs) {
  try {
    const answer = await fetch(address, { credentials: "omit", signal: AbortSignal.timeout(patienceMs) });
    postMessage({ id, kind: "answer", status: answer.status, text: await answer.text() });
  } catch {
    // Nobody is there, or not for this page: the page gets no answer.
    postMessage({ id, kind: "answer" });
  }
}
