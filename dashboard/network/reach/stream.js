/**
 * The view and its changes as they come from a server. Which server is asked is decided in `following.js`.
 */

import { Following } from "./following.js";

/** What the events of a stream mean to whoever decides. */
const KINDS = { opened: "opened", view: "view", change: "heard", end: "ended", failed: "failed" };
/** Often enough that what is old is said to be old within three seconds. */
const TICK_MS = 250;

/**
 * Reads `/api/events` for as long as the page is there.
 *
 * @param {{
 *   onView: (view: import("../../../view/network_view.ts").NetworkView, base: string) => void,
 *   onChange: (change: import("../../../view/network_view.ts").NetworkChange) => void,
 *   onState: (state: "connecting" | "live" | "lost") => void,
 *   onRefused: () => void,
 * }} listener `base`: where the view is from, "" for the page's own server; `onRefused`: that server answered, and with
 *   no stream
 * @param {import("./other_servers.js").OtherServers} others the way to them
 * @returns {Following}
 */
export function follow(listener, others) {
  const following = new Following();
  /** What ends each stream, by its number. */
  const ends = new Map();
  let state = "connecting";

  take({ kind: "tick", at: Date.now() });
  setInterval(() => take({ kind: "tick", at: Date.now() }), TICK_MS);
  return following;

  function take(event) {
    for (const effect of following.take(event)) {
      if (effect.kind === "open") open(effect.id, effect.base);
      else {
        ends.get(effect.id)?.();
        ends.delete(effect.id);
      }
    }
    const now = following.state(event.at);
    if (now !== state) listener.onState(state = now);
  }

  function open(id, base) {
    const read = base === "" ? readOwn : (address, told) => others.read(address, told);
    ends.set(id, read(`${base}/api/events`, ({ kind, data, isRefused }) => told(id, base, kind, data, isRefused)));
  }

  function told(id, base, kind, data, isRefused) {
    if (!ends.has(id)) return;
    take({ kind: KINDS[kind], id, at: Date.now(), isRefused });
    if (isRefused && base === "") listener.onRefused();
    if (following.currentId !== id) return;
    if (kind === "view") listener.onView(JSON.parse(data), base);
    else if (kind === "change") listener.onChange(JSON.parse(data));
  }
}

/** A stream of the page's own server. */
function readOwn(address, told) {
  const source = new EventSource(address);
  source.addEventListener("open", () => told({ kind: "opened" }));
  for (const kind of ["view", "change", "end"]) source.addEventListener(kind, ({ data }) => told({ kind, data }));
  source.addEventListener(
    "error",
    () => told({ kind: "failed", isRefused: source.readyState === EventSource.CLOSED }),
  );
  return () => source.close();
}
