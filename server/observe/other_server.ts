/** Another server as it is seen from here: what it tells of itself, laid under what is known of it without being told. Pure. */

import { endpointText } from "../../config/values.ts";
import type { Member } from "../backplane/member.ts";
import type { ServerView } from "../../view/network_view.ts";
import type { ToldServer } from "./received_view.ts";

/** What this server makes of another one: what that tells of itself, and what is seen of it from here. */
export function memberView(member: Member, told: ToldServer | undefined, wallOffsetMs: number): ServerView {
  const { host, port, state, about, announcedAtMs } = member;
  return {
    // A server that began to tell and was lost stays as it was, as far as nothing newer is known.
    ...{ published: null, memoryBytes: null, links: {}, connections: member.load, draining: null },
    ...told,
    name: endpointText(member),
    host,
    port,
    version: about?.version ?? told?.version ?? "",
    state,
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
