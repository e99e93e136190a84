/** Wires who is connected to a server: what each connection is made with, from the first line to the end. */

import { answersAt, type Endpoint } from "../../../platform/address.ts";
import type { Transport } from "../../../platform/transport.ts";
import { CLOSE_REASONS } from "../../../protocol/close_reason.ts";
import type { WireHeartbeat } from "../../../protocol/message.ts";
import type { PassSpentMessage } from "../../../protocol/peer/peer_message.ts";
import { Accounts } from "../../accounts/accounts.ts";
import { Passes } from "../../accounts/passes.ts";
import type { RefusalLog } from "../../accounts/refusal_log.ts";
import { OwnAccountChanges } from "../own_accounts.ts";
import { Guests } from "../../guests/guests.ts";
import { invitationKey } from "../../rights/invitations.ts";
import { Rights } from "../../rights/rights.ts";
import { Invitations } from "../../session/login/invitations.ts";
import { Admission } from "../../session/login/admission.ts";
import { Connection } from "../../session/connection.ts";
import type { ConnectionParts } from "../../session/connection_parts.ts";
import { Connections, MAX_LOBBY } from "../../session/connections.ts";
import { Entrance } from "../../session/entrance.ts";
import { AddressRates } from "../../session/limits/address_rates.ts";
import { HeartbeatDials } from "../../session/limits/heartbeat_dials.ts";
import { LongLogins } from "../../session/limits/long_logins.ts";
import { WorkShares } from "../../session/limits/work_shares.ts";
import { PeerEntrance } from "../../session/peer_entrance.ts";
import { RightsWatch } from "../../session/rights_watch.ts";
import type { ConnectionOwner } from "../../session/served_connection.ts";
import type { MachineParts, Wired, WiredClients, WiredLog, WiredNetwork, WiredObservers } from "./wired.ts";

/** What it is made with. */
export interface WireClientsParts extends MachineParts {
  readonly heartbeat: WireHeartbeat;
  readonly transport: Transport;
  readonly log: WiredLog;
  readonly observers: WiredObservers;
  readonly network: WiredNetwork;
  readonly refusals: RefusalLog;
  /** How many connections without a place are heard; `undefined` for the default. */
  readonly maxLobby: number | undefined;
  /** What the store keeps, by key. */
  readonly notes: Readonly<Record<string, string>>;
}

/** The clients of one server. */
export function wireClients(parts: WireClientsParts, wired: Wired): WiredClients {
  const { config, clock, crypto, faults, auditor, heartbeat, transport, log, observers, network, refusals } = parts;
  const { journal, rulings, hub, budget } = log;
  const { counters, observatory, tracer } = observers;
  const { backplane, balancer, sessions, presence, readers, supervisor } = network;
  const { keeper: placeKeeper, talk: placeTalk } = network.places;
  const owner: ConnectionOwner = {
    ended: (end) => {
      counters.ended(end.reason);
      const { sentence } = CLOSE_REASONS[end.reason];
      observatory.ended({ ...end, server: journal.serverId, at: clock.wallMs(), sentence });
    },
    gone: (connection) => connections.gone(connection),
    failed: (error) => wired.closing.fail(error),
  };
  const connections = new Connections({
    limits: config.limits,
    maxLobby: parts.maxLobby ?? MAX_LOBBY,
    clock,
    counters,
    refusals,
    rulings,
    isClosing: () => wired.closing.hasBegun,
    connect: (link, origin) => new Connection(link, connectionParts, owner, origin),
  });
  const shares = new WorkShares(clock, () => log.hasRoom());
  const keys = {
    get serverId() {
      return journal.serverId;
    },
    keyOf: (serverId: string) => backplane.ticketKeyOf(serverId),
    maxAgeMs: config.sessions.ticketMaxAgeMs,
  };
  const tell = (message: PassSpentMessage) => backplane.say(message);
  const passes = new Passes({
    ...{ crypto, clock, lifetimeMs: config.sessions.passMs, keys, tell },
    kept: parts.notes,
    save: (key, value) => journal.saveNote(key, value),
  });
  const verifierForm = config.cluster.clearSecret === "upgrade" ? "earlier" : "scram";
  const accounts = new Accounts(rulings, crypto, clock, keys, verifierForm, passes);
  const ownAccounts = new OwnAccountChanges({ clock, budget, rulingOffice: () => wired.rulingOffice });
  const rates = new AddressRates(config.limits, clock, counters);
  const { takenNames } = log;
  const records = journal.records.all;
  const keyOf = (code: string) => invitationKey(code, (text) => crypto.digest(text));
  const invitations = new Invitations({
    ...{ records, backplane, clock, keyOf, areNeeded: () => config.auth.registration === "invite" },
  });
  const rights = new Rights({
    ...{ auth: config.auth, records, takenNames, invitationKey: keyOf },
    hasAccount: (username) => journal.hasAccount(username),
    account: (username) => journal.storedAccount(username),
  });
  const admission = new Admission({
    ...{ accounts, balancer, journal, backplane, placeTalk, presence, counters, rates, faults },
    ...{ rights, invitations, takenNames, clock },
    perUser: config.sessions.perUser,
  });
  const supervision = {
    ...{ supervisor, heartbeat, transport, clock, faults, counters, journal, tracer },
    plainClients: config.heartbeat.plainClients,
    heartbeatDials: new HeartbeatDials(heartbeat.idleTimeoutMs),
    isSelf: (called: Endpoint) => {
      const { self } = backplane;
      return [self, { host: config.server.host, port: self.port }].some((own) => answersAt(own, called));
    },
  };
  const longLogins = new LongLogins();
  const peerEntrance = new PeerEntrance({ backplane, seats: connections, counters, auditor });
  const { limits, auth, tls: { required: requiresTls } } = config;
  const connectionParts: ConnectionParts = {
    ...{ clock, limits, faults, journal, counters, tracer, peerEntrance },
    log: { refusals, auditor },
    facts: {
      limits,
      hub,
      auth,
      requiresTls,
      journal,
      backplane,
      rulings,
      accounts,
      budget,
      peerEntrance,
      rights,
      clock,
    },
    lines: { shares, longLogins, maxLineBytes: config.limits.maxLineBytes },
    identification: {
      ...{
        admission,
        accounts,
        rulings,
        rights,
        ownAccounts,
        seats: connections,
        rates,
        longLogins,
        supervisor,
        faults,
        served: owner,
      },
      limits,
    },
    entrance: new Entrance({
      ...{ journal, accounts, heartbeat, placeKeeper, placeTalk, sessions, presence, readers },
      ...{ balancer, counters, tracer },
      client: { journal, clock, hub, shares, placeKeeper, supervision, tracer },
      requests: {
        ...{ journal, backplane, userLists: log.userLists, readers, past: log.past, hub, counters },
        limits: config.limits,
      },
    }),
  };
  const guests = new Guests({
    ...{ journal, rulings, presence, sessions, budget, backplane, faults, connections },
    perUser: config.sessions.perUser,
    rights,
    isClosing: () => wired.closing.hasBegun,
    guest: { clock, journal, sessions, presence, hub, backplane, tracer, rights, readers, served: owner },
  });
  const rightsWatch = new RightsWatch({ journal, records, sessions, faults });
  return { connections, admission, guests, passes, rights, rightsWatch };
}
