/** What a person is told about a connection, one line each, and each thing once. Pure. */

import { counted } from "../../protocol/counted.ts";
import { endpointText } from "../../config/values.ts";
import type { Style } from "../../platform/terminal.ts";
import type { WireGap } from "../../protocol/message.ts";
import { STATE_WORDS } from "../../view/state_words.ts";
import type { ClientEvent } from "../options.ts";
import { channelName, visible } from "./screen/visible.ts";

/** Something to tell a person. */
export interface Notice {
  readonly tone: "plain" | "good" | "warning";
  readonly text: string;
}

/** The notices so far: a long outage is one notice, and not one for every attempt. */
export interface Telling {
  readonly isLost: boolean;
  readonly toldUnreachable: boolean;
  /** That something waits for another server. */
  readonly toldPending: boolean;
}

/** Nothing was told. */
export const NOTHING_TOLD: Telling = Object.freeze({ isLost: false, toldUnreachable: false, toldPending: false });

/** Why nothing can be said or read in a channel. */
export const KNOWS_NO_CHANNELS = "this server is of an earlier version, and knows no channels";

/** The notice for `event`, if there is one. */
export function stepTelling(telling: Telling, event: ClientEvent): { telling: Telling; notice?: Notice } {
  switch (event.kind) {
    case "connected":
      return {
        telling: NOTHING_TOLD,
        ...(event.returned && telling.isLost ? { notice: { tone: "good", text: connectedAgain(event) } } : {}),
      };
    case "lost":
      return {
        telling: { ...telling, isLost: true, toldUnreachable: false },
        notice: {
          tone: "warning",
          text: `${event.byServer ? "the server ended the connection" : "the connection was lost"}: ${event.info}`,
        },
      };
    case "unreachable":
      if (!telling.isLost || telling.toldUnreachable) return { telling };
      return {
        telling: { ...telling, isLost: true, toldUnreachable: true },
        notice: {
          tone: "warning",
          text: `cannot reach ${endpointText(event.server)}; ${STATE_WORDS.session.reconnecting} until it answers`,
        },
      };
    case "redirected":
      return { telling, notice: { tone: "plain", text: `moved to ${endpointText(event.server)}` } };
    case "gap":
      return {
        telling,
        notice: { tone: "warning", text: `the server no longer has all that you missed: ${describeGaps(event.gaps)}` },
      };
    case "pending": {
      const text = `not acknowledged yet: ${event.info}`;
      const told = { ...telling, toldPending: true };
      return telling.toldPending ? { telling } : { telling: told, notice: { tone: "warning", text } };
    }
    case "overflow": {
      const what = event.what === "presence" ? "comings and goings" : event.what;
      const text = `more ${what} come than fit: ${event.comesAgain ? "the rest follows" : "some are left out"}`;
      return { telling, notice: { tone: "warning", text } };
    }
    case "notAllowed":
      return {
        telling,
        notice: { tone: "warning", text: `you may not read ${event.channels.map(channelName).join(", ")} here` },
      };
    case "duplicate":
      return { telling, notice: { tone: "warning", text: `left out an activity that came twice: ${event.id}` } };
    default:
      return { telling };
  }
}

/** A notice with the colour of its tone. Parts of it are other people's words. */
export function styleNotice(notice: Notice, style: Style): string {
  const text = visible(notice.text);
  return notice.tone === "good" ? style.green(text) : notice.tone === "warning" ? style.yellow(text) : style.dim(text);
}

function connectedAgain({ server, missed }: Extract<ClientEvent, { kind: "connected" }>): string {
  const again = `connected again, to ${endpointText(server)}`;
  return missed === 0 ? again : `${again}; ${counted(missed, "missed activity follows", "missed activities follow")}`;
}

function describeGaps(gaps: readonly WireGap[]): string {
  return gaps.map(({ origin, first, last }) => {
    return `${origin} ${last === null ? `from ${first} on` : first === last ? first : `${first} to ${last}`}`;
  }).join(", ");
}
