/** A server of the simulator: the real node, over and over again on the same disk. */

import { type ConfigLayer, DEFAULT_CONFIG } from "../../config/config.ts";
import { layered } from "../../config/load.ts";
import type { Audience, LineRange, Segment } from "../../log/segment.ts";
import { takeBack } from "../../log/vector.ts";
import { ThrumNode } from "../../server/node/node.ts";
import { nodeCrypto, type SecretCrypto } from "../../platform/crypto.ts";
import { formatEntryId } from "../../protocol/entry_id.ts";
import { unlessUnreadable, UnreadableError } from "../../server/journal/unreadable_store.ts";
import type { Batch, Store } from "../../server/store/store.ts";
import { Chance } from "./chance.ts";
import { Disk, type DiskCopy, type SlowSyncs } from "./disk.ts";
import type { StoredEntry } from "./history.ts";
import { keyOf, ofLine } from "./numbered.ts";
import { type Calendar, Process } from "./process.ts";
import type { Action, Settings } from "./schedule.ts";
import type { Surroundings } from "./surroundings.ts";

/** Where all servers listen, each on its own machine. */
export const SERVER_PORT = 8000;
/** What all servers of the network know. */
export const SECRET = "cluster secret";
/** How the servers supervise their clients. Short, as everything waits for the longest of these. */
export const HEARTBEAT = { idleTimeoutMs: 3_000, intervalMs: 1_000, count: 1 };
/** Time to log in. */
export const IDENTIFY_TIMEOUT_MS = 3_000;

/** What operators say of themselves. */
const OPERATOR = "operator";
/** What a server is asked for. */
const RULINGS = {
  ban: { kind: "ban" },
  lift: { kind: "ban", lifts: true },
  disable: { kind: "disabled" },
  enable: { kind: "disabled", lifts: true },
  delete: { kind: "deleted" },
} as const;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** One machine with a server. */
export class SimServer {
  readonly name: string;
  readonly #others: readonly string[];
  readonly #settings: Settings;
  readonly #around: Surroundings;
  readonly #chance: Chance;
  readonly #disk: Disk;
  /** Its machine's. */
  readonly calendar: Calendar = { aheadMs: 0 };
  #process: Process | undefined;
  #store: Store | undefined;
  #crashAt: "before commit" | "after commit" | undefined;
  #isOff = false;
  #isDestroyed = false;

  constructor(name: string, servers: readonly string[], settings: Settings, around: Surroundings) {
    this.name = name;
    this.#others = servers.filter((server) => server !== name);
    this.#settings = settings;
    this.#around = around;
    this.#chance = new Chance(around.seed, `server ${name}`);
    this.#disk = new Disk(name);
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  get isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  get process(): Process | undefined {
    return this.#process;
  }

  /** What it has of the log; `undefined` while it is down. */
  get vector(): Readonly<Record<string, number>> | undefined {
    return this.#process && this.#vector;
  }
  #vector: Record<string, number> = {};
  /** Origins that it has forgotten as a whole. */
  readonly #forgotten = new Set<string>();

  /** Whether it has forgotten this origin as a whole, and nothing of it came since. */
  hasForgotten(origin: string): boolean {
    return this.#forgotten.has(origin) && !Object.hasOwn(this.#vector, origin);
  }

  /** Starts it, unless it runs or is no more. */
  start(): void {
    if (this.#process !== undefined || this.#isDestroyed) return;
    const { clock, network, history } = this.#around;
    if (this.#isOff) network.powerOn(this.name);
    this.#isOff = false;
    this.#crashAt = undefined;
    // Whoever starts it has seen to its disk.
    this.#disk.mend();
    const process = new Process(this.name, clock, this.calendar);
    this.#process = process;
    this.#isStarted = false;
    this.#folder = this.#disk.copy();
    const store = this.#disk.open(() => clock.nowMs(), {
      committing: (batch) => this.#committing(batch),
      committed: (batch) => this.#committed(batch),
    }, this.#settings.synchronous === "full" ? this.#syncs(process) : undefined);
    this.#store = store;
    this.#vector = { ...store.opened.vector };
    const config = layered(DEFAULT_CONFIG, this.#config());
    const parts = {
      config,
      clock: process,
      transport: network.transport(process, config.limits.maxPendingBytes),
      store,
      crypto: this.#crypto(process),
      random: () => this.#chance.next(),
      makeServerId: () => this.#disk.makeName(),
      writeTrace: ({ event, peer, what }: { event: string; peer?: string; what?: string }) => {
        if (event !== "closed" || process.isDead) return;
        history.add(this.name, { what: "closed a connection", peer: peer ?? "", reason: what ?? "" });
      },
    };
    const node = new ThrumNode(parts);
    this.#node = node;
    node.start().then(
      () => {
        if (this.#process === process) this.#isStarted = true;
        history.add(this.name, { what: "started", serverId: node.serverId });
      },
      (error) => history.add(this.name, { what: "threw", info: String(error) }),
    );
    node.finished.then(({ reason, error }) => {
      if (process.isDead) return;
      history.add(this.name, { what: "ended", reason, info: error === undefined ? "" : String(error) });
      process.die();
      network.died(process);
      this.#process = undefined;
    });
  }
  #node: ThrumNode | undefined;
  #isStarted = false;

  /** Its folder, as it was before it was started for the last time. */
  #folder: DiskCopy | undefined;

  /** Whether a copy of that would go by its name. */
  get hasFolderOfItsName(): boolean {
    return this.#folder !== undefined && this.#folder.names.at(-1) === this.#node?.serverId;
  }

  /** Gets a copy of that of another one. */
  takeFolderOf(original: SimServer): void {
    this.#disk.putBack(original.#folder!);
  }

  /** Kills it, now or soon. */
  crash(when: "now" | "before commit" | "after commit"): void {
    if (when !== "now") this.#crashAt = when;
    else if (this.#process !== undefined) this.#die("crash");
  }

  /** It does not crash in its next commit after all. */
  spare(): void {
    this.#crashAt = undefined;
  }

  /** After so many more reads its disk fails. */
  failReads(after: number): void {
    if (this.#process !== undefined) this.#disk.failReads(after);
  }

  /** A bit on its disk flips. */
  flip(chance: number): void {
    if (this.#process !== undefined) this.#disk.flip(chance);
  }

  /** Its disk works. */
  mendDisk(): void {
    this.#disk.mend();
  }

  /** Its machine is off, and it has on its disk what `chance` says. */
  powerCut(chance: number): void {
    if (this.#process === undefined) return;
    this.#die("power cut");
    const nowMs = this.#around.clock.nowMs();
    if (this.#settings.synchronous === "full") {
      return this.#disk.powerCutInFull(nowMs, chance, { committed: (batch) => this.#committed(batch) });
    }
    this.#tellLost(this.#disk.powerCut(nowMs, chance, this.#settings.cuts === "noticed"));
  }

  /** Its process is killed, and an old copy of its data is put back. */
  putBack(chance: number): void {
    if (this.#isDestroyed) return;
    if (this.#process !== undefined) this.#die("crash");
    this.#tellLost(this.#disk.putOldBack(chance));
  }

  /** Asks it to stop. */
  stop(): void {
    if (this.#process === undefined || this.#process.isStalled) return;
    this.#around.history.add(this.name, { what: "stopping" });
    void this.#node!.stop();
  }

  /** An operator wants this of it; a secret that it makes is told to `told`. */
  rule({ verdict, username }: Extract<Action, { kind: "rule" }>, told: (secret: string) => void): void {
    const process = this.#process;
    if (process === undefined || process.isStalled || !this.#isStarted) return;
    const { clock, history } = this.#around;
    const askedAt = clock.nowMs();
    // As through a door: when its store cannot be read it ends, and says nothing more.
    const laidDown = unlessUnreadable(() =>
      verdict === "reset"
        ? this.#node!.resetSecret(username, OPERATOR)
        : this.#node!.rule({ ...RULINGS[verdict], about: username, by: OPERATOR })
    );
    laidDown?.catch((error) => {
      if (!(error instanceof UnreadableError)) throw error;
    }).then((result) => {
      if (process.isDead || result === undefined) return;
      const problem = result.ok ? {} : { problem: result.problem };
      history.add(this.name, { what: "ruled", verdict, username, askedAt, isLaidDown: result.ok, ...problem });
      if ("secret" in result) told(result.secret);
    });
  }

  /** Writes down how it judges. */
  tellJudgement(): void {
    const rulings: Record<string, string> = {};
    const barred = new Set<string>();
    for (const { kind, about, terms } of this.#node!.rulings) {
      rulings[`${kind} ${about}`] = JSON.stringify(terms);
      const account = this.#store!.account(about);
      const isOfAccount = terms?.claim?.lamport === account?.lamport && terms?.claim?.origin === account?.origin;
      if (kind === "ban" || kind === "disabled" || (kind === "deleted" && isOfAccount)) barred.add(about);
    }
    this.#around.history.add(this.name, { what: "judges", rulings, barred: [...barred] });
  }

  /** It will never be back. */
  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    if (this.#process !== undefined) this.#die("destroy");
    else this.#around.history.add(this.name, { what: "died", how: "destroy" });
  }

  /** Writes down what it has, from its own store. */
  tellEnd(): void {
    const store = this.#store!;
    const log = new Map<string, { line: string; isFor: string }>();
    for (let after = 0;;) {
      const segments = store.segmentsAfter(after, 1_000_000);
      if (segments.length === 0) break;
      for (const segment of segments) {
        after = segment.position;
        linesOf(segment).forEach((line, index) => {
          const id = formatEntryId({ origin: segment.origin, sequence: segment.first + index });
          log.set(id, { line, isFor: isForOf(segment) });
        });
      }
    }
    const accounts = Object.fromEntries(
      store.usernames().map((username) => [username, store.account(username)!.verifier]),
    );
    const inboxes: Record<string, Record<string, string>> = {};
    for (const username of Object.keys(accounts)) {
      for (const { origin, sequence, line } of store.inboxOf(username)) {
        const numbered = ofLine(line);
        if (numbered === undefined) continue;
        (inboxes[username] ??= {})[keyOf(numbered)] = formatEntryId({ origin, sequence });
      }
    }
    const vector = sorted(this.#vector);
    this.#around.history.add(this.name, { what: "ended with", vector, log, accounts, inboxes });
  }

  /** Its disk has lost something, and these entries with it. */
  #tellLost(lost: readonly Segment[]): void {
    const { history } = this.#around;
    const since = this.#disk.lostSince;
    if (since !== undefined) history.add(this.name, { what: "lost commits", since });
    if (lost.length > 0) history.add(this.name, { what: "lost entries", ids: lost.flatMap(idsOf) });
  }

  #die(how: "crash" | "power cut" | "destroy"): void {
    const process = this.#process!;
    const { network, history } = this.#around;
    history.add(this.name, { what: "died", how });
    this.#process = undefined;
    process.die();
    if (how === "crash") network.died(process);
    else {
      this.#isOff = true;
      network.powerOff(process);
    }
  }

  /** Its disk takes a moment for what was written. A chance of its own leaves all else as it was. */
  #syncs(process: Process): SlowSyncs {
    const chance = new Chance(this.#around.seed, `disk ${this.name}`);
    let doneAt = 0;
    return {
      synced: (run) => {
        const nowMs = this.#around.clock.nowMs();
        // In order, as a disk has one queue.
        doneAt = Math.max(doneAt, nowMs + chance.whole(0, 30));
        process.after(doneAt - nowMs, run);
      },
    };
  }

  #committing({ segments }: Batch): boolean {
    if (this.#crashAt !== "before commit" || segments.length === 0 || this.#process === undefined) return true;
    this.#die("crash");
    return false;
  }

  #committed({ segments, renamed, buried = {} }: Batch): void {
    for (const origin of Object.keys(buried)) {
      delete this.#vector[origin];
      this.#forgotten.add(origin);
    }
    if (Object.keys(buried).length > 0) {
      this.#around.history.add(this.name, { what: "forgot origins", origins: buried });
    }
    if (renamed !== undefined) {
      const { former, after, serverId } = renamed;
      const last = this.#vector[former] ?? 0;
      takeBack(this.#vector, former, after);
      const ids = last <= after ? [] : idsOf({ origin: former, first: after + 1, last });
      this.#around.history.add(this.name, { what: "renamed", serverId, ids });
    }
    for (const { origin, last } of segments) this.#vector[origin] = last;
    if (segments.length === 0) return;
    this.#around.history.add(this.name, { what: "stored", entries: segments.flatMap(storedEntries) });
    if (this.#crashAt === "after commit" && this.#process !== undefined) this.#die("crash");
  }

  #config(): ConfigLayer {
    const { durability, holdBackMs, maxPendingBytes, tailBytes, activityRetentionBytes, retention } = this.#settings;
    return {
      server: { host: this.name, port: SERVER_PORT },
      heartbeat: HEARTBEAT,
      limits: { maxPendingBytes, tailBytes, identifyTimeoutMs: IDENTIFY_TIMEOUT_MS },
      cluster: {
        secret: SECRET,
        join: this.#others.map((server) => `${server}:${SERVER_PORT}`),
        durability,
        holdBackMs,
        ...(retention === undefined ? {} : { memberRetentionMs: retention.membersMs }),
      },
      store: {
        activityRetentionBytes,
        ...(retention === undefined ? {} : {
          activityRetentionMs: retention.entriesMs,
          directMessageRetentionMs: retention.entriesMs,
          messageIdRetentionMs: retention.entriesMs,
        }),
      },
    };
  }

  #crypto(process: Process): SecretCrypto {
    return {
      ...nodeCrypto,
      // A key from which the secret can be read, so that the checker can tell whose it is.
      scrypt: (secret) =>
        new Promise((resolve) => {
          process.after(this.#chance.whole(2, 60), () => resolve(new TextEncoder().encode(secret)));
        }),
      randomBytes: (length) => this.#chance.bytes(length),
    };
  }
}

function storedEntries(segment: Segment): StoredEntry[] {
  const { origin, first, audience } = segment;
  let start = 0;
  return linesOf(segment).map((line, index): StoredEntry => {
    const sequence = first + index;
    const { command, username, verifier, to, of, key, value, setAt, setBy, lamport, messageId } = JSON.parse(line);
    const channel = channelOf(audience, start);
    start += encoder.encode(line).length + 1;
    const entry = { id: formatEntryId({ origin, sequence }), isFor: isForOf(segment) };
    if (command === "ACCOUNT") return { ...entry, account: { username, verifier } };
    if (command === "RECEIPT") return { ...entry, receiptOf: of, messageId };
    if (command === "RECORD") {
      const record = { of, key, value: JSON.stringify(value), lamport: setAt ?? lamport, origin: setBy ?? origin };
      return { ...entry, record };
    }
    const more = command === "DIRECT_MESSAGE" ? { to, messageId } : channel === undefined ? {} : { channel };
    return { ...entry, ...ofLine(line), ...more };
  });
}

/** The channel of the line that begins there, as the segment's table says. */
function channelOf(audience: Audience, start: number): string | undefined {
  if (audience.kind !== "channels") return undefined;
  const isThere = (range: LineRange) => range.start <= start && start < range.end;
  return audience.channels.find(({ ranges }) => ranges.some(isThere))?.name;
}

/** Whether lines of other channels share its segment says nothing of an entry. */
function isForOf({ audience: { kind } }: Segment): StoredEntry["isFor"] {
  return kind === "channels" ? "everyone" : kind;
}

function idsOf({ origin, first, last }: Pick<Segment, "origin" | "first" | "last">): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => formatEntryId({ origin, sequence: first + index }));
}

function linesOf({ bytes }: Segment): string[] {
  return decoder.decode(bytes).split("\n").slice(0, -1);
}

function sorted(vector: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(vector).toSorted(([a], [b]) => a < b ? -1 : 1));
}
