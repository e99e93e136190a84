/**
 * The members of the network, their states, and whom to call when. A member is *linked*. It is *suspect* when its link
 * is silent or was just lost. It is *dead* when it was given up or cannot be reached. It has *left* when it said so.
 * All members without a link are called again, ever more rarely. Pure: time and chance come in.
 */

import type { Endpoint } from "../../platform/address.ts";
import type { Member, MemberAbout, MemberState } from "../backplane/member.ts";
import type { Vector } from "../../log/vector.ts";
import { CHANNELS_FEATURE } from "../../protocol/peer/peer_message.ts";

/** What a server says about itself. */
export interface MemberReport extends Endpoint {
  readonly serverId: string;
  readonly load: number;
  readonly weight: number;
  readonly online: boolean;
  readonly vector: Vector;
  /** Whether `vector` has only what has moved since its last report. */
  readonly changes?: boolean;
  readonly members: readonly (Endpoint & { readonly serverId: string })[];
  readonly about?: MemberAbout;
  /** What it has offered in the greeting. */
  readonly features?: readonly string[];
}

/** Calls to one address. */
interface Calls {
  readonly address: Endpoint;
  /** The member that was last met there. */
  serverId: string | undefined;
  failures: number;
  callAt: number;
  isCalling: boolean;
  /** The call has become a link to a server of the older dialect. That is no member, and is not called meanwhile. */
  isOlder: boolean;
}

/** The longest span between two calls. A random part of a span is waited. */
const MAX_BACKOFF_MS = 30_000;
const DAY_MS = 86_400_000;
/** The first of these spans. */
const FIRST_BACKOFF_MS = 250;

/**
 * The number of servers that one member may name and that were never reached. Each of them is called. A network has far
 * fewer.
 */
const MAX_NAMED_BY_ONE = 64;

/** A server that others name and that was not reached yet. It is called, and nobody else hears of it. */
interface Named {
  readonly address: Endpoint;
  /** Linked servers that name it. */
  readonly by: Set<string>;
}

/** The other servers of the network. */
export class Members {
  #own: string;
  readonly #timeBeforeReconnectMs: number;
  readonly #retentionMs: number;
  readonly #members = new Map<string, Member>();
  readonly #named = new Map<string, Named>();
  /** By address. */
  readonly #calls = new Map<string, Calls>();
  readonly #seeds: ReadonlySet<string>;

  /** Begins with the addresses to join, and the servers that were known before a restart. */
  constructor(
    own: string,
    { seeds, known, timeBeforeReconnectMs, memberRetentionMs = DAY_MS }: {
      readonly seeds: readonly Endpoint[];
      readonly known: readonly (Endpoint & { readonly serverId: string })[];
      readonly timeBeforeReconnectMs: number;
      /** A member that cannot be reached for this long is forgotten. */
      readonly memberRetentionMs?: number;
    },
    nowMs: number,
  ) {
    this.#own = own;
    this.#timeBeforeReconnectMs = timeBeforeReconnectMs;
    this.#retentionMs = memberRetentionMs;
    this.#seeds = new Set(seeds.map(keyOf));
    for (const address of seeds) this.#call(address, undefined, nowMs);
    for (const server of known) this.#learn(server, "suspect", nowMs);
  }

  /** This server has a new name. */
  renamed(own: string): void {
    this.#own = own;
  }

  /** All servers that were reached, now or before, in no special order. */
  get all(): readonly Member[] {
    return [...this.#members.values()];
  }

  get(serverId: string): Member | undefined {
    return this.#members.get(serverId);
  }

  /** Whether there is, or may be, anybody else. */
  get isAlone(): boolean {
    return this.#members.size === 0 && this.#calls.size === 0;
  }

  /** True when every known address has been tried. */
  get allTried(): boolean {
    return [...this.#calls.values()].every(({ serverId, failures, isCalling, isOlder }) => {
      const member = serverId === undefined ? undefined : this.#members.get(serverId);
      return member?.hasLink || isOlder || (failures > 0 && !isCalling);
    });
  }

  /** The addresses to call now. Each call is under way until `linked` or `callFailed`. */
  takeDue(nowMs: number): Endpoint[] {
    const due: Endpoint[] = [];
    // One by one, as a member is called at one of its addresses only.
    for (const calls of this.#calls.values()) {
      if (!this.#isDue(calls, nowMs)) continue;
      calls.isCalling = true;
      due.push(calls.address);
    }
    return due;
  }

  /** When the next call is due. */
  get nextCallAt(): number | undefined {
    const times = [...this.#calls.values()].filter((calls) => this.#mayCall(calls)).map(({ callAt }) => callAt);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /**
   * A call found no server to link with. `chance` is from 0 up to but not including 1. `isClosed` says that something
   * answered and was no server, such as a machine on which nothing listens there.
   */
  callFailed(address: Endpoint, nowMs: number, chance: number, isClosed = false): void {
    const calls = this.#calls.get(keyOf(address));
    if (calls === undefined) return;
    calls.isCalling = false;
    calls.isOlder = false;
    calls.failures++;
    const span = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (calls.failures - 1));
    calls.callAt = nowMs + this.#timeBeforeReconnectMs + span / 2 + chance * span / 2;
    this.#forgetCalls(calls);
    const member = calls.serverId === undefined ? undefined : this.#members.get(calls.serverId);
    if (member === undefined || member.hasLink) return;
    if (member.state === "suspect") this.#set({ ...known(member, isClosed), state: "dead", sinceMs: nowMs });
    else if (isClosed && member.isSilent) this.#set(known(member, isClosed));
    else if (nowMs - member.sinceMs > this.#retentionMs) this.#forget(member);
  }

  /** Whether a server of this dialect was met at this address before. */
  hasMet(address: Endpoint): boolean {
    const serverId = this.#calls.get(keyOf(address))?.serverId;
    return serverId !== undefined && this.#members.has(serverId);
  }

  /** A server of the older dialect is there, and linked until the call is said to have failed. */
  isOlder(address: Endpoint): void {
    const calls = this.#calls.get(keyOf(address));
    if (calls !== undefined) calls.isOlder = true;
  }

  /** The call to this address succeeded. Failures before it do not count. */
  hasLasted(address: Endpoint): void {
    const calls = this.#calls.get(keyOf(address));
    if (calls !== undefined) calls.failures = 0;
  }

  /** This server itself answered there. */
  isSelf(address: Endpoint): void {
    this.#calls.delete(keyOf(address));
  }

  /** A call ended well and made no link, as its server turned out to be linked already. */
  called(address: Endpoint, nowMs: number): void {
    const calls = this.#calls.get(keyOf(address));
    if (calls === undefined) return;
    calls.isCalling = false;
    calls.callAt = nowMs + FIRST_BACKOFF_MS;
    this.#forgetCalls(calls);
  }

  /**
   * A link is up. `calledAt` is the address that was called for it, which need not be the one that the server names.
   */
  linked(report: MemberReport, calledAt: Endpoint | undefined, nowMs: number): void {
    const { serverId, host, port } = report;
    for (const member of this.all) {
      // At one address there is one server. It has replaced the former one.
      if (member.serverId !== serverId && member.host === host && member.port === port && !member.hasLink) {
        this.#members.delete(member.serverId);
      }
    }
    this.#named.delete(serverId);
    // The member owns the vector from here on: announcements are written into it.
    const vector = { ...report.vector };
    const takesChannels = report.features?.includes(CHANNELS_FEATURE) ?? false;
    this.#set({ ...memberOf(report), vector, takesChannels, state: "linked", hasLink: true, sinceMs: nowMs });
    for (const address of calledAt === undefined ? [report] : [report, calledAt]) {
      const calls = this.#call(address, serverId, nowMs);
      calls.failures = 0;
      // A call to it that was answered by its own one meanwhile is not over yet.
      if (address === calledAt) calls.isCalling = false;
    }
    this.#learnMembers(report, nowMs);
  }

  /** A member said how it is. */
  announced(report: MemberReport, nowMs: number): void {
    const member = this.#members.get(report.serverId);
    if (member !== undefined) {
      // Written in place: ten thousand origins are not copied for one that has moved.
      const vector = report.changes
        ? Object.assign(member.vector as Record<string, number>, report.vector)
        : { ...report.vector };
      this.#set({ ...member, ...memberOf(report), vector, announcedAtMs: nowMs });
    }
    this.#learnMembers(report, nowMs);
  }

  /** The member has forgotten these origins as a whole, up to there, and names them no more. */
  forgot(serverId: string, vector: Vector): void {
    const member = this.#members.get(serverId);
    if (member === undefined) return;
    const has = member.vector as Record<string, number>;
    for (const origin of Object.keys(vector)) {
      if (Object.hasOwn(has, origin) && has[origin]! <= vector[origin]!) delete has[origin];
    }
  }

  /** Its link is silent, or is not any more. */
  suspected(serverId: string, isSuspect: boolean, nowMs: number): void {
    const member = this.#members.get(serverId);
    if (!member?.hasLink || member.state !== (isSuspect ? "linked" : "suspect")) return;
    this.#set({ ...member, state: isSuspect ? "suspect" : "linked", sinceMs: nowMs });
  }

  /**
   * The link is gone. The member is called at once, or after the configured time. It is called a little later when it
   * ended the link on purpose.
   */
  lost(serverId: string, how: "left" | "duplicate" | "silent" | "lost", nowMs: number): void {
    this.#names(serverId, new Set());
    const member = this.#members.get(serverId);
    if (member === undefined) return;
    // A server that answered none of the heartbeats is dead without doubt.
    const state = how === "left" ? "left" : how === "silent" ? "dead" : "suspect";
    const { isSilent: _, ...rest } = member;
    const silent = how === "silent" ? { isSilent: true as const } : {};
    this.#set({ ...rest, ...silent, state, hasLink: false, load: 0, linkedTo: new Set(), sinceMs: nowMs });
    for (const calls of this.#calls.values()) {
      if (calls.serverId !== serverId) continue;
      calls.failures = 0;
      calls.callAt = nowMs + this.#timeBeforeReconnectMs + (how === "lost" || how === "silent" ? 0 : FIRST_BACKOFF_MS);
    }
  }

  #learnMembers(report: MemberReport, nowMs: number): void {
    this.#names(report.serverId, new Set(report.members.map(({ serverId }) => serverId)));
    let named = 0;
    for (const server of report.members) {
      const known = this.#members.get(server.serverId);
      if (server.serverId === this.#own) continue;
      if (known === undefined) {
        if (named++ < MAX_NAMED_BY_ONE) this.#name(server, report.serverId, nowMs);
      } else if (!known.hasLink && keyOf(known) !== keyOf(server)) this.#moved(known, server, nowMs);
    }
  }

  /** A linked server names a server that nobody here has met. */
  #name({ serverId, host, port }: Endpoint & { readonly serverId: string }, by: string, nowMs: number): void {
    const known = this.#named.get(serverId);
    if (known !== undefined) return void known.by.add(by);
    this.#named.set(serverId, { address: { host, port }, by: new Set([by]) });
    this.#call({ host, port }, serverId, nowMs);
  }

  /** `namer` names these servers now, and no others. A server that nobody names any more is forgotten. */
  #names(namer: string, serverIds: ReadonlySet<string>): void {
    for (const [serverId, { by, address }] of this.#named) {
      if (serverIds.has(serverId) || !by.delete(namer) || by.size > 0) continue;
      this.#named.delete(serverId);
      const calls = this.#calls.get(keyOf(address));
      // A call under way comes to its end first.
      if (calls !== undefined && !calls.isCalling) this.#forgetCalls(calls);
    }
  }

  /** An address without a known server is not called any more. */
  #forgetCalls({ address, serverId }: Calls): void {
    const key = keyOf(address);
    if (serverId === undefined || this.#seeds.has(key) || this.#members.has(serverId) || this.#named.has(serverId)) {
      return;
    }
    this.#calls.delete(key);
  }

  /** A server with a link to a member knows its address now. The member may have come back at another one. */
  #moved(member: Member, { host, port }: Endpoint, nowMs: number): void {
    const former = keyOf(member);
    if (!this.#seeds.has(former) && this.#calls.get(former)?.serverId === member.serverId) this.#calls.delete(former);
    this.#set({ ...member, host, port });
    this.#call({ host, port }, member.serverId, nowMs);
  }

  #learn(server: Endpoint & { readonly serverId: string }, state: MemberState, nowMs: number): void {
    if (server.serverId === this.#own) return;
    const { serverId, host, port } = server;
    const linkedTo = new Set<string>();
    this.#set({
      serverId,
      host,
      port,
      state,
      hasLink: false,
      load: 0,
      weight: 1,
      online: false,
      vector: {},
      linkedTo,
      sinceMs: nowMs,
    });
    this.#call(server, serverId, nowMs);
  }

  #call({ host, port }: Endpoint, serverId: string | undefined, nowMs: number): Calls {
    const key = keyOf({ host, port });
    const known = this.#calls.get(key);
    if (known !== undefined) {
      if (serverId !== undefined) known.serverId = serverId;
      return known;
    }
    const calls = { address: { host, port }, serverId, failures: 0, callAt: nowMs, isCalling: false, isOlder: false };
    this.#calls.set(key, calls);
    return calls;
  }

  #isDue(calls: Calls, nowMs: number): boolean {
    return this.#mayCall(calls) && calls.callAt <= nowMs;
  }

  #mayCall({ serverId, isCalling, address }: Calls): boolean {
    if (isCalling) return false;
    const member = serverId === undefined ? undefined : this.#members.get(serverId);
    // A member that is called at one of its addresses already.
    const others = [...this.#calls.values()].some((calls) =>
      calls.serverId !== undefined && calls.serverId === serverId && calls.address !== address && calls.isCalling
    );
    return !others && !(member?.hasLink ?? false);
  }

  #forget(member: Member): void {
    this.#members.delete(member.serverId);
    for (const [key, { serverId }] of this.#calls) {
      if (serverId === member.serverId && !this.#seeds.has(key)) this.#calls.delete(key);
    }
  }

  #set(member: Member): void {
    this.#members.set(member.serverId, member);
  }
}

function memberOf({ members, ...report }: MemberReport) {
  const { serverId, host, port, load, weight, online, about } = report;
  const linkedTo = new Set(members.map((member) => member.serverId));
  return { serverId, host, port, load, weight, online, linkedTo, ...(about === undefined ? {} : { about }) };
}

/** What is known of a dead member after a call. */
function known({ isSilent: _, ...member }: Member, isClosed: boolean): Member {
  return isClosed ? member : { ...member, isSilent: true };
}

function keyOf({ host, port }: Endpoint): string {
  return `${host}:${port}`;
}
