/**
 * What of a peer's lines may enter the log here, and for whom it is then. An entry that breaks the rules is a lie of
 * the server that has made it: from that server itself nothing of the message is taken, and its link has to end.
 * Another one only passes on what was stored before there were rules, or by a server that has none: from it the entry
 * is taken as if its kind were not known. So logs stay equal, nobody acts on it, no client gets it, and honest servers
 * do not end each other's links because of it. Pure.
 */

import type { ArrivedEntry } from "../../log/hold_back.ts";
import { type Audience, EVERYONE, SERVERS } from "../../log/segment.ts";
import { checkEntry } from "../../protocol/entry_check.ts";
import { type EntryFacts, unknownFacts } from "../../protocol/entry_codec.ts";
import type { EntriesMessage, WireAudience } from "../../protocol/peer/peer_message.ts";

/** A line that may enter the log. */
export interface TakenLine {
  /** With its end. */
  readonly line: string;
  readonly audience: Audience;
  readonly facts: EntryFacts;
  /** How long the sender has had it. */
  readonly ageMs: number;
  /** Where the clock may go by it; where nothing is said, to the entry's own time. */
  readonly reach?: number;
}

/** What comes of a message with lines. */
export type Intake =
  | {
    readonly ok: true;
    readonly entries: readonly ArrivedEntry<TakenLine>[];
    /** The highest Lamport time of them. */
    readonly lamport: number;
    /** What was wrong with the first one of them that nobody acts on, in words. */
    readonly oddity: string | undefined;
  }
  /** Nothing of it is taken, and the link has to end. */
  | { readonly ok: false; readonly problem: string };

/** An account, and where it came from. */
export interface AccountClaim {
  readonly username: string;
  /** Lamport time of the claim to the name. */
  readonly claim: number;
  readonly origin: string;
  readonly sequence: number;
}

const NEWLINE_BYTES = 1;

/**
 * What the lines that the server `sender` has sent under `header` come to. `isVoid`: an account is none, as it was
 * claimed later than it says.
 */
export function takeLines(
  sender: string,
  header: EntriesMessage,
  lines: readonly string[],
  isVoid: (account: AccountClaim, sender: string) => boolean = () => false,
): Intake {
  const { origin, first, to, ageMs = 0 } = header;
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

/** Whom it is for here. What its peer says counts for receipts alone, which can be for a client or for none. */
function audienceOf({ kind, to, place }: EntryFacts, said: WireAudience): Audience {
  switch (kind) {
    case "activity":
      // Also where the peer shows it to nobody, because it had the same one from elsewhere.
      return EVERYONE;
    case "message":
      return { kind: "user", username: to! };
    case "receipt":
      return typeof said === "string" ? SERVERS : { kind: "user", username: said.user };
    case "place":
      // Forgotten with what that user is sent; no client of its gets it.
      return { kind: "user", username: place!.username };
    case "account":
    case "other":
      // A client reads whole segments, and nobody here knows what an unknown kind would be to it.
      return SERVERS;
  }
}
