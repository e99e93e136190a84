/**
 * Wires a server's network: its links with other servers, the users who are online and their places, and the balance of
 * clients.
 */

import { Supervisor } from "../../../heartbeat/supervisor.ts";
import type { Renumbering } from "../../../log/renumbering.ts";
import { chanceOf } from "../../../platform/crypto.ts";
import { makeServerId } from "../../../platform/node_id.ts";
import type { Transport } from "../../../platform/transport.ts";
import { CHANNELS_FEATURE } from "../../../protocol/peer/peer_message.ts";
import type { RefusalLog } from "../../accounts/refusal_log.ts";
import { makeTicketKey } from "../../accounts/ticket.ts";
import { Balancer } from "../../balance/balancer.ts";
import { Handover } from "../../balance/handover.ts";
import { Sessions } from "../../hub/sessions.ts";
import type { NetworkSecrets } from "../../backplane/network_secrets.ts";
import { LegacyServers } from "../../legacy/legacy_servers.ts";
import { userPlaces } from "../../places/user_places.ts";
import { PresenceBoard } from "../../presence/presence_board.ts";
import { ReaderBoard } from "../../presence/reader_board.ts";
import type { StoreState } from "../../store/store.ts";
import { chosenEngine, type Engine } from "../engines.ts";
import { NetworkNews } from "../network_news.ts";
import type { MachineParts, Wired, WiredLog, WiredNetwork, WiredObservers } from "./wired.ts";

/** What it is made with. The three before the last have the defaults of `NodeParts`. */
export interface WireNetworkParts extends MachineParts {
  readonly transport: Transport;
  readonly opened: StoreState;
  readonly log: WiredLog;
  readonly observers: WiredObservers;
  readonly refusals: RefusalLog;
  readonly ticketKey: string | undefined;
  readonly makeBackplane: Engine | undefined;
  readonly makeServerId: (() => string) | undefined;
  readonly secrets: NetworkSecrets;
}

/** The network of one server. */
export function wireNetwork(parts: WireNetworkParts, wired: Wired): WiredNetwork {
  const { config, clock, crypto, faults, transport, opened, log, observers, secrets } = parts;
  const { journal, budget } = log;
  const supervisor = new Supervisor(clock, faults);
  const sessions = new Sessions(() => backplane.announceSoon());
  const legacy = config.cluster.olderDialect ? wireLegacyServers(parts, sessions, wired) : undefined;
  const { startedAt } = observers;
  const places = userPlaces({
    journal,
    clock,
    opened,
    startedAt,
    backplane: () => backplane,
    presence: () => presence,
  });
  const { makeBackplane = chosenEngine } = parts;
  const backplane = makeBackplane({
    ...{ config, clock, transport, crypto, secrets, faults, supervisor, journal, legacy, startedAt, kept: opened },
    incarnation: log.incarnation,
    ticketKey: parts.ticketKey ?? makeTicketKey(crypto),
    makeServerId: parts.makeServerId ?? makeServerId,
    heartbeats: observers.counters.serverHeartbeats,
    replications: observers.counters.replications,
    load: () => sessions.load,
    http: () => wired.http,
    hasReserve: () => budget.hasReserve,
    hasRoom: () => log.hasRoom(),
    isTaken: (name) => log.takenNames.isTaken(name),
    trace: () => observers.tracer()?.trace,
    owner: new NetworkNews({
      backplane: () => backplane,
      balancer: () => balancer,
      presence: () => presence,
      readers: () => readers,
      operator: () => wired.operator,
      operatorRecords: () => wired.operatorRecords,
      secretOffice: () => wired.secretOffice,
      passes: () => wired.clients.passes,
      audits: () => wired.audits,
      isClosing: () => wired.closing.hasBegun,
      places: places.talk,
      observatory: observers.observatory,
      forgotten: (vector) => log.goneServers.heard(vector),
      renamed: (renumbering) => {
        presence.renamed(renumbering.origin);
        readers.renamed(renumbering.origin);
        renumbered(sessions, renumbering);
      },
      cutBack: (renumbering) => renumbered(sessions, renumbering),
      isClone: (error) => wired.closing.fail(error),
    }),
  });
  const presence = new PresenceBoard({
    named: journal,
    perUser: config.sessions.perUser,
    clock,
    sessions,
    tellServers: (message) => backplane.say(message),
    tick: (lamport) => journal.tick(lamport),
    told: (event, lamport) => wired.clients.guests.presence(event, lamport),
  });
  const readers = new ReaderBoard({
    ...{ named: journal, clock, faults, sessions },
    *others() {
      for (const { serverId, features } of backplane.routes) if (features.includes(CHANNELS_FEATURE)) yield serverId;
    },
    say: (message, to) => backplane.say(message, to),
    tick: (lamport) => journal.tick(lamport),
  });
  const balancer = new Balancer({
    named: journal,
    cluster: config.cluster,
    clock,
    sessions,
    members: () => backplane.members,
    announceSoon: () => backplane.announceSoon(),
    chance: () => chanceOf(crypto),
  });
  const handover = new Handover({
    clock,
    sessions,
    hasOthers: () => [...backplane.routes].length > 0,
    nextTarget: () => balancer.nextTarget(),
  });
  return { supervisor, sessions, legacy, places, backplane, presence, readers, balancer, handover };
}

function wireLegacyServers(parts: WireNetworkParts, sessions: Sessions, wired: Wired): LegacyServers {
  const { config, clock, crypto, faults, log: { journal, budget }, refusals } = parts;
  return new LegacyServers({
    ...{ journal, clock, crypto, faults, sessions, refusals },
    activityCheckIntervalMs: config.cluster.activityCheckIntervalMs,
    rememberedMs: config.store.messageIdRetentionMs,
    self: () => ({ ...wired.network.backplane.self, load: sessions.load }),
    members: () => wired.network.backplane.members.filter(({ state }) => state === "linked"),
    takeAccount: (account, told) => wired.clients.admission.takeAccount(account, told),
    hasSpace: () => budget.hasSpace,
    mayPublish: (username, address) => wired.clients.rights.mayPublish(username, address),
  });
}

/**
 * Clients that know ids of the former numbers come back, here or elsewhere. There they are told which of these entries
 * they do not have as they think.
 */
function renumbered(sessions: Sessions, renumbering: Renumbering): void {
  for (const session of [...sessions]) {
    session.renumbered(renumbering);
    if (session.canResume) session.end("FELL_BEHIND");
  }
}
