/** A chat room at a server on a fake clock, with participants that are functions. */

import type { ConfigLayer, GrpcBroadcasts } from "../../../../config/config.ts";
import { ChatRoom } from "../../../../server/gateway/grpc/chat_room.ts";
import type { BroadCastReply, BroadCastRequest } from "../../../../server/gateway/grpc/messages.ts";
import { NodeWorld } from "../../../support/node_world.ts";

/**
 * How a participant takes a BroadCast: answers it after so many milliseconds, refuses it at once, or
 * never says anything.
 */
export type Manner = number | "refuses" | "silent";

/** One room and whoever is in it. */
export class RoomWorld {
  readonly room: ChatRoom;
  readonly notes: string[] = [];
  /** What each participant was called with, attempts included. */
  readonly calls = new Map<string, BroadCastRequest[]>();
  /** What each has answered, in words. */
  readonly heard = new Map<string, string[]>();
  readonly manners = new Map<string, Manner>();
  /** Channels that were opened, and closed. */
  readonly channels = { opened: 0, closed: 0 };

  private constructor(
    readonly world: NodeWorld,
    participantHosts: string[],
    broadcasts: GrpcBroadcasts = "sideBySide",
    channel?: string,
  ) {
    this.room = new ChatRoom({
      clock: world.clock,
      guests: world.node.guests,
      participantHosts,
      broadcasts,
      channel,
      ownPorts: () => [world.node.port, 7080],
      call: ({ host, port }) => {
        this.channels.opened++;
        return {
          broadCast: (request, timeoutMs) => this.#call(`${port}`, host, request, timeoutMs),
          close: () => void this.channels.closed++,
        };
      },
      note: (what, lamport) => this.notes.push(`${what} ${lamport}`),
    });
  }

  static async open(options: ConfigLayer = {}, participantHosts: string[] = []): Promise<RoomWorld> {
    return new RoomWorld(await NodeWorld.start(options), participantHosts);
  }

  /** One where participants are called one after the other. */
  static async oneByOne(): Promise<RoomWorld> {
    return new RoomWorld(await NodeWorld.start({}), [], "oneByOne");
  }

  /** One whose participants are in a channel. */
  static async inChannel(channel: string, options: ConfigLayer = {}): Promise<RoomWorld> {
    return new RoomWorld(await NodeWorld.start(options), [], "sideBySide", channel);
  }

  /** A second door's room at the same server: to each of the two the other is elsewhere. */
  besides(): RoomWorld {
    return new RoomWorld(this.world, []);
  }

  /** Participants that have joined, and whose coming is told. */
  async joined(...ids: string[]): Promise<void> {
    for (const id of ids) {
      this.join(id);
      await this.say(id, `${id} is here`, { isJoin: true });
    }
    await this.run(0);
    for (const id of ids) {
      this.calls.set(id, []);
      this.heard.set(id, []);
    }
  }

  /** The reply, or the status and the sentence. */
  join(participantID: string, from = "127.0.0.1"): string {
    return inWords(this.room.join({ participantID, lamportTime: 0 }, from));
  }

  leave(participantID: string, from = "127.0.0.1"): string {
    return inWords(this.room.leave({ participantID, lamportTime: 0 }, from));
  }

  /** Publishes, and winds the clock until there is a reply. */
  async say(participantID: string, message: string, flags = {}, from = "127.0.0.1"): Promise<string> {
    const answer = this.publish(participantID, message, flags, from);
    let isAnswered = false;
    answer.finally(() => isAnswered = true);
    for (let ms = 0; !isAnswered && ms < 5_000; ms += 10) await this.run(10);
    return answer;
  }

  publish(participantID: string, message: string, flags = {}, from = "127.0.0.1"): Promise<string> {
    const kind = Object.keys(flags).length > 0 ? flags : { isPublish: true };
    const none = { isPublish: false, isJoin: false, isLeave: false };
    return this.room.publish({ participantID, message, lamportTime: 0, ...none, ...kind }, from).then(inWords);
  }

  async run(ms: number): Promise<void> {
    await this.world.clock.run(ms);
  }

  heardBy(id: string): string[] {
    return this.heard.get(id) ?? [];
  }

  async close(): Promise<void> {
    this.room.close();
    const stopped = this.world.node.stop();
    await this.run(5_000);
    await stopped;
  }

  #call(id: string, host: string, request: BroadCastRequest, timeoutMs: number): Promise<BroadCastReply> {
    this.#of(this.calls, id).push(request);
    const manner = this.manners.get(id) ?? 1;
    return new Promise((resolve, reject) => {
      if (manner === "refuses") return reject(new Error(`${host}:${id} refuses`));
      const isLate = manner === "silent" || manner > timeoutMs;
      this.world.clock.after(isLate ? timeoutMs : manner, () => {
        if (isLate) return reject(new Error("too late"));
        const { participantID, message } = request;
        this.#of(this.heard, id).push(message!.isPublish ? `${participantID}: ${message!.message}` : message!.message);
        resolve({ participantID: id, reply: "BroadCast message reply", lamportTime: request.lamportTime + 3 });
      });
    });
  }

  #of<T>(map: Map<string, T[]>, id: string): T[] {
    if (!map.has(id)) map.set(id, []);
    return map.get(id)!;
  }
}

function inWords(
  outcome: { reply: { reply: string } } | { refused: { code: string; sentence: string } },
): string {
  return "reply" in outcome ? outcome.reply.reply : `${outcome.refused.code}: ${outcome.refused.sentence}`;
}
