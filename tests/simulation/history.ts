/**
 * What happened, as the clients, the servers and the network told it: the only evidence that the checker uses. One list
 * in the order of time.
 */

import { createHash } from "node:crypto";
import type { Vector } from "../../log/vector.ts";
import type { WireGap } from "../../protocol/message.ts";
import { type Action, stepText, type Verdict } from "./schedule.ts";

/** An entry as a server stored it. */
export interface StoredEntry {
  readonly id: string;
  readonly isFor: "everyone" | "servers" | "user";
  /** Of an activity: the channel that it is for, as its segment says; absent for everyone. */
  readonly channel?: string;
  /** Of an activity or a direct message: who sent it, and its number. */
  readonly sender?: string;
  readonly n?: number;
  /** Of a direct message: the user that it is for. */
  readonly to?: string;
  /** Of a receipt: the direct message. */
  readonly receiptOf?: string;
  /** Of a direct message, and of a receipt of it: what the sender's client calls it. */
  readonly messageId?: string;
  /** Of a registration. */
  readonly account?: { readonly username: string; readonly verifier: string };
  /** Of what an operator has set. */
  readonly record?: StoredRecord;
}

/** What an operator has set, as an entry says it. */
export interface StoredRecord {
  readonly of: string;
  readonly key: string;
  /** As JSON; `null` where it was taken back. */
  readonly value: string;
  /** When and where it was set first. */
  readonly lamport: number;
  readonly origin: string;
}

/** What can happen. `session` names one life of a client, `chain` all lives in which it went on where it was. */
export type Happening =
  | { readonly what: "step"; readonly step: Action }
  /** Everything is mended, nothing more is done: from here on things settle. */
  | { readonly what: "mended" }
  /** Nothing gets from one machine to the other, until all heals. */
  | { readonly what: "cut off"; readonly from: string; readonly to: string }
  // machines
  | { readonly what: "started"; readonly serverId: string }
  | { readonly what: "died"; readonly how: "crash" | "power cut" | "destroy" }
  | { readonly what: "stopping" }
  | { readonly what: "ended"; readonly reason: string; readonly info: string }
  | { readonly what: "threw"; readonly info: string }
  | { readonly what: "stalled" | "went on" }
  /** It is so from now on, and for so long. */
  | { readonly what: "busy"; readonly ms: number }
  | { readonly what: "link up" | "link down"; readonly peer: string; readonly link: number }
  // servers
  | { readonly what: "stored"; readonly entries: readonly StoredEntry[] }
  | { readonly what: "lost entries"; readonly ids: readonly string[] }
  /** Nothing is there that it has committed from then on, entries or not. */
  | { readonly what: "lost commits"; readonly since: number }
  /** It goes on under another name, and what it had under these ids stands under new ones. */
  | { readonly what: "renamed"; readonly serverId: string; readonly ids: readonly string[] }
  /** It has forgotten these as a whole, up to these numbers. */
  | { readonly what: "forgot origins"; readonly origins: Vector }
  | { readonly what: "closed a connection"; readonly peer: string; readonly reason: string }
  | {
    readonly what: "ended with";
    readonly vector: Vector;
    /** What is kept of the log, each as its line. */
    readonly log: ReadonlyMap<string, { readonly line: string; readonly isFor: string }>;
    readonly accounts: Readonly<Record<string, string>>;
    /** Direct messages that wait, by user: as `sender#n`, each with the id of its entry. */
    readonly inboxes: Readonly<Record<string, Readonly<Record<string, string>>>>;
  }
  /** A copy of its folder was started: whether the server itself goes on, and why the copy ended. */
  | { readonly what: "was cloned"; readonly goesOn: boolean; readonly why: string }
  /** Whom it lists as online, when all is over. */
  | { readonly what: "lists"; readonly users: readonly string[] }
  /** All is quiet and was told. Now those who are there go, and everybody comes once more, as if for the first time. */
  | { readonly what: "once more" }
  /** What an operator asked of it, and whether it laid that down. */
  | {
    readonly what: "ruled";
    readonly verdict: Verdict;
    readonly username: string;
    readonly askedAt: number;
    readonly isLaidDown: boolean;
    /** Why it did not. */
    readonly problem?: string;
  }
  /** How it judges when all is over: terms as JSON by kind and user, and whom it lets in nowhere. */
  | {
    readonly what: "judges";
    readonly rulings: Readonly<Record<string, string>>;
    readonly barred: readonly string[];
  }
  /** Somebody could register the name of a user who was judged. */
  | { readonly what: "gave a name away"; readonly username: string }
  // clients
  /** Where one that is judged is logged in when all is over; nowhere, where no server is named. */
  | { readonly what: "judged user is"; readonly username: string; readonly server?: string }
  | {
    readonly what: "entered";
    readonly session: string;
    readonly chain: string;
    readonly username: string;
    /** What counts as had already. */
    readonly vector: Vector;
    /** Of a plain client: all of its connections until it leaves or is killed. */
    readonly life?: string;
  }
  | { readonly what: "registered"; readonly username: string; readonly secret: string; readonly server: string }
  | { readonly what: "connected"; readonly session: string; readonly server: string }
  | {
    readonly what: "disconnected";
    readonly session: string;
    readonly reason: string;
    readonly byServer: boolean;
    /** What a client with the library had then. */
    readonly vector?: Vector;
  }
  | { readonly what: "gap"; readonly session: string; readonly gaps: readonly WireGap[] }
  | { readonly what: "published"; readonly sender: string; readonly n: number; readonly channel?: string }
  | { readonly what: "acknowledged"; readonly sender: string; readonly n: number; readonly id: string }
  | { readonly what: "not acknowledged"; readonly sender: string; readonly n: number; readonly info: string }
  | {
    readonly what: "received";
    readonly session: string;
    readonly chain: string;
    readonly sender: string;
    readonly n: number;
    readonly id: string;
    /** As the line says. */
    readonly channel?: string;
    /** Which of the client's iterators gave it; absent for the one that names no channels. */
    readonly iterator?: string;
  }
  /**
   * It reads these channels from here on, as patterns. `vector` is what comes before: a login brings it, or the answer
   * to SUBSCRIBE or UNSUBSCRIBE says so.
   */
  | {
    readonly what: "reads";
    readonly session: string;
    readonly chain: string;
    readonly channels: readonly string[];
    readonly vector: Vector;
  }
  /** A client with the library has one more iterator, for these channels. */
  | {
    readonly what: "began to iterate";
    readonly session: string;
    readonly iterator: string;
    readonly channels: readonly string[];
  }
  /** Its server knows for certain that the iterator is there. */
  | { readonly what: "iterates"; readonly session: string; readonly iterator: string }
  | { readonly what: "iterates no more"; readonly session: string; readonly iterator: string }
  /** It sends a direct message. What becomes of that is told as of an activity. */
  | { readonly what: "sent"; readonly sender: string; readonly n: number; readonly to: string }
  /** It took a direct message out. */
  | {
    readonly what: "got";
    readonly session: string;
    readonly chain: string;
    readonly username: string;
    readonly sender: string;
    readonly n: number;
    readonly id: string;
    /** Whether it had waited, as far as the client was told. */
    readonly offline: boolean;
  }
  /** It asked who is online, and was told. */
  | { readonly what: "was told who is online"; readonly session: string; readonly users: readonly string[] }
  /** It asks its server what was said before: the answer, if there is one, says which question it is to. */
  | { readonly what: "asks for the past"; readonly session: string; readonly number: number; readonly server: string }
  | {
    readonly what: "was told the past";
    readonly session: string;
    /** Of the question. */
    readonly number: number;
    readonly limit: number;
    readonly before?: string;
    readonly since?: string;
    readonly activities: readonly { readonly sender: string; readonly n: number; readonly id: string }[];
    /** Whether there may be more before. */
    readonly more: boolean;
    /** Which channels were asked for, as patterns; what has none, where that is absent. */
    readonly channels?: readonly string[];
    /** Which of these were not, as the client reads them already. */
    readonly without?: readonly string[];
    /** Where the answer to SUBSCRIBE stands: nothing is told that came later. */
    readonly upTo?: Vector;
  }
  /** It was told that somebody came or went. */
  | { readonly what: "was told of"; readonly session: string; readonly event: string; readonly username: string }
  /** It was told that a direct message has reached its user. */
  | {
    readonly what: "told delivered";
    readonly session: string;
    readonly chain: string;
    readonly of: string;
    readonly messageId: string;
  }
  /** The library left out what came twice with one id. */
  | { readonly what: "came twice"; readonly session: string; readonly id: string }
  | { readonly what: "refused"; readonly info: string }
  | { readonly what: "left"; readonly session: string; readonly info: string }
  /** How a client stands when all is over. */
  | {
    readonly what: "is";
    readonly session: string;
    readonly chain: string;
    readonly username: string;
    readonly secret: string;
    readonly connected: boolean;
  };

/** One of them, when and to whom. */
export type Event = { readonly at: number; readonly who: string } & Happening;

/** Writes it down. */
export class History {
  readonly events: Event[] = [];
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  add(who: string, happening: Happening): void {
    this.events.push({ at: this.#nowMs(), who, ...happening });
  }
}

/** The same for the same history, bit by bit. */
export function hashOf(events: readonly Event[]): string {
  const hash = createHash("sha256");
  for (const event of events) {
    hash.update(JSON.stringify(event, (_, value) => value instanceof Map ? [...value] : value));
    hash.update("\n");
  }
  return hash.digest("hex").slice(0, 16);
}

/** An event as a line of the timeline. */
export function eventText(event: Event): string {
  const { at, who, ...happening } = event;
  return `${String(at).padStart(7)} ms  ${who.padEnd(4)} ${happeningText(happening as Happening)}`;
}

/** The timeline, in which what happened several times in a row, or at one moment, stands once. */
export function timeline(events: readonly Event[]): string[] {
  const lines: { text: string; first: string; last: string; key: string; times: number }[] = [];
  for (const event of events) {
    const numbered = "n" in event ? event : undefined;
    const key = numbered === undefined
      ? `${event.who} ${event.what} ${event.what === "refused" ? event.info : event.at}`
      : `${event.at} ${event.who} ${event.what} ${numbered.sender}`;
    const at = lines.findLastIndex((line, index) => line.key === key && index > lines.length - 12);
    const n = numbered === undefined ? "" : `#${numbered.n}`;
    const canFold = numbered !== undefined || event.what === "refused";
    if (at >= 0 && canFold) {
      const line = lines[at]!;
      line.last = n;
      line.times++;
    } else lines.push({ text: eventText(event), first: n, last: n, key, times: 1 });
  }
  return lines.map(({ text, last, times }) => times === 1 ? text : `${text}  … ${last} (${times} times)`);
}

function happeningText(happening: Happening): string {
  switch (happening.what) {
    case "step":
      return `──── ${stepText(happening.step)}`;
    case "cut off":
      return `nothing gets from ${happening.from} to ${happening.to}`;
    case "mended":
      return "──── everything is mended";
    case "stored":
      return `stored ${happening.entries.map(entryText).join(", ")}`;
    case "link up":
    case "link down":
      return `${happening.what} with ${happening.peer} (${happening.link})`;
    case "received": {
      const { sender, n, id, channel, iterator } = happening;
      return `received ${sender}#${n}${channelText(channel)} as ${id}${iterator === undefined ? "" : ` (${iterator})`}`;
    }
    case "got": {
      const { sender, n, id, username, offline } = happening;
      return `got ${sender}#${n} for ${username} as ${id}${offline ? ", which had waited" : ""}`;
    }
    case "sent":
      return `sent ${happening.sender}#${happening.n} to ${happening.to}`;
    case "once more":
      return "──── all is quiet; everybody comes once more";
    case "published":
      return `published ${happening.sender}#${happening.n}${channelText(happening.channel)}`;
    case "acknowledged":
      return `acknowledged ${happening.sender}#${happening.n} as ${happening.id}`;
    case "ended with":
      return `ended with ${JSON.stringify(happening.vector)}, waiting: ${JSON.stringify(happening.inboxes)}`;
    default: {
      const { what, ...rest } = happening;
      return `${what} ${Object.keys(rest).length === 0 ? "" : JSON.stringify(rest)}`;
    }
  }
}

function channelText(channel: string | undefined): string {
  return channel === undefined ? "" : ` of ${channel}`;
}

function entryText({ id, isFor, channel, sender, n, to, receiptOf, account, record }: StoredEntry): string {
  const what = account !== undefined
    ? `account ${account.username}`
    : record !== undefined
    ? `${record.of} ${record.key} ${record.value}, set at ${record.lamport} by ${record.origin}`
    : sender !== undefined
    ? `${sender}#${n}${channelText(channel)}`
    : receiptOf !== undefined
    ? `receipt of ${receiptOf}`
    : "?";
  const audience = isFor === "user" ? to ?? "a sender" : isFor;
  return `${id} (${what}${isFor === "everyone" || account !== undefined ? "" : `, for ${audience}`})`;
}
