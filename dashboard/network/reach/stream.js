/**
 * The view and its changes as they come from a server. Which server is asked is decided in `following.js`.
 */

import { Following } from "./following.js";

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
 * @returns {Following}
 */
export function follow(listener) {
  const following = new Following();
  /** @type {Map<number, EventSource>} */
  const sources = new Map();
  let state = "connecting";

  take({ kind: "tick", at: Date.now() });
  setInterval(() => take({ kind: "tick", at: Date.now() }), TICK_MS);
  // A server that came after this page was loaded cannot be asked from it.
  document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    if (effectiveDirective === "connect-src") following.forbid(new URL(blockedURI, location.href).origin);
  });
  return following;

  function take(event) {
    for (const effect of following.take(event)) {
      if (effect.kind === "open") open(effect.id, effect.base);
      else {
        sources.get(effect.id)?.close();
        sources.delete(effect.id);
      }
    }
    const now = following.state(event.at);
    if (now !== state) listener.onState(state = now);
  }

  function open(id, base) {
    const source = new EventSource(`${base}/api/events`);
    sources.set(id, source);
    const tell = (kind, more = {}) => {
      if (sources.get(id) === source) take({ kind, id, at: Date.now(), ...more });
    };
    const isCurrent = () => following.currentId === id;
    source.addEventListener("open", () => tell("opened"));
    source.addEventListener("view", ({ data }) => {
      tell("view");
      if (isCurrent()) listener.onView(JSON.parse(data), base);
    });
    source.addEventListener("change", ({ data }) => {
      tell("heard");
      if (isCurrent()) listener.onChange(JSON.parse(data));
    });
    source.addEventListener("end", () => tell("ended"));
    source.addEventListener("error", () => {
      const isRefused = source.readyState === EventSource.CLOSED;
      tell("failed", { isRefused });
      if (isRefused && base === "") listener.onRefused();
    });
  }
}
