/**
 * Decides which lines of a peer may enter the log here, and for whom they are. An entry that breaks the rules is a lie
 * of its origin. If the origin itself sends the entry, nothing of the message is taken, and the link has to end.
 * Another server only passes the entry on: it was stored before there were rules, or by a server without rules. Then
 * the entry is taken like an entry of an unknown kind. So logs stay equal, nobody acts on the entry, and no client gets
 * it. And honest servers do not end each other's links. Pure.
 */

import type { ArrivedEntry } from "../../log/hold_back.ts";
import { type EntryAudience, EVERYONE, SERVERS } from "../../log/segment.ts";
import { checkEntry } from "../../protocol/entry_check.ts";
import { type EntryFacts, unknownFacts } from "../../protocol/entry_codec.ts";
import type { EntriesMessage, ForgottenAudience, WireAudience } from "../../protocol/peer/peer_message.ts";

/** A line that may enter the log. */
export interface TakenLine {
  /** With its end. */
  readonly line: string;
  readonly audience: EntryAudience;
  readonly facts: EntryFacts;
  /** How long the sending server has had the entry. */
  readonly ageMs: number;
  /** The time that the clock may go to because of it; by default the entry's own time. */
  readonly reach?: number;
}

/** The result of a message with lines. */
export type Intake =
  | {
    readonly ok: true;
    readonly entries: readonly ArrivedEntry<TakenLine>[];
    /** The highest Lamport time of the lines. */
    readonly lamport: number;
    /** The fault of the first line that nobody acts on, in words. */
    readonly oddity: string | undefined;
  }
  /** Nothing of the message is taken, and the link has to end. */
  | { readonly ok: false; readonly problem: string };

/** An account, with its origin. */
export interface AccountClaim {
  readonly username: string;
  /** Lamport time of the claim to the name. */
  readonly claim: number;
  readonly origin: string;
  readonly sequence: number;
}

/** Lines of the log under one header that are still coming. */
export interface ComingEntries {
  readonly header: EntriesMessage;
  readonly lines: string[];
  /** How many lines are still to come. */
  missing: number;
  /** The length of the lines so far, in UTF-16 units. */
  size: number;
}

const NEWLINE_BYTES = 1;

/** Whether a header is about entries that its sender has forgotten, and has no lines. */
export function isForgotten(header: EntriesMessage): header is EntriesMessage & { readonly to: ForgottenAudience } {
  return typeof header.to === "object" && "forgotten" in header.to;
}

/** What comes under a header; `undefined` where no lines follow. */
export function comingUnder(header: EntriesMessage): ComingEntries | undefined {
  return isForgotten(header) ? undefined : { header, lines: [], missing: header.last - header.first + 1, size: 0 };
}

/**
 * Reads the lines that the server `sender` has sent under `header`. `isVoid` says that an account does not count, as
 * its claim is later than it says.
 */
export function takeLines(
  sender: string,
  header: EntriesMessage,
  lines: readonly string[],
  isVoid: (account: AccountClaim, sender: string) => boolean = () => false,
): Intake {
  if (isForgotten(header)) return { ok: true, entries: forgottenEntries(header), lamport: 0, oddity: undefined };
  const { origin, first, ageMs = 0 } = header;
  const to = header.to as WireAudience;
  const entries: ArrivedEntry<TakenLine>[] = [];
  let oddity: string | undefined;
  let lamport = 0;
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!;
    const sequence = first + index;
    const checked = checkEntry(line, { origin, sequence, to });
    if (checked === undefined) return { ok: false, problem: `entry ${origin}:${sequence} cannot be read` };
    const { account } = checked.facts;
    const isStolen = account !== undefined && checked.problem === undefined &&
      isVoid({ ...account, origin, sequence }, sender);
    const unfit = checked.problem ??
      (isStolen ? "it takes the name of another account, and was claimed later" : undefined);
    const wrong = unfit ?? checked.misdirected;
    if (wrong !== undefined) {
      const problem = `entry ${origin}:${sequence}: ${wrong}`;
      if (origin === sender) return { ok: false, problem };
      oddity ??= problem;
    }
    const facts = unfit === undefined ? checked.facts : unknownFacts(0);
    lamport = Math.max(lamport, facts.lamport);
    const value = { line: `${line}\n`, audience: audienceOf(facts, to), facts, ageMs };
    entries.push({ sequence, after: facts.after, size: line.length + NEWLINE_BYTES, value });
  }
  return { ok: true, entries, lamport, oddity };
}

/** Their numbers and their channel are all that is left. */
function forgottenEntries(
  { first, last, to, ageMs = 0 }: EntriesMessage & { readonly to: ForgottenAudience },
): ArrivedEntry<TakenLine>[] {
  const audience: EntryAudience = { kind: "channel", name: to.forgotten, isForgotten: true };
  const value = { line: "\n", audience, facts: unknownFacts(0), ageMs };
  return Array.from({ length: last - first + 1 }, (_, index) => (
    { sequence: first + index, after: undefined, size: NEWLINE_BYTES, value }
  ));
}

/** The audience of an entry here. The peer's word counts for receipts alone: these are for one client, or for none. */
function audienceOf({ kind, to, place, channel }: EntryFacts, said: WireAudience): EntryAudience {
  switch (kind) {
    case "activity":
      // Also when the peer shows it to nobody, as the peer had the same one from elsewhere.
      return channel === undefined ? EVERYONE : { kind: "channel", name: channel };
    case "message":
      return { kind: "user", username: to! };
    case "receipt":
      return typeof said === "string" ? SERVERS : { kind: "user", username: said.user };
    case "place":
      // It is forgotten with that user's messages. No client of the user gets it.
      return { kind: "user", username: place!.username };
    case "account":
    case "record":
    case "other":
      // A client reads whole segments, and nobody knows what it would make of an unknown kind.
      return SERVERS;
  }
}
