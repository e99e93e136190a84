/**
 * The history, put in order for the checks: who was down, standing still or cut off from whom, who stored what when,
 * and what became of it. Pure.
 */

import { hasOldCopy } from "./old_copies.ts";
import type { Event, Happening, StoredEntry } from "./history.ts";
import type { Schedule } from "./schedule.ts";

/** Something that was promised and did not hold. */
export interface Violation {
  /** Which promise, in a few words: the same for the same kind of fault. */
  readonly promise: string;
  /** What happened instead. */
  readonly what: string;
  readonly at: number;
}

/** Some time, up to but not including `until`. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

/** One entry in one server's log. */
export interface Stored extends StoredEntry {
  readonly server: string;
  readonly at: number;
  /** Its place in the history. */
  readonly index: number;
  /** Whether it was lost again in a power cut, or with the server. */
  isLost: boolean;
}

/** A happening of one kind. */
export type Told<W extends Happening["what"]> = OfKind<Event, W>;
type OfKind<E extends Event, W> = E extends Event ? W extends E["what"] ? E & { readonly what: W } : never : never;

/** After so long two servers know each other: three lines, at some milliseconds each. */
const GREETING_MS = 60;
const SLOW_GREETING_MS = 10_000;

const NO_KEYS: ReadonlySet<string> = new Set();

/** A history and what can be read from it. */
export class Evidence {
  readonly schedule: Schedule;
  readonly events: readonly Event[];
  /** All that was stored, by server and id. */
  readonly stored = new Map<string, Map<string, Stored>>();
  /** Activities and direct messages, by `sender#n`. */
  readonly copies = new Map<string, Stored[]>();
  /** Receipts of direct messages, by `sender#n` of the message. */
  readonly receipts = new Map<string, Stored[]>();
  readonly endedAt: number;
  readonly mendedAt: number;
  readonly destroyed = new Set<string>();
  /**
   * Ids that a server gave out a second time: its disk had lost them in silence, and nobody was there
   * who could have told.
   */
  readonly givenTwice = new Set<string>();
  /** Names whose account stood under such an id before. */
  readonly accountsGivenTwice = new Set<string>();
  /** Origins that a server has forgotten as a whole, and up to which number: by server. */
  readonly forgotten = new Map<string, Map<string, number>>();
  /** Names whose account a server has lost, even if it came back from another one. */
  readonly lostAccounts = new Set<string>();
  /** What ever stood under an id: as `sender#n`, and all that tells entries apart. */
  readonly #keys = new Map<string, Set<string>>();
  readonly #contents = new Map<string, Set<string>>();
  /** Former ids of entries that a server took along to a new name. */
  readonly #renamed = new Set<string>();
  /** Direct messages as `sender#n`, by what their senders call them. */
  readonly #messages = new Map<string, string>();
  readonly #down = new Map<string, Span[]>();
  readonly #stopped = new Map<string, Span[]>();
  readonly #busy = new Map<string, Span[]>();
  /** As `from>to`: nothing got through, or slowly. */
  readonly #cut = new Map<string, Span[]>();
  readonly #links = new Map<string, Span[]>();

  constructor(schedule: Schedule, events: readonly Event[]) {
    this.schedule = schedule;
    this.events = events;
    this.endedAt = events.at(-1)?.at ?? 0;
    this.mendedAt = events.find(({ what }) => what === "mended")?.at ?? this.endedAt;
    this.#readStored();
    this.#readForgotten();
    this.#readMachines();
    this.#readNetwork();
    this.#readLinks();
  }

  /** Whether servers keep so little that they forget some of it within the simulation. */
  get hasForgetting(): boolean {
    const { activityRetentionBytes, retention } = this.schedule.settings;
    return activityRetentionBytes < 1_000_000 || retention !== undefined;
  }

  /** All happenings of one kind. */
  told<W extends Happening["what"]>(what: W): Told<W>[] {
    return this.events.filter((event) => event.what === what) as Told<W>[];
  }

  /** When `machine` was down. */
  down(machine: string): readonly Span[] {
    return this.#down.get(machine) ?? [];
  }

  /** When nothing happened on `machine`: it was stopped or busy. */
  stalls(machine: string): readonly Span[] {
    return [...this.stopped(machine), ...this.busy(machine)];
  }

  /** When `machine` was stopped, or asleep. */
  stopped(machine: string): readonly Span[] {
    return this.#stopped.get(machine) ?? [];
  }

  /** When `machine` was in one long turn. */
  busy(machine: string): readonly Span[] {
    return this.#busy.get(machine) ?? [];
  }

  /** When nothing, or only slowly something, got from one machine to the other or back. */
  cut(a: string, b: string): readonly Span[] {
    return [...this.#cut.get(`${a}>${b}`) ?? [], ...this.#cut.get(`${b}>${a}`) ?? []];
  }

  /** When `server` had a connection with `peer`, as it knew. */
  links(server: string, peer: string): readonly Span[] {
    return this.#links.get(`${server}>${peer}`) ?? [];
  }

  /** When two servers had a connection on which both had said who they are, at the latest. */
  greeted(server: string, peer: string): Span[] {
    return this.links(server, peer).map(({ from, until }) => {
      const isSlow = overlaps(
        [...this.cut(server, peer), ...this.stalls(server), ...this.stalls(peer)],
        from - 1,
        from + GREETING_MS,
      );
      return { from: from + (isSlow ? SLOW_GREETING_MS : GREETING_MS), until };
    }).filter(({ from, until }) => from < until);
  }

  /**
   * Whether, in that time, the two could not talk as they should: one of them was down or stood still, or
   * something was between them.
   */
  wereApart(a: string, b: string, from: number, until: number): boolean {
    const spans = [...this.cut(a, b), ...this.down(a), ...this.down(b), ...this.stalls(a), ...this.stalls(b)];
    return overlaps(spans, from, until);
  }

  /** The machine that gave an origin, or the one of an id, its name: `"s2-1"` was `"s2"` before. */
  machineOf(origin: string): string {
    return origin.split(/[-:]/)[0]!;
  }

  /** What `machine` was called at that time, or is called since it started for the last time before. */
  nameAt(machine: string, at: number): string | undefined {
    const named = this.events.findLast((event) =>
      (event.what === "started" || event.what === "renamed") && event.who === machine && event.at <= at
    );
    return (named as Told<"started"> | undefined)?.serverId;
  }

  /** When `server` lost an entry for the last time, up to some time. */
  lossOf(server: string, id: string, until: number): number | undefined {
    return this.told("lost entries").findLast(({ who, ids, at }) => who === server && at <= until && ids.includes(id))
      ?.at;
  }

  /** Whether `server` has forgotten this entry with its whole origin. */
  hasForgotten(server: string, origin: string, sequence: number): boolean {
    return (this.forgotten.get(server)?.get(origin) ?? 0) >= sequence;
  }

  /** Whether `sender#n` was old enough, before the end, that servers do not keep it any longer. */
  wasOld(key: string): boolean {
    const { retention } = this.schedule.settings;
    const oldestAt = Math.min(...this.copies.get(key)?.map(({ at }) => at) ?? []);
    return retention !== undefined && oldestAt <= this.endedAt - retention.entriesMs;
  }

  /** Whether `sender#n` is, at the end, in the log of a server that is left. */
  survives(key: string): boolean {
    return this.copies.get(key)?.some(({ isLost }) => !isLost) ?? false;
  }

  /** What has ever stood under `id`, as `sender#n`: more than one where the number was given out twice. */
  keysOfEntry(id: string): ReadonlySet<string> {
    return this.#keys.get(id) ?? NO_KEYS;
  }

  /** Which direct message its sender calls `messageId`, as `sender#n`, if a server has ever stored it. */
  keyOfMessage(messageId: string): string | undefined {
    return this.#messages.get(messageId);
  }

  /** Whether there were two entries under `id`, or the one that there was got another name later. */
  isNumberedTwice(id: string): boolean {
    return this.#renamed.has(id) || (this.#contents.get(id)?.size ?? 0) > 1;
  }

  /** Whether `sender#n` ever stood under such an id. */
  wasNumberedTwice(key: string): boolean {
    return this.copies.get(key)?.some(({ id }) => this.isNumberedTwice(id)) ?? false;
  }

  /** The logins of those who are there when the history ends. */
  get sessionsAtTheEnd(): Told<"entered">[] {
    const gone = new Set<string>();
    const newest = new Map<string, Told<"entered">>();
    for (const event of this.events) {
      if (event.what === "entered") newest.set(event.who, event);
      else if (event.what === "left") gone.add(event.session);
      else if (event.what === "died") newest.delete(event.who);
    }
    return [...newest.values()].filter(({ session }) => !gone.has(session));
  }

  #readStored(): void {
    this.events.forEach((event, index) => {
      const { who, at } = event;
      if (event.what === "stored") {
        const server = this.stored.get(who) ?? new Map<string, Stored>();
        this.stored.set(who, server);
        for (const entry of event.entries) {
          const stored = { ...entry, server: who, at, index, isLost: false };
          const isOwn = this.machineOf(entry.id) === who;
          const isSilent = this.schedule.settings.cuts === "silent" || hasOldCopy(this.schedule);
          const before = server.get(entry.id);
          if (isOwn && isSilent && before?.isLost) {
            this.givenTwice.add(entry.id);
            if (before.account !== undefined) this.accountsGivenTwice.add(before.account.username);
          }
          server.set(entry.id, stored);
          this.#noteContent(entry);
          if (entry.receiptOf !== undefined) this.#noteReceipt(stored);
          if (entry.sender === undefined) continue;
          const key = `${entry.sender}#${entry.n}`;
          if (entry.messageId !== undefined) this.#messages.set(entry.messageId, key);
          const copies = this.copies.get(key);
          if (copies === undefined) this.copies.set(key, [stored]);
          else copies.push(stored);
        }
      } else if (event.what === "lost entries") {
        for (const id of event.ids) {
          const stored = this.stored.get(who)?.get(id);
          if (stored !== undefined) this.#lose(stored);
        }
      } else if (event.what === "renamed") {
        for (const id of event.ids) {
          const stored = this.stored.get(who)?.get(id);
          if (stored !== undefined) stored.isLost = true;
          if (this.machineOf(id) === who) this.#renamed.add(id);
        }
      } else if (event.what === "died" && event.how === "destroy") {
        this.destroyed.add(who);
        for (const stored of this.stored.get(who)?.values() ?? []) this.#lose(stored);
      }
    });
  }

  #readForgotten(): void {
    for (const { who, origins } of this.told("forgot origins")) {
      const all = this.forgotten.get(who) ?? new Map<string, number>();
      this.forgotten.set(who, all);
      for (const [origin, last] of Object.entries(origins)) all.set(origin, last);
    }
  }

  #noteContent({ id, sender, n, receiptOf, account, record }: StoredEntry): void {
    addTo(this.#contents, id, JSON.stringify([sender, n, receiptOf, account, record]));
    if (sender !== undefined) addTo(this.#keys, id, `${sender}#${n}`);
  }

  #noteReceipt(receipt: Stored): void {
    const key = this.keyOfMessage(receipt.messageId!);
    if (key === undefined) return;
    const receipts = this.receipts.get(key);
    if (receipts === undefined) this.receipts.set(key, [receipt]);
    else receipts.push(receipt);
  }

  #lose(stored: Stored): void {
    stored.isLost = true;
    if (stored.account !== undefined) this.lostAccounts.add(stored.account.username);
  }

  #readMachines(): void {
    const downSince = new Map<string, number>();
    for (const server of this.schedule.servers) downSince.set(server, 0);
    const stalledSince = new Map<string, number>();
    const goesOn = (who: string, at: number) => {
      const since = stalledSince.get(who);
      stalledSince.delete(who);
      if (since !== undefined) note(this.#stopped, who, since, at);
    };
    for (const { who, at, ms } of this.told("busy")) note(this.#busy, who, at, at + ms);
    for (const { who, at, what } of this.events) {
      if (what === "started" || what === "connected") {
        const since = downSince.get(who);
        downSince.delete(who);
        if (since !== undefined) note(this.#down, who, since, at);
      } else if (what === "died" || what === "ended" || what === "stopping") {
        if (!downSince.has(who)) downSince.set(who, at);
        goesOn(who, at);
      } else if (what === "stalled") stalledSince.set(who, at);
      else if (what === "went on") goesOn(who, at);
      else if (what === "mended") { for (const stalled of [...stalledSince.keys()]) goesOn(stalled, at); }
    }
    for (const [who, since] of downSince) note(this.#down, who, since, Infinity);
  }

  #readNetwork(): void {
    const open = new Map<string, number>();
    const slowMs = new Map<string, number>();
    for (const event of this.events) {
      if (event.what === "mended" || (event.what === "step" && event.step.kind === "heal")) {
        // What was sent before that is as late as it was to be, and what is sent after it does not overtake it.
        for (const [pair, since] of open) note(this.#cut, pair, since, event.at + (slowMs.get(pair) ?? 0));
        open.clear();
        slowMs.clear();
      }
      const { at } = event;
      const begin = (a: string, b: string) => {
        if (!open.has(`${a}>${b}`)) open.set(`${a}>${b}`, at);
      };
      if (event.what === "cut off") begin(event.from, event.to);
      if (event.what !== "step") continue;
      const { step } = event;
      if (step.kind === "slow") {
        begin(step.a, step.b);
        const pair = `${step.a}>${step.b}`;
        slowMs.set(pair, Math.max(step.ms, slowMs.get(pair) ?? 0));
      } else if (step.kind === "reset") note(this.#cut, `${step.a}>${step.b}`, at, at + 1);
    }
    for (const [pair, since] of open) note(this.#cut, pair, since, Infinity);
  }

  #readLinks(): void {
    const up = new Map<number, Map<string, number>>();
    for (const event of this.events) {
      if (event.what === "link up") {
        const ends = up.get(event.link) ?? new Map<string, number>();
        ends.set(event.who, event.at);
        up.set(event.link, ends);
      } else if (event.what === "link down") {
        const since = up.get(event.link)?.get(event.who);
        up.get(event.link)?.delete(event.who);
        if (since !== undefined) note(this.#links, `${event.who}>${event.peer}`, since, event.at);
      }
    }
    for (const event of this.told("link up")) {
      const since = up.get(event.link)?.get(event.who);
      if (since === event.at) note(this.#links, `${event.who}>${event.peer}`, since, Infinity);
    }
  }
}

/** Whether one of `spans` has something of the time from `from` to `until`. */
export function overlaps(spans: readonly Span[], from: number, until: number): boolean {
  return spans.some((span) => span.from < until && span.until > from);
}

/** How much of the time from `from` to `until` lies in `spans`, which do not overlap. */
export function overlapMs(spans: readonly Span[], from: number, until: number): number {
  return spans.reduce((sum, span) => sum + Math.max(0, Math.min(span.until, until) - Math.max(span.from, from)), 0);
}

function addTo(sets: Map<string, Set<string>>, key: string, value: string): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([value]));
  else set.add(value);
}

function note(spans: Map<string, Span[]>, key: string, from: number, until: number): void {
  if (from >= until) return;
  const all = spans.get(key);
  if (all === undefined) spans.set(key, [{ from, until }]);
  else all.push({ from, until });
}
