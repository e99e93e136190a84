/** The view and its changes as they come from the server, with a new stream whenever one ends. */

/** After the server has refused or ended a stream. Where it cannot be reached, the browser tries by itself. */
const AGAIN_MS = 2_000;

/**
 * Reads `/api/events` for as long as the page is there.
 *
 * @param {{
 *   onView: (view: import("../../view/network_view.ts").NetworkView) => void,
 *   onChange: (change: import("../../view/network_view.ts").NetworkChange) => void,
 *   onState: (state: "live" | "lost") => void,
 *   onRefused: () => void,
 * }} listener `onRefused`: the server answered, and with no stream
 */
export function follow(listener) {
  const source = new EventSource("/api/events");
  /** @type {number | undefined} */
  let timer;
  const again = () => {
    source.close();
    clearTimeout(timer);
    timer = setTimeout(() => follow(listener), AGAIN_MS);
  };
  source.addEventListener("view", ({ data }) => {
    listener.onView(JSON.parse(data));
    listener.onState("live");
  });
  source.addEventListener("change", ({ data }) => listener.onChange(JSON.parse(data)));
  // Not a loss: a stream has an end, and the next one begins with the whole view. If the server is
  // gone, that one is lost.
  source.addEventListener("end", () => {
    source.close();
    setTimeout(() => follow(listener), 0);
  });
  source.addEventListener("error", () => {
    listener.onState("lost");
    if (source.readyState !== EventSource.CLOSED) return;
    listener.onRefused();
    again();
  });
}
