/** Another server, as this one sees it: the server's own words, above the facts that are known without them. Pure. */

import { endpointText } from "../../config/values.ts";
import type { Member } from "../backplane/member.ts";
import type { ServerView } from "../../view/network_view.ts";
import { SERVER_NUMBERS } from "../../view/server_numbers.ts";
import type { ReceivedServer } from "./received_view.ts";

/** This server's view of another one: the other's own words, and the facts that are seen from here. */
export function otherServerView(member: Member, told: ReceivedServer | undefined, wallOffsetMs: number): ServerView {
  const { host, port, state, about, announcedAtMs } = member;
  return {
    // If the server was lost after it began to tell, its words stay, unless something newer is known.
    ...SERVER_NUMBERS,
    ...{ links: {}, connections: member.load, draining: null },
    ...told,
    name: endpointText(member),
    host,
    port,
    version: about?.version ?? told?.version ?? "",
    state,
    ...(member.isSilent && state === "dead" ? { isSilent: true } : {}),
    stateSince: Math.round(member.sinceMs + wallOffsetMs),
    startedAt: about?.startedAt || told?.startedAt || null,
    load: member.load,
    weight: member.weight,
    takesClients: member.online && state === "linked",
    announcedAt: announcedAtMs === undefined ? null : Math.round(announcedAtMs + wallOffsetMs),
    vector: { ...member.vector, ...told?.vector },
    lamport: Math.max(about?.lamport ?? 0, told?.lamport ?? 0),
    http: about?.http || told?.http || null,
  };
}
