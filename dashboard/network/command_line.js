/** A command to be typed, as it stands where there is nothing to show yet. */

import { clientCommand } from "../client_command.js";
import { element } from "../dom.js";

/**
 * What to type to be a client of the server that answers; in its tooltip, the same from the source.
 *
 * @param {string} what
 * @param {import("../../view/network_view.ts").NetworkView} view
 */
export function commandOf(what, view) {
  const { text, fromSource } = clientCommand(what, view.servers[view.from]);
  return element("code", { text, title: `From the source: ${fromSource}` });
}
