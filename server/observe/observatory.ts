/**
 * The network, seen from this server: its present state, and about once a second its changes. The server knows itself.
 * Every other server tells about itself over its link, as long as somebody looks. While nobody looks, here or there,
 * this costs nothing.
 */

import type { Member } from "../backplane/member.ts";
import { endpointText } from "../../config/values.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import type { ObservedMessage, ObserveMessage } from "../../protocol/peer/peer_message.ts";
import type { Segment } from "../../log/segment.ts";
import type { TraceEvent } from "../../trace/trace_event.ts";
import { diff, type JsonObject } from "../../view/merge_patch.ts";
import {
  type ActivityView,
  type EndView,
  MAX_ACTIVITIES,
  MAX_ENDS,
  type NetworkChange,
  type NetworkView,
  type OwnView,
} from "../../view/network_view.ts";
import { LostClients } from "./lost_clients.ts";
import { LiveTrace } from "./live_trace.ts";
import { otherServerView } from "./other_server.ts";
import { ActivityFeed, type FedLog } from "./activity_feed.ts";
import { ObservedChannels, type ObservedChannelsParts } from "./observed_channels.ts";
import { observedMessages } from "./observed_messages.ts";
import { ObservedUsers, type ObservedUsersParts } from "./observed_users.ts";
import { receivedEnd, receivedEvent, type ReceivedView, receivedView } from "./received_view.ts";
import { unlessUnreadable } from "../journal/unreadable_store.ts";

/** Somebody who looks. */
export interface Observer {
  /** Called about once a second, where anything has changed. */
  changed(change: NetworkChange): void;
}

/** Somebody's looking. */
export interface Observation {
  /** The first view. Changes go on from it. */
  readonly view: NetworkView;
  end(): void;
}

/** What the observatory is made with. */
export interface ObservatoryParts {
  /** This server, which can get another name. */
  readonly named: { readonly serverId: string };
  readonly clock: Clock;
  readonly log: FedLog;
  /** This server. */
  own(): Omit<OwnView, "channels">;
  members(): readonly Member[];
  /** Says it to one server, or to all that can be reached. */
  say(message: ObserveMessage | ObservedMessage, to?: string): void;
  readonly users: ObservedUsersParts;
  readonly channels: ObservedChannelsParts;
  /** How many times operators have set something for the network, since the start. */
  laidDown(): number;
  /** The users who were at a server that was lost just now. */
  lostWith?(serverId: string): readonly string[];
}

/** Between two looks. */
const LOOK_MS = 1_000;
/** The wait after something urgent, such as the loss of a server. */
const SOON_MS = 50;
/** How long other servers may take to tell about themselves when somebody begins to look. */
const ANSWER_MS = 500;
/** Looking goes on for this time after the last one left, as some people look again and again. */
const LINGER_MS = 5_000;
/** Views are cached for this long. A new view costs a row for each connection of the network. */
const FRESH_MS = 250;
const NOTHING: JsonObject = Object.freeze({});

/** One server's. */
export class Observatory {
  readonly #parts: ObservatoryParts;
  readonly live: LiveTrace = new LiveTrace();
  readonly #observers = new Set<Observer>();
  /** Other servers that look, and whether they were told something already. */
  readonly #watchers = new Map<string, { isTold: boolean }>();
  /** What other servers have told. */
  readonly #told = new Map<string, ReceivedView>();
  #ends: EndView[] = [];
  #ownEnds: EndView[] = [];
  readonly #lost = new LostClients();
  /** Since the last look. */
  #newEnds: EndView[] = [];
  #newOwnEnds: EndView[] = [];
  #activities: readonly ActivityView[] = [];
  #passing: ActivityFeed | undefined;
  /** The facts of the last look. */
  #own: JsonObject = NOTHING;
  #network: JsonObject = NOTHING;
  readonly #users: ObservedUsers;
  readonly #channels: ObservedChannels;
  #laidDown = 0;
  /** The last view that was given, as long as it is complete. */
  #given: { readonly view: NetworkView; readonly atMs: number } | undefined;
  #timer: Timer | undefined;
  #lingering: Timer | undefined;
  /** Whether somebody looks from here, or did a moment ago. */
  #asksOthers = false;
  #isSoon = false;
  #isStopped = false;

  /** The last view that somebody got. */
  #lastView: NetworkView;

  constructor(parts: ObservatoryParts) {
    this.#parts = parts;
    const { named: { serverId: from }, clock } = parts;
    this.#users = new ObservedUsers(parts.users);
    this.#channels = new ObservedChannels(parts.channels);
    const nothing = { servers: {}, connections: {}, users: {}, waiting: {}, lastSeen: {}, ends: [], activities: [] };
    this.#lastView = { at: clock.wallMs(), from, ...nothing };
  }

  /** Begins to look. A stopped server has only its last view. */
  observe(observer: Observer): Observation {
    if (this.#isStopped) return { view: this.#lastView, end: () => {} };
    this.#begin();
    this.#askOthers(true);
    const view = this.#freshView();
    this.#observers.add(observer);
    return {
      view,
      end: () => {
        if (this.#observers.delete(observer) && this.#observers.size === 0) this.#linger();
      },
    };
  }

  /** Looks once. If nobody looked before, the other servers get a moment to tell about themselves. */
  look(): Promise<NetworkView> {
    if (this.#isStopped) return Promise.resolve(this.#lastView);
    const isNew = !this.#asksOthers;
    const observation = this.observe({ changed: () => {} });
    const others = this.#parts.members().filter(({ hasLink }) => hasLink);
    if (!isNew || others.length === 0) {
      observation.end();
      return Promise.resolve(observation.view);
    }
    return new Promise((resolve) => {
      const { clock } = this.#parts;
      const until = clock.nowMs() + ANSWER_MS;
      const lookAgain = () => {
        const hasAll = others.every(({ serverId }) => this.#told.has(serverId));
        if (!hasAll && clock.nowMs() < until) return void clock.after(SOON_MS, lookAgain);
        this.#given = undefined;
        resolve(this.#freshView());
        observation.end();
      };
      lookAgain();
    });
  }

  /** The events of all servers since then, as far as somebody was looking. */
  diagram(sinceWallMs: number): readonly TraceEvent[] {
    return this.live.since(sinceWallMs);
  }

  /** A connection of this server has ended. */
  ended(end: EndView): void {
    this.#ownEnds.push(end);
    if (this.#ownEnds.length > 2 * MAX_ENDS) this.#ownEnds = this.#ownEnds.slice(-MAX_ENDS);
    this.#addEnd(end);
    if (this.#watchers.size > 0) this.#newOwnEnds.push(end);
  }

  /** These have accounts now, or none any more. */
  accountsChanged(usernames: readonly string[]): void {
    if (this.#asksOthers) this.#users.accountsChanged(usernames);
  }

  /** These came into the log. */
  passed(segments: readonly Segment[]): void {
    this.#channels.passed(segments);
  }

  /** Something happened that should be seen at once. */
  soon(): void {
    if (this.#passing === undefined || this.#isSoon) return;
    this.#isSoon = true;
    this.#lookAfter(SOON_MS);
  }

  /** There is a way to another server. */
  met(serverId: string): void {
    if (this.#asksOthers) this.#parts.say({ command: "OBSERVE", active: true }, serverId);
  }

  /** There is no way to the server any more. Its last words remain. */
  gone(serverId: string): void {
    this.#watchers.delete(serverId);
    this.#noteLost(serverId);
    this.soon();
    this.#endIfUnseen();
  }

  /** Another server says that somebody looks there, or nobody any more. */
  onObserve(serverId: string, { active }: ObserveMessage): void {
    if (this.#isStopped) return;
    if (!active) {
      this.#watchers.delete(serverId);
      return this.#endIfUnseen();
    }
    this.#begin();
    this.#watchers.set(serverId, { isTold: false });
    this.#isSoon = true;
    this.#lookAfter(0);
  }

  /** Another server tells how it is. */
  onObserved(serverId: string, { reset, patch, ends, events }: ObservedMessage): void {
    if (!this.#asksOthers) return;
    this.#told.set(serverId, receivedView(reset ? {} : this.#told.get(serverId) ?? {}, patch));
    if (reset) this.#ends = this.#ends.filter((end) => end.server !== serverId || end.reason === "SERVER_LOST");
    // It speaks for itself alone.
    for (const end of ends) if (end.reason !== "SERVER_LOST") this.#addEnd(receivedEnd(end, serverId));
    this.live.addTold(events.map(receivedEvent).filter((event) => event !== undefined));
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#lingering?.cancel();
    this.#observers.clear();
    this.#watchers.clear();
    this.live.close();
  }

  #begin(): void {
    if (this.#passing !== undefined) return;
    const { clock, log } = this.#parts;
    this.#passing = new ActivityFeed(log);
    this.live.renew(clock.wallMs());
    this.#channels.begin(clock.nowMs());
    this.#lookAfter(LOOK_MS);
  }

  #askOthers(active: boolean): void {
    this.#lingering?.cancel();
    this.#lingering = undefined;
    if (this.#asksOthers === active) return;
    this.#asksOthers = active;
    this.live.recordedSinceMs = active ? this.#parts.clock.wallMs() : undefined;
    this.#parts.say({ command: "OBSERVE", active });
  }

  /** Nobody looks here any more, or only for a moment. */
  #linger(): void {
    if (this.#isStopped) return;
    this.#lingering = this.#parts.clock.after(LINGER_MS, () => {
      this.#askOthers(false);
      this.#told.clear();
      this.#network = NOTHING;
      this.#users.forget();
      this.#activities = [];
      this.#newEnds = [];
      // Also those of others: who is killed meanwhile cannot tell them again.
      this.#ends = this.#ends.slice(-MAX_ENDS);
      this.#given = undefined;
      this.#endIfUnseen();
    });
  }

  #endIfUnseen(): void {
    if (this.#asksOthers || this.#watchers.size > 0) return;
    this.#timer?.cancel();
    this.#passing = undefined;
    this.#channels.end();
    this.#own = NOTHING;
    this.#newOwnEnds = [];
    this.live.close();
  }

  #lookAfter(delayMs: number): void {
    if (this.#isStopped) return;
    this.#timer?.cancel();
    this.#timer = this.#parts.clock.after(delayMs, () => {
      this.#isSoon = false;
      try {
        this.#look();
      } finally {
        this.#lookAfter(LOOK_MS);
      }
    });
  }

  /** Finds the changes, and tells everybody who looks. */
  #look(): void {
    const { clock, own } = this.#parts;
    this.#given = undefined;
    const events = this.live.renew(clock.wallMs());
    const now = { ...own(), channels: this.#channels.look(clock.nowMs()) } as unknown as JsonObject;
    this.#tellWatchers(now, events);
    this.#own = now;
    if (!this.#asksOthers) return;
    const { activities, skipped } = this.#passing!.look();
    this.#activities = [...this.#activities, ...activities].slice(-MAX_ACTIVITIES);
    const before = this.#network;
    const takenBack = this.#lookForLost();
    this.#network = this.#servers();
    const more = { ...this.#users.look(), ...this.#newlyLaidDown() };
    const ends = this.#newEnds;
    this.#newEnds = [];
    if (this.#observers.size === 0) return;
    const patch = { ...diff(before, this.#network), ...more };
    const change: NetworkChange = {
      ...{ at: clock.wallMs(), patch: patch as NetworkChange["patch"], ends, activities, skipped },
      ...(takenBack.length === 0 ? {} : { takenBack }),
    };
    for (const observer of this.#observers) observer.changed(change);
  }

  #newlyLaidDown(): JsonObject {
    const laidDown = this.#parts.laidDown();
    if (laidDown === this.#laidDown) return NOTHING;
    this.#laidDown = laidDown;
    return { laidDown };
  }

  #tellWatchers(now: JsonObject, events: readonly TraceEvent[]): void {
    const ends = this.#newOwnEnds;
    this.#newOwnEnds = [];
    if (this.#watchers.size === 0) return;
    const told = events as readonly unknown[] as readonly JsonObject[];
    let changes: readonly ObservedMessage[] | undefined;
    let whole: readonly ObservedMessage[] | undefined;
    for (const [serverId, watcher] of this.#watchers) {
      const messages = watcher.isTold
        ? changes ??= observedMessages(false, diff(this.#own, now) ?? NOTHING, ends, told)
        : whole ??= observedMessages(true, now, this.#ownEnds.slice(-MAX_ENDS), told);
      watcher.isTold = true;
      for (const message of messages) this.#parts.say(message, serverId);
    }
  }

  /** The known servers and connections, and the channels. */
  #servers(): JsonObject {
    const { named: { serverId }, members, clock } = this.#parts;
    const wallOffsetMs = clock.wallMs() - clock.nowMs();
    const { server, connections, channels = {} } = this.#own as unknown as OwnView;
    const servers: [string, unknown][] = [[serverId, server]];
    const rows: [string, unknown][] = [[serverId, connections]];
    const readers = [channels];
    for (const member of members()) {
      const told = this.#told.get(member.serverId);
      const isGone = member.state === "dead" || member.state === "left";
      const lostClients = isGone ? this.#lost.countOf(member.serverId) : 0;
      const view = otherServerView(member, told?.server, wallOffsetMs);
      servers.push([member.serverId, lostClients === 0 ? view : { ...view, lostClients }]);
      if (told?.connections !== undefined && !isGone) rows.push([member.serverId, told.connections]);
      if (told?.channels !== undefined && !isGone) readers.push(told.channels);
    }
    const known = { servers: Object.fromEntries(servers), connections: Object.fromEntries(rows) };
    return { ...known, ...this.#channels.view(readers) } as JsonObject;
  }

  #noteLost(serverId: string): void {
    const { clock, members, lostWith } = this.#parts;
    const member = members().find((member) => member.serverId === serverId);
    if (member === undefined || this.#isStopped) return;
    this.#lost.lost({
      serverId,
      name: endpointText(member),
      at: clock.wallMs(),
      startedAt: member.about?.startedAt || undefined,
      users: lostWith?.(serverId) ?? [],
      connections: Object.values(this.#told.get(serverId)?.connections ?? {}),
    });
  }

  /** Adds ends of connections with servers that are dead. Gives the servers whose ends were no ends. */
  #lookForLost(): readonly string[] {
    const members = new Map(this.#parts.members().map((member) => [member.serverId, member]));
    const { told, takenBack } = this.#lost.look((serverId) => {
      const member = members.get(serverId);
      return member && { state: member.state, startedAt: member.about?.startedAt || undefined };
    });
    for (const end of told) this.#addEnd(end);
    if (takenBack.length > 0) {
      this.#ends = this.#ends.filter(({ server, reason }) => reason !== "SERVER_LOST" || !takenBack.includes(server));
    }
    return takenBack;
  }

  /** The base of the next change. Everybody who looks gets everything that is not in it. */
  #freshView(): NetworkView {
    if (!this.#isStopped) unlessUnreadable(() => this.#lookAnew());
    return this.#lastView;
  }

  #lookAnew(): void {
    const atMs = this.#parts.clock.nowMs();
    if (this.#given === undefined || atMs - this.#given.atMs >= FRESH_MS) {
      this.#look();
      this.#given = { view: this.#view(), atMs };
    }
    this.#lastView = this.#given.view;
  }

  #view(): NetworkView {
    const { named: { serverId }, clock } = this.#parts;
    return {
      at: clock.wallMs(),
      from: serverId,
      ...this.#network as unknown as Pick<NetworkView, "servers" | "connections" | "channels" | "channelsLeftOut">,
      ...this.#users.view(),
      laidDown: this.#laidDown,
      ends: this.#ends.slice(-MAX_ENDS),
      activities: this.#activities,
    };
  }

  #addEnd(end: EndView): void {
    this.#ends.push(end);
    if (this.#ends.length > 2 * MAX_ENDS) this.#ends = this.#ends.slice(-MAX_ENDS);
    if (this.#asksOthers) this.#newEnds.push(end);
    if (this.#newEnds.length > 2 * MAX_ENDS) this.#newEnds = this.#newEnds.slice(-MAX_ENDS);
  }
}
