/** Servers with a Chitty-Chat door on loopback, and participants of them. */

import { type ConfigLayer, DEFAULT_CONFIG } from "../../../../config/config.ts";
import { layered } from "../../../../config/load.ts";
import type { Door } from "../../../../server/gateway/door.ts";
import type { Note } from "../../../../server/gateway/grpc/door_clock.ts";
import { openGrpcDoor } from "../../../../server/gateway/grpc/grpc_door.ts";
import type { BroadCastRequest } from "../../../../server/gateway/grpc/messages.ts";
import { ThrumNode } from "../../../../server/node/node.ts";
import type { Endpoint } from "../../../../platform/address.ts";
import { nodeCrypto } from "../../../../platform/crypto.ts";
import { makeServerId } from "../../../../platform/node_id.ts";
import { realClock } from "../../../../platform/real_clock.ts";
import { tcpTransport } from "../../../../platform/tcp/tcp_transport.ts";
import { openMemoryStore } from "../../../../server/store/memory_store.ts";
import { ChittyParticipant } from "../../../../tools/chitty_participant.ts";
import { eventually } from "../../../support/until.ts";

/** One server with its door. `await using` stops it. */
export class DoorWorld implements AsyncDisposable {
  private constructor(readonly node: ThrumNode, readonly door: Door) {}

  static async open(options: ConfigLayer = {}, note?: Note): Promise<DoorWorld> {
    const config = layered(DEFAULT_CONFIG, { server: { port: 0 } }, options);
    const node = new ThrumNode({
      config,
      clock: realClock,
      transport: tcpTransport(config.limits.maxPendingBytes),
      store: openMemoryStore({ serverId: makeServerId() }),
      crypto: nodeCrypto,
    });
    await node.start();
    const parts = { node, config, clock: realClock, crypto: nodeCrypto };
    const door = await openGrpcDoor(parts, { host: "127.0.0.1", port: 0 }, note);
    return new DoorWorld(node, door);
  }

  get server(): Endpoint {
    return { host: "127.0.0.1", port: this.door.port };
  }

  async close(): Promise<void> {
    await this.node.stop();
    await this.door.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A participant that keeps what it is told. `await using` ends it without a word. */
export class TestParticipant implements AsyncDisposable {
  readonly heard: BroadCastRequest[] = [];
  /** What is awaited before a BroadCast is answered. */
  holding: Promise<void> | undefined;
  #program!: ChittyParticipant;

  static async listen(
    server: Endpoint,
    { port = 0, note }: { port?: number; note?: Note } = {},
  ): Promise<TestParticipant> {
    const participant = new TestParticipant();
    participant.#program = await ChittyParticipant.listen({
      port,
      server,
      onBroadCast: async (request) => {
        participant.heard.push(request);
        await participant.holding;
      },
      ...(note === undefined ? {} : { note }),
    });
    return participant;
  }

  /** One that has joined and has said so. */
  static async joined(server: Endpoint): Promise<TestParticipant> {
    const participant = await TestParticipant.listen(server);
    await participant.program.join();
    await participant.program.announce("joined");
    return participant;
  }

  get program(): ChittyParticipant {
    return this.#program;
  }

  get id(): string {
    return this.#program.id;
  }

  /** What was said, as `"1111: Hej"`; announcements as they are. */
  get lines(): string[] {
    return this.heard.map(({ participantID, message }) =>
      message!.isPublish ? `${participantID}: ${message!.message}` : message!.message
    );
  }

  /** Only what was published. */
  get said(): string[] {
    return this.heard.filter(({ message }) => message!.isPublish).map(({ participantID, message }) =>
      `${participantID}: ${message!.message}`
    );
  }

  async hears(line: string | RegExp, patienceMs?: number): Promise<void> {
    const is = (heard: string) => typeof line === "string" ? heard === line : line.test(heard);
    await eventually(
      () => this.lines.some(is),
      () => `${this.id} hears ${line}; it has heard ${this.lines}`,
      patienceMs,
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program.close();
  }
}
