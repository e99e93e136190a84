/**
 * Who reads a channel, in the whole network, for those who ask. A server tells the others which channels its clients
 * ask about; these answer with their own readers, and tell what changes. Where nobody asks nothing is noted and nothing
 * is said. `local_readers.ts` has the readers here, `watched_channel.ts` what is asked here.
 */

import type { Clock, Timer } from "../../platform/clock.ts";
import type { FaultGuard } from "../../platform/faults.ts";
import type { PatternSet } from "../../protocol/channels/pattern_set.ts";
import type { ChannelTalkMessage } from "../../protocol/peer/channel_talk.ts";
import { type LocalChange, type LocalReader, LocalReaders } from "./local_readers.ts";
import { type Asker, LINGER_MS, type TakeList, WatchedChannel } from "./watched_channel.ts";

/** What the board needs of its node. */
export interface ReaderBoardParts {
  /** This server. It can get another name. */
  readonly named: { readonly serverId: string };
  readonly clock: Pick<Clock, "nowMs" | "after">;
  readonly faults: FaultGuard;
  /** All sessions here. */
  readonly sessions: Iterable<LocalReader>;
  /** The linked servers that know channels: no client of another one reads any. */
  others(): Iterable<string>;
  say(message: ChannelTalkMessage, to: string): void;
  /** The server's Lamport time of something that happens now, or after a message came that was sent at `lamport`. */
  tick(lamport?: number): number;
}

/** A question about a channel. */
export interface ReadersQuestion {
  readonly channel: string;
  /** As in `ListUsersMessage`. */
  readonly presence: boolean | undefined;
}

/** Channels that one client can ask about at a time, and questions of it that wait. */
export const MAX_ASKED_PER_CLIENT = 32;
/** Channels that are watched for clients of one server: no more are noted for another server either. */
export const MAX_WATCHED = 1_000;

/** One server's. */
export class ReaderBoard {
  readonly #parts: ReaderBoardParts;
  readonly #local = new LocalReaders();
  /** What clients here ask about. */
  readonly #watched = new Map<string, WatchedChannel>();
  /** The channels that each client asks about. */
  readonly #asked = new Map<Asker, Set<string>>();
  /** What other servers ask about, and which. */
  readonly #peers = new Map<string, Set<string>>();
  #sweep: Timer | undefined;

  constructor(parts: ReaderBoardParts) {
    this.#parts = parts;
  }

  /**
   * Answers `asker`, in this call or later, unless it is gone before. Gives whose limit stands against it, if one does:
   * then nothing follows.
   */
  ask(
    { channel, presence }: ReadersQuestion,
    asker: Asker,
    answer: TakeList,
  ): "client" | "server" | undefined {
    const asked = this.#asked.get(asker) ?? new Set<string>();
    if (!asked.has(channel) && asked.size >= MAX_ASKED_PER_CLIENT) return "client";
    const watched = this.#watched.get(channel);
    if (watched !== undefined && watched.waitingOf(asker) >= MAX_ASKED_PER_CLIENT) return "client";
    if (watched === undefined && this.#watched.size >= MAX_WATCHED) return "server";
    this.#asked.set(asker, asked.add(channel));
    (watched ?? this.#begin(channel)).ask(asker, presence, answer);
    return undefined;
  }

  /** A client is gone, whether it has asked or not. */
  gone(asker: Asker): void {
    const asked = this.#asked.get(asker);
    if (asked === undefined) return;
    this.#asked.delete(asker);
    for (const channel of asked) this.#watched.get(channel)?.leave(asker);
    this.#letGo(asked);
  }

  // ---- readers here ----------------------------------------------------------------------------------------------

  /** A session begins here. It is among `sessions` already. */
  came(session: LocalReader): void {
    this.#changed(this.#local.came(session));
  }

  /** A session reads something else. */
  changed(username: string, before: PatternSet, after: PatternSet): void {
    this.#changed(this.#local.changed(username, before, after));
  }

  /** A session ends here. It is no longer among `sessions`. */
  went(session: LocalReader, how: "left" | "lost"): void {
    this.#changed(this.#local.went(session, how));
  }

  #changed(changes: readonly LocalChange[]): void {
    const { named, say, tick } = this.#parts;
    for (const change of changes) {
      const { channel, username, event } = change;
      this.#watched.get(channel)?.changed(named.serverId, username, event);
      const peers = this.#peers.get(channel);
      if (peers === undefined) continue;
      const lamport = tick();
      for (const peer of peers) say({ command: "CHANNEL_READER", ...change, lamport }, peer);
    }
  }

  // ---- other servers ---------------------------------------------------------------------------------------------

  /** There is a way to `serverId`. What it asked about before it will ask about again. */
  met(serverId: string): void {
    this.#forget(serverId);
    if (![...this.#parts.others()].includes(serverId)) return;
    for (const [channel, watched] of this.#watched) {
      watched.asked(serverId);
      this.#parts.say({ command: "CHANNEL_WATCH", channel, active: true }, serverId);
    }
  }

  /** Another server says this. */
  heard(serverId: string, message: ChannelTalkMessage): void {
    const { channel } = message;
    switch (message.command) {
      case "CHANNEL_WATCH":
        return message.active ? this.#watchFor(serverId, channel) : this.#unwatchFor(serverId, channel);
      case "CHANNEL_READERS":
        return this.#watched.get(channel)?.settle(serverId, message.users);
      case "CHANNEL_READER":
        return this.#watched.get(channel)?.changed(serverId, message.username, message.event);
    }
  }

  /** `serverId` cannot be reached any more: who read there is lost. */
  serverGone(serverId: string): void {
    this.#forget(serverId);
    for (const watched of this.#watched.values()) watched.serverGone(serverId);
  }

  /** This server had the name `former` until now. */
  renamed(former: string): void {
    for (const [channel, watched] of this.#watched) {
      watched.settle(this.#parts.named.serverId, this.#local.usersOf(channel));
      watched.serverGone(former);
    }
  }

  stop(): void {
    this.#sweep?.cancel();
    for (const watched of this.#watched.values()) watched.stop();
  }

  #watchFor(serverId: string, channel: string): void {
    const { sessions, say } = this.#parts;
    const peers = this.#peers.get(channel) ?? new Set<string>();
    if (!peers.has(serverId) && this.#countOf(serverId) >= MAX_WATCHED) return;
    this.#peers.set(channel, peers.add(serverId));
    this.#local.begin(channel, sessions);
    say({ command: "CHANNEL_READERS", channel, users: this.#local.usersOf(channel) }, serverId);
  }

  #unwatchFor(serverId: string, channel: string): void {
    const peers = this.#peers.get(channel);
    if (!peers?.delete(serverId) || peers.size > 0) return;
    this.#peers.delete(channel);
    if (!this.#watched.has(channel)) this.#local.end(channel);
  }

  #forget(serverId: string): void {
    for (const channel of [...this.#peers.keys()]) this.#unwatchFor(serverId, channel);
  }

  #countOf(serverId: string): number {
    let count = 0;
    for (const peers of this.#peers.values()) if (peers.has(serverId)) count++;
    return count;
  }

  // ---- what is asked here ----------------------------------------------------------------------------------------

  #begin(channel: string): WatchedChannel {
    const { clock, faults, named, sessions, others, say } = this.#parts;
    this.#local.begin(channel, sessions);
    const asked = [...others()];
    const watched = new WatchedChannel(
      channel,
      { clock, faults, tick: () => this.#parts.tick() },
      { self: named.serverId, users: this.#local.usersOf(channel), others: asked },
    );
    this.#watched.set(channel, watched);
    for (const other of asked) say({ command: "CHANNEL_WATCH", channel, active: true }, other);
    this.#sweepLater();
    return watched;
  }

  /** Ends those of `channels` that are watched for nobody. */
  #letGo(channels: Iterable<string>): void {
    const { clock, others, say } = this.#parts;
    const nowMs = clock.nowMs();
    for (const channel of [...channels]) {
      const watched = this.#watched.get(channel);
      if (watched === undefined || watched.isWatchedAt(nowMs)) continue;
      watched.stop();
      this.#watched.delete(channel);
      if (!this.#peers.has(channel)) this.#local.end(channel);
      for (const other of others()) say({ command: "CHANNEL_WATCH", channel, active: false }, other);
    }
  }

  #sweepLater(): void {
    this.#sweep ??= this.#parts.clock.after(LINGER_MS, () => {
      this.#sweep = undefined;
      this.#letGo(this.#watched.keys());
      for (const [asker, asked] of this.#asked) {
        for (const channel of asked) if (!this.#watched.get(channel)?.has(asker)) asked.delete(channel);
        if (asked.size === 0) this.#asked.delete(asker);
      }
      if (this.#watched.size > 0) this.#sweepLater();
    });
  }
}
