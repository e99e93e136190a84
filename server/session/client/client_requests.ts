/**
 * What a logged-in client asks for, carried out and answered: to publish, to send to somebody, to know who is there. An
 * answer that says that an entry is safe waits until the entry is.
 */

import type { ActivityFailedMessage } from "../../../protocol/ack_message.ts";
import type { ChannelMessage } from "../../../protocol/channels/channel_message.ts";
import { type EntryId, formatEntryId } from "../../../protocol/entry_id.ts";
import type { HistoryMessage } from "../../../protocol/history_message.ts";
import { joinBytes } from "../../../protocol/join_bytes.ts";
import { lineBytes } from "../../../protocol/server_codec.ts";
import type { ActivityMessage, SendDirectMessage } from "../../../protocol/message.ts";
import type { UserScope } from "../../../protocol/presence/presence_message.ts";
import type { Replies, TurnAnswers } from "../replies.ts";
import type { Backplane } from "../../backplane/backplane.ts";
import type { Hub } from "../../hub/hub.ts";
import type { Past } from "../../hub/past.ts";
import type { ClientSession } from "../../hub/sessions.ts";
import type { Journal } from "../../journal/journal.ts";
import { MAX_ASKED_PER_CLIENT, type ReaderBoard, type ReadersQuestion } from "../../presence/reader_board.ts";
import type { UserLists } from "../../presence/user_lists.ts";
import { type Permissions, readingLimit } from "../../rights/permissions.ts";
import type { MetricCounters } from "../../../view/metric_counters.ts";
import type { LimitName } from "../limits/limit_names.ts";
import { type ChannelLimits, channelRefusal } from "../limits/channel_limits.ts";
import { type AckRange, AckRanges } from "./ack_ranges.ts";
import { isRepeatOf } from "./repeat.ts";
import type { ServedClient } from "./served_client.ts";
import type { ClientEffect, LoggedIn } from "../session_state.ts";

/** What answers a client. */
export interface ClientRequestsParts {
  readonly journal: Pick<Journal, "lamport" | "accepted" | "turnMs" | "lineOf">;
  readonly backplane: Pick<Backplane, "whenSafe">;
  readonly userLists: Pick<UserLists, "line">;
  readonly readers: Pick<ReaderBoard, "ask" | "changed">;
  readonly past: Past;
  readonly hub: Pick<Hub, "patternCount">;
  readonly limits: ChannelLimits;
  readonly counters: Pick<MetricCounters<LimitName>, "limited">;
}

/** Why an acknowledgement does not come yet. */
const PENDING = "it is stored here, and waits for another server to have it too";

/** Why there is no page of the past. */
const UNKNOWN_ENTRY = "this server does not know the entry that is named";

/** Why a client reads no channels. */
const RECEIVES_NOTHING = 'the client has asked for nothing of the log ("receive": "none")';

/** Said of more channels than are asked about at a time. */
const TOO_MANY_ASKED = {
  client: `a client may ask about ${MAX_ASKED_PER_CLIENT} channels at a time: try again in 20 s`,
  server: "clients of this server ask about as many channels as they may: try again later",
} as const;

/** What an acknowledgement says of a message id that was used before. */
type Differs = { readonly differs?: true };

const SAME: Differs = Object.freeze({});
const DIFFERS: Differs = Object.freeze({ differs: true });
/** Entries that are looked up for one client in one turn, to compare them. */
const MAX_LOOKS_A_TURN = 8;

/** One client's. */
export class ClientRequests implements TurnAnswers {
  readonly #parts: ClientRequestsParts;
  readonly #client: ServedClient;
  readonly #replies: Replies;
  readonly #owner: ClientSession;
  readonly #may: Permissions;
  readonly #wantsAcknowledgement: boolean;
  /** Absent for a client that wants an acknowledgement for each activity. */
  readonly #ranges: AckRanges | undefined;
  #owed = 0;
  #lookedAt = -Infinity;
  #looks = 0;

  constructor(
    parts: ClientRequestsParts,
    client: ServedClient,
    { features, may }: LoggedIn,
    owner: ClientSession & { readonly replies: Replies },
    wantsRanges = false,
  ) {
    this.#parts = parts;
    this.#client = client;
    this.#replies = owner.replies;
    this.#owner = owner;
    this.#may = may;
    this.#wantsAcknowledgement = features.includes("ack");
    this.#ranges = this.#wantsAcknowledgement && wantsRanges ? new AckRanges() : undefined;
  }

  /** Answers that wait for another server. */
  get owed(): number {
    return this.#owed;
  }

  /** Does what follows from a line of the client. */
  carryOut(effect: ClientEffect): void {
    switch (effect.kind) {
      case "answerHeartbeat":
        return this.#replies.sendSoon({ command: "HEARTBEAT_ACK", sequence: effect.sequence });
      case "heartbeatAnswered":
        return this.#client.supervision.answered(effect.sequence, effect.lamport);
      case "acknowledged":
        return this.#client.acknowledged(effect.vector, effect.lamport);
      case "sendDirect":
        return this.#sendDirect(effect.message);
      case "listUsers":
        return this.#listUsers(effect.scope);
      case "listReaders":
        return this.#listReaders(effect.question);
      case "tellPast":
        return this.#tellPast(effect.question);
      case "changeChannels":
        return this.#changeChannels(effect.message);
      case "refuseActivity":
        return this.#refuse(effect.message);
      case "publish":
        // `publish` does this, as its caller has the message at hand.
        return;
      default:
        effect satisfies never;
    }
  }

  publish(message: ActivityMessage): void {
    const { accepted } = this.#parts.journal;
    const id = this.#client.publish(message);
    const { messageId } = message;
    if (!this.#wantsAcknowledgement) return;
    const isNew = this.#parts.journal.accepted > accepted;
    if (this.#ranges !== undefined && this.#acknowledgeInRange(this.#ranges, id, isNew)) return;
    // There is no other way to say which one is safe.
    if (messageId !== undefined) this.#acknowledge(messageId, id, this.#differs(accepted, id, message));
  }

  /** A client that counts learns which one it was. Else it would take the next range to be for this one, too. */
  #refuse(message: ActivityFailedMessage): void {
    const number = this.#ranges?.count();
    const isNamed = number === undefined || message.messageId !== undefined;
    this.#replies.send(isNamed ? message : { ...message, number });
  }

  /** The turn is committed. What it took of the client last is acknowledged. */
  answers(): void {
    this.#acknowledgeRange(this.#ranges?.close());
  }

  /** Whether the activity is acknowledged with others. A repeat is not: it has the identity of the first one. */
  #acknowledgeInRange(ranges: AckRanges, id: EntryId, isNew: boolean): boolean {
    ranges.count();
    // What came before is acknowledged before.
    this.#acknowledgeRange(isNew ? ranges.take(id) : ranges.close());
    if (isNew) this.#replies.answerWithTurn(this);
    return isNew;
  }

  #acknowledgeRange(range: AckRange | undefined): void {
    if (range === undefined) return;
    const { upTo } = range;
    const id = formatEntryId(range);
    const pending = () => this.#replies.send({ command: "ACTIVITY_PENDING", upTo, info: PENDING });
    this.#whenSafe(range, pending, () => this.#replies.sendWithTurn({ command: "ACTIVITY_ACK", upTo, id }));
  }

  #sendDirect(message: SendDirectMessage): void {
    const { accepted } = this.#parts.journal;
    const id = this.#client.send(message);
    const { messageId, to } = message;
    if (id === undefined) {
      this.#parts.counters.limited("inbox");
      const info = "too many messages wait for this user";
      return this.#replies.send({ command: "DIRECT_MESSAGE_FAILED", info, ...(messageId && { messageId }) });
    }
    if (messageId === undefined) return;
    const of = formatEntryId(id);
    const differs = this.#differs(accepted, id, message);
    this.#whenSafe(id, this.#pending(messageId), () => {
      const { lamport } = this.#parts.journal;
      this.#replies.sendWithTurn({ command: "RECEIPT", messageId, state: "stored", of, to, lamport, ...differs });
    });
  }

  #listUsers(scope: UserScope): void {
    this.#replies.write(this.#parts.userLists.line(scope));
  }

  /** Other servers may have to be asked, so the answer may come later. */
  #listReaders(question: ReadersQuestion): void {
    this.#owed++;
    const limit = this.#parts.readers.ask(question, this.#owner, (line) => {
      this.#owed--;
      this.#replies.write(line);
    });
    if (limit === undefined) return;
    this.#owed--;
    const about = { scope: "online", channel: question.channel, info: TOO_MANY_ASKED[limit] } as const;
    this.#replies.send({ command: "USER_LIST_FAILED", reason: "TOO_MANY_CHANNELS", ...about });
  }

  /** In one piece, so that nothing else comes between the lines of a page. */
  #tellPast(question: HistoryMessage): void {
    const page = this.#parts.past.page(question, readingLimit(this.#may));
    if (page === undefined) {
      return this.#replies.send({ command: "HISTORY_FAILED", reason: "UNKNOWN_ENTRY", info: UNKNOWN_ENTRY });
    }
    this.#replies.write(joinBytes([...page.lines, lineBytes(page.end)]));
  }

  #changeChannels(message: ChannelMessage): void {
    const { channels } = message;
    const had = this.#client.wants;
    const isMore = message.command === "SUBSCRIBE";
    const wants = isMore ? had?.with(channels) : had?.without(channels);
    if (had === undefined || wants === undefined) return this.#failed("RECEIVES_NOTHING", RECEIVES_NOTHING);
    const { limits, hub, counters } = this.#parts;
    const count = wants.patterns.length;
    const refusal = channelRefusal({ count, more: count - had.patterns.length }, hub.patternCount, limits);
    if (isMore && refusal !== undefined) {
      counters.limited("channels");
      return this.#failed("TOO_MANY_CHANNELS", refusal);
    }
    const { position, vector } = this.#client.reads(wants)!;
    if (!this.#client.hasDeparted) this.#parts.readers.changed(this.#owner.username, had, wants);
    const lines: Uint8Array[] = [];
    if (isMore && message.history > 0) {
      // What the client has read already does not come again.
      const isNew = (channel: string) => !had.wants(channel) && wants.wants(channel);
      const page = this.#parts.past.pageUpTo(position, message.history, { wants: isNew });
      lines.push(...page.lines, lineBytes(page.end));
    }
    lines.push(lineBytes({ command: isMore ? "SUBSCRIBED" : "UNSUBSCRIBED", channels, vector }));
    this.#replies.write(joinBytes(lines));
  }

  #failed(reason: string, info: string): void {
    this.#replies.send({ command: "SUBSCRIBE_FAILED", reason, info });
  }

  #pending(messageId: string): () => void {
    return () => this.#replies.send({ command: "ACTIVITY_PENDING", messageId, info: PENDING });
  }

  #acknowledge(messageId: string, id: EntryId, differs: Differs): void {
    this.#whenSafe(id, this.#pending(messageId), () => {
      this.#replies.sendWithTurn({ command: "ACTIVITY_ACK", messageId, id: formatEntryId(id), ...differs });
    });
  }

  /**
   * Whether `message` is another one than the entry `id`, under whose message id it came. `accepted` is how many
   * entries there were before it: with one more it is that entry itself.
   */
  #differs(accepted: number, id: EntryId, message: ActivityMessage | SendDirectMessage): Differs {
    const { journal } = this.#parts;
    if (journal.accepted > accepted || !this.#mayLook()) return SAME;
    const line = journal.lineOf(id);
    // What is forgotten cannot be compared.
    return line === undefined || isRepeatOf(line, message) ? SAME : DIFFERS;
  }

  /**
   * The server reads a whole segment for one entry. So a client that sends thousands again gets this for the first
   * ones.
   */
  #mayLook(): boolean {
    const { turnMs } = this.#parts.journal;
    if (this.#lookedAt !== turnMs) [this.#lookedAt, this.#looks] = [turnMs, 0];
    return ++this.#looks <= MAX_LOOKS_A_TURN;
  }

  /**
   * Calls `answer`, which answers with the turn, once the entry is as safe as is configured. If this takes long, calls
   * `pending` once, which tells the client that it waits.
   */
  #whenSafe(id: EntryId, pending: () => void, answer: () => void): void {
    this.#owed++;
    const settle = () => {
      this.#owed--;
      answer();
    };
    this.#parts.backplane.whenSafe(id, settle, this.#wantsAcknowledgement ? pending : undefined);
  }
}
