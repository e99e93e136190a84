/** Activities and events in words, one line each. Pure. */

import { timeOfDay } from "../../platform/local_time.ts";
import type { Style } from "../../platform/terminal.ts";
import type { WireGap } from "../../protocol/message.ts";
import type { Activity, ClientEvent, Message } from "../options.ts";
import { counted } from "../../config/counted.ts";
import { endpointText } from "../../config/values.ts";
import { visible } from "./screen/visible.ts";

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

/** An activity for people: the time, the user, and its text. Its JSON, if it has more than a text. */
export function describeActivity({ activity, json, user, sentAt }: Activity, style: Style): string {
  return `${style.dim(timeOfDay(sentAt))}  ${style.bold(visible(user))}  ${visible(activityWords(activity, json))}`;
}

/** The text of an activity, if that is all it has; else its JSON as it was written. */
export function activityWords(activity: Readonly<Record<string, unknown>>, json: string): string {
  const { text, ...rest } = activity;
  return typeof text === "string" && Object.keys(rest).length === 0 ? text : json;
}

/** An activity for programs: one line of JSON. */
export function activityLine({ id, user, sentAt, lamport, json }: Activity): string {
  return `${JSON.stringify({ id, user, sentAt, lamport }).slice(0, -1)},"activity":${json}}`;
}

/** A direct message for people: the time, the sender and the text. */
export function describeMessage({ from, text, sentAt }: Message, style: Style): string {
  return `${style.dim(timeOfDay(sentAt))}  ${style.bold(visible(from))}  ${style.dim("to you:")} ${visible(text)}`;
}

/** A direct message for programs: as an activity, but with `direct_message` in its place. */
export function messageLine({ id, from, to, text, sentAt, lamport, offline }: Message): string {
  return JSON.stringify({ id, user: from, sentAt, lamport, direct_message: { to, text, offline } });
}

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
          text: `cannot reach ${endpointText(event.server)}; trying until it answers`,
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
