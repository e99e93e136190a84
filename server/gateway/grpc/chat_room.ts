/**
 * The participants of one Chitty-Chat door. They join, publish and leave, and hear everything that all others say, in
 * the network too. This file knows no gRPC: the caller hands in how to call participants, and a refusal is a value.
 */

import { getLogger } from "@logtape/logtape";
import { Guest } from "../../guests/guest.ts";
import type { GuestItem } from "../../guests/guest_queue.ts";
import type { GuestRefusal, Guests } from "../../guests/guests.ts";
import type { PresenceEvent } from "../../presence/presence.ts";
import type { GrpcBroadcasts } from "../../../config/config.ts";
import { RecentMap } from "../../../log/recent.ts";
import type { Endpoint } from "../../../platform/address.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { FaultGuard } from "../../../platform/faults.ts";
import { CLOSE_REASONS, type CloseReason } from "../../../protocol/close_reason.ts";
import { AwaitedBroadCasts } from "./awaited.ts";
import { Turns } from "./turns.ts";
import { DoorClock, type Note } from "./door_clock.ts";
import type { JoinReply, JoinRequest, LeaveReply, LeaveRequest, Message, PublishMessageReply } from "./messages.ts";
import {
  type Announcement,
  type Caller,
  DEADLINE_MS,
  type Errand,
  MAX_MISSED,
  Participant,
  type ParticipantOwner,
} from "./participant.ts";
import {
  activityAuthor,
  activityText,
  announcementText,
  heardTime,
  idProblem,
  messageProblem,
  participantHost,
  portOf,
  type Refusal,
  wireTime,
} from "./rules.ts";

/** What a door's room is made with. */
export interface ChatRoomParts {
  readonly clock: Clock;
  readonly guests: Guests;
  /** Hosts that participants may be called at, besides this machine. */
  readonly participantHosts: readonly string[];
  /** Whether participants are called side by side, or each after the answer of the one before. */
  readonly broadcasts: GrpcBroadcasts;
  /** Where participants talk, and what they hear alone; absent for what is for everyone. */
  readonly channel?: string | undefined;
  /** Ports of this server. */
  ownPorts(): readonly number[];
  /** How the participant at this address is called. */
  call(endpoint: Endpoint): Caller;
  /** Takes exceptions on the way to a participant; without it they are thrown on. */
  readonly faults?: FaultGuard;
  /** Is told each event of the door's Lamport clock. */
  readonly note: Note;
}

/** A reply, or why there is none. */
export type Outcome<R> = { readonly reply: R } | { readonly refused: Refusal };

/** A participant that does not say itself that it has come is announced after this. */
const ANNOUNCE_MS = 1_000;
/**
 * The newest publications whose authors' own times are known. A participant that is further behind gets the entry's
 * time.
 */
const MAX_AUTHORED = 10_000;
const logger = getLogger(["thrum", "grpc"]);

/** The reason why a participant cannot join, in words for it. */
const REFUSALS: Readonly<Record<GuestRefusal, (id: string) => Refusal>> = {
  badName: (id) => ({ code: "INVALID_ARGUMENT", sentence: `${id} cannot be a name` }),
  account: (id) => ({
    code: "ALREADY_EXISTS",
    sentence: `${id} is a registered user of this network, and this door asks for no secret`,
  }),
  elsewhere: (id) => ({ code: "ALREADY_EXISTS", sentence: `${id} is connected elsewhere already` }),
  full: () => ({ code: "RESOURCE_EXHAUSTED", sentence: "This server has as many connections as it may" }),
  banned: (id) => ({ code: "PERMISSION_DENIED", sentence: `${id}, or its address, is banned from this network` }),
  notAllowed: (id) => ({ code: "PERMISSION_DENIED", sentence: `${id} may not read here` }),
  notNow: () => ({ code: "UNAVAILABLE", sentence: "This server lets nobody in at the moment" }),
};
const NO_SPACE: Refusal = { code: "RESOURCE_EXHAUSTED", sentence: "This server has no space left for the message" };
const NO_CHANNELS_YET: Refusal = {
  code: "UNAVAILABLE",
  sentence: "Not every server of this network is known to understand channels",
};
const STOPPING: Refusal = { code: "UNAVAILABLE", sentence: "This server is stopping" };

/** One door's participants. */
export class ChatRoom implements ParticipantOwner {
  readonly #parts: ChatRoomParts;
  readonly #lamport: DoorClock;
  readonly #participants = new Map<string, Participant>();
  readonly #awaited: AwaitedBroadCasts<Participant>;
  /** Whose turn it is, where participants are called one by one. */
  readonly #turns: Turns<Participant> | undefined;
  /** The authors' own times of this door's publications, by the entries' `id`. */
  readonly #authored = new RecentMap<string, number>(MAX_AUTHORED);
  readonly #stopListening: () => void;
  #isClosed = false;
  /** Who comes in just now. */
  #entering: string | undefined;
  /** Participants that left here, and are online elsewhere. */
  readonly #saidGoodbye = new Set<string>();

  constructor(parts: ChatRoomParts) {
    this.#parts = parts;
    const { clock, guests, note, broadcasts } = parts;
    this.#turns = broadcasts === "oneByOne" ? new Turns() : undefined;
    this.#lamport = new DoorClock(guests.lamportAtStart, note, (lamport) => guests.reach(lamport));
    this.#awaited = new AwaitedBroadCasts(clock);
    this.#stopListening = guests.listen((event, lamport) => this.#heard(event, lamport));
  }

  /** How many there are. */
  get size(): number {
    return this.#participants.size;
  }

  /** A participant that calls from `peerHost` comes. */
  join({ participantID: id, lamportTime }: JoinRequest, peerHost: string): Outcome<JoinReply> {
    this.#lamport.receive(heardTime(lamportTime), "Received join request");
    this.#lamport.tick("Attempt join");
    const problem = this.#isClosed ? STOPPING : idProblem(id, this.#parts.ownPorts());
    if (problem !== undefined) return this.#refuse("join", id, problem);
    const host = participantHost(peerHost, this.#parts.participantHosts);
    if (typeof host !== "string") return this.#refuse("join", id, host);
    let known = this.#participants.get(id);
    if (known?.leaveIsTold && known.host === host) {
      // All know that it goes. It went without leaving, and now comes again.
      this.#remove(known, "LOGGED_OUT");
      known = undefined;
    }
    if (known === undefined) {
      const refusal = this.#enter(id, host);
      if (refusal !== undefined) return this.#refuse("join", id, refusal);
    } else if (known.host !== host) {
      return this.#refuse("join", id, { code: "ALREADY_EXISTS", sentence: `${id} is connected from another host` });
    } else known.joinsAgain();
    const reply = known === undefined ? "You are now connected" : "You are already connected";
    return { reply: { participantID: id, reply, lamportTime: wireTime(this.#lamport.tick("Join reply")) } };
  }

  /** A participant says something. Resolves when the others were told, or the wait for them is over. */
  async publish(message: Message, peerHost: string): Promise<Outcome<PublishMessageReply>> {
    const { participantID: id } = message;
    const { guests, channel } = this.#parts;
    this.#lamport.receive(heardTime(message.lamportTime), "Received publish request");
    this.#lamport.tick("Attempt publish");
    const problem = this.#isClosed ? STOPPING : messageProblem(message.message);
    if (problem !== undefined) return this.#refuse("publish", id, problem);
    const author = this.#participantOf(id, peerHost);
    if (!(author instanceof Participant)) return this.#refuse("publish", id, author);
    if (!author.guest.mayPublish) return this.#refuse("publish", id, mayNotPublish(id));
    if (channel !== undefined && !guests.takesChannels) return this.#refuse("publish", id, NO_CHANNELS_YET);
    if (!guests.hasSpace) return this.#refuse("publish", id, NO_SPACE);
    await this.#say(author, message);
    if (this.#isClosed) return this.#refuse("publish", id, STOPPING);
    const lamportTime = wireTime(this.#lamport.tick("Publish reply"));
    return { reply: { reply: "Publish message reply", lamportTime } };
  }

  /** A participant goes. */
  leave({ participantID: id, lamportTime }: LeaveRequest, peerHost: string): Outcome<LeaveReply> {
    this.#lamport.receive(heardTime(lamportTime), "Received leave request");
    this.#lamport.tick("Attempt leave");
    const participant = this.#participants.get(id);
    if (participant !== undefined) {
      const host = participantHost(peerHost, this.#parts.participantHosts);
      if (host !== participant.host) {
        return this.#refuse("leave", id, typeof host === "string" ? strangerOf(id) : host);
      }
      this.#remove(participant, "LOGGED_OUT");
    }
    const reply = participant === undefined ? "Unknown user tried to leave the server" : "User left the server";
    return { reply: { participantID: id, reply, lamportTime: wireTime(this.#lamport.tick("Leave reply")) } };
  }

  /** Ends it: nobody hears anything after this. */
  close(reason: CloseReason = "SERVER_STOPPING"): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopListening();
    for (const participant of this.#participants.values()) {
      participant.close();
      participant.guest.leave(this.#lamport.now, reason);
    }
    this.#participants.clear();
    this.#awaited.close();
  }

  // ---- participants speak ----------------------------------------------------------------------------------------

  errandOf(item: GuestItem<Announcement>): Errand {
    if (item.kind === "notice") return { key: item.notice, ...item.notice };
    const { id, lamport } = item.broadcast;
    const lamportTime = this.#authored.get(id) ?? wireTime(lamport);
    const message = said(activityAuthor(item.broadcast), activityText(item.broadcast), lamportTime, "isPublish");
    return { key: id, message, lamport };
  }

  waits(participant: Participant): void {
    if (this.#turns === undefined) return participant.call();
    this.#turns.waits(participant);
    // Participants who come before this one may be about to wait, too.
    queueMicrotask(() => this.#nextTurn());
  }

  sent(participant: Participant, key: unknown): void {
    this.#awaited.sent(key, participant);
  }

  answered(participant: Participant, key: unknown): void {
    this.#awaited.answered(key, participant);
    this.#turns?.answered(participant);
    this.#nextTurn();
  }

  missed({ id }: Participant, count: number, why: string): void {
    logger.info("participant {id} did not take a BroadCast, {count} of {most}: {why}", {
      id,
      count,
      most: this.#maxMissed,
      why,
    });
  }

  silent(participant: Participant): void {
    logger.warning(
      "participant {id} answered none of {most} BroadCasts within {seconds} seconds each: the door counts it as gone",
      { id: participant.id, most: this.#maxMissed, seconds: DEADLINE_MS / 1000 },
    );
    this.#remove(participant, "HEARTBEAT_TIMEOUT", "it answered no BroadCast");
  }

  ended(participant: Participant, reason: CloseReason): void {
    if (this.#participants.get(participant.id) !== participant) return;
    if (reason === "SERVER_STOPPING" || reason === "SERVER_FAILED") this.close(reason);
    else this.#remove(participant, reason);
  }

  faulted(participant: Participant): void {
    if (this.#participants.get(participant.id) === participant) this.#remove(participant, "SERVER_FAILED");
  }

  // ---- coming, saying, going -------------------------------------------------------------------------------------

  #enter(id: string, host: string): Refusal | undefined {
    const { guests, channel, call, clock, faults } = this.#parts;
    const endpoint = { host, port: portOf(id)! };
    const participant = new Participant({ id, host }, call(endpoint), {
      ...{ clock, lamport: this.#lamport, maxMissed: this.#maxMissed },
      ...(faults === undefined ? {} : { faults }),
    }, this);
    // A participant that is online for the others, as it is at another door, does not join once more.
    const isHere = guests.isOnline(id) && !this.#saidGoodbye.has(id);
    this.#entering = id;
    const guest = guests.enter<Announcement>(
      { name: id, ...endpoint, lamport: this.#lamport.now, channel },
      participant,
    );
    this.#entering = undefined;
    if (!(guest instanceof Guest)) {
      participant.close();
      return REFUSALS[guest](id);
    }
    participant.guest = guest;
    this.#saidGoodbye.delete(id);
    participant.joinIsTold = isHere;
    if (!isHere) participant.joinTimer = clock.after(ANNOUNCE_MS, () => this.#tellJoin(participant));
    this.#participants.set(id, participant);
    this.#turns?.joined(participant);
    return undefined;
  }

  /**
   * Tells everybody the message of `author`. Resolves as `AwaitedBroadCasts.wait` does, and not before the stored entry
   * is safe.
   */
  #say(author: Participant, message: Message): Promise<unknown> {
    const { isPublish, isJoin, isLeave } = message;
    if (isJoin && !author.joinIsTold || isLeave && !author.leaveIsTold) {
      if (isJoin) this.#joinIsTold(author);
      else this.#tellJoin(author);
      if (isLeave) author.leaveIsTold = true;
      const announcement = { message, lamport: this.#lamport.tick("BroadCast Request sent") };
      const told = this.#wait(announcement, author);
      this.#announce(announcement);
      return told;
    }
    // Said already, and nothing but that.
    if ((isJoin || isLeave) && !isPublish) return Promise.resolve();
    const { id, lamport, safe } = author.guest.publish(JSON.stringify({ text: message.message }), this.#lamport.now);
    this.#lamport.advance(lamport, "BroadCast Request sent");
    this.#authored.set(id, message.lamportTime);
    return Promise.all([this.#awaited.orClosed(safe), this.#wait(id, author)]);
  }

  #wait(key: unknown, author: Participant): Promise<void> {
    if (this.#turns !== undefined) return this.#awaited.waitForAll(key, this.#participants.values());
    return this.#awaited.wait(key, author, [...this.#participants.values()].filter(({ keepsUp }) => keepsUp));
  }

  /** Where everybody would wait for it, one miss is enough. */
  get #maxMissed(): number {
    return this.#turns === undefined ? MAX_MISSED : 1;
  }

  #nextTurn(): void {
    this.#turns?.next()?.call();
  }

  #announce(announcement: Announcement): void {
    const notice = { notice: announcement, after: this.#parts.guests.position };
    for (const participant of this.#participants.values()) participant.guest.tell(notice);
  }

  /** In the server's own words: no participant and no other server said it. */
  #tell(id: string, event: "joined" | "left", lamport: number): void {
    const text = announcementText(id, event, lamport);
    const message = said(id, text, wireTime(lamport), event === "joined" ? "isJoin" : "isLeave");
    this.#announce({ message, lamport });
  }

  #tellJoin(participant: Participant): void {
    if (participant.joinIsTold) return;
    this.#joinIsTold(participant);
    this.#tell(participant.id, "joined", this.#lamport.tick("BroadCast Request sent"));
  }

  #joinIsTold(participant: Participant): void {
    participant.joinIsTold = true;
    participant.joinTimer?.cancel();
  }

  #remove(participant: Participant, reason: CloseReason, why: string = CLOSE_REASONS[reason].sentence): void {
    const { id, guest } = participant;
    participant.close();
    guest.leave(this.#lamport.now, reason, why);
    this.#participants.delete(id);
    this.#awaited.gone(participant);
    this.#turns?.gone(participant);
    this.#nextTurn();
    const isElsewhere = this.#parts.guests.isOnline(id);
    if (isElsewhere && participant.leaveIsTold) this.#saidGoodbye.add(id);
    if (this.#participants.size === 0) return;
    this.#tellJoin(participant);
    // A participant that is at another door, too, leaves for the others when it leaves that door.
    if (!isElsewhere && !participant.leaveIsTold) this.#tell(id, "left", this.#lamport.tick("BroadCast Request sent"));
  }

  /** Somebody has come or gone in the network. */
  #heard({ event, username }: PresenceEvent, lamport: number): void {
    const isTold = event === "left" && this.#saidGoodbye.delete(username);
    // What its own participants do it tells itself.
    if (isTold || username === this.#entering || this.#participants.has(username)) return;
    if (this.#participants.size === 0) return;
    const time = this.#lamport.receive(lamport, "BroadCast Request sent");
    this.#tell(username, event === "joined" ? "joined" : "left", time);
  }

  #participantOf(id: string, peerHost: string): Participant | Refusal {
    const participant = this.#participants.get(id);
    const problem = idProblem(id, []);
    if (problem !== undefined) return problem;
    if (participant === undefined) return { code: "FAILED_PRECONDITION", sentence: `${id} has not joined` };
    const host = participantHost(peerHost, this.#parts.participantHosts);
    return typeof host !== "string" ? host : host === participant.host ? participant : strangerOf(id);
  }

  #refuse(what: string, id: string, refused: Refusal): { readonly refused: Refusal } {
    this.#lamport.tick(`Refused ${what}`);
    // At a level that fills no disk when somebody calls again and again.
    logger.debug("refused to let {id} {what}: {why}", { id: id.slice(0, 64), what, why: refused.sentence });
    return { refused };
  }
}

function said(
  participantID: string,
  message: string,
  lamportTime: number,
  kind: "isPublish" | "isJoin" | "isLeave",
): Message {
  return { participantID, message, lamportTime, isPublish: false, isJoin: false, isLeave: false, [kind]: true };
}

function strangerOf(id: string): Refusal {
  return { code: "PERMISSION_DENIED", sentence: `${id} is connected from another host` };
}

function mayNotPublish(id: string): Refusal {
  return { code: "PERMISSION_DENIED", sentence: `${id} may not publish here` };
}
