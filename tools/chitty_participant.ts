/**
 * A Chitty-Chat participant: serves BroadCast on the port that is its id, and calls a server's door. Counts Lamport
 * time as the door does, one for each request, reply and attempt.
 */

import * as grpc from "@grpc/grpc-js";
import type { Note } from "../server/gateway/grpc/door_clock.ts";
import { methodOf } from "../server/gateway/grpc/grpc_codec.ts";
import { type BroadCastRequest, type Message, SERVICE_IN, SERVICE_OUT } from "../server/gateway/grpc/messages.ts";
import { announcementText, wireTime } from "../server/gateway/grpc/rules.ts";
import { callUnary } from "../server/gateway/grpc/unary_call.ts";
import type { Endpoint } from "../platform/address.ts";
import { Http2Channel } from "../platform/http/http2_client.ts";
import { repairHttp2 } from "../platform/http/http2_polyfill.ts";
import { realClock } from "../platform/real_clock.ts";
import { receive, tick } from "../trace/lamport_clock.ts";

/** What a participant is made with. */
export interface ParticipantParts {
  /** The port to listen on; 0 takes a free one. It is the participant's id. */
  readonly port: number;
  /** The server's door. */
  readonly server: Endpoint;
  /** Gets what BroadCast brings; it is answered when this resolves. */
  readonly onBroadCast: (request: BroadCastRequest) => void | Promise<void>;
  /** Gets each event of its Lamport clock. */
  readonly note?: Note;
}

/** How long a call may take, in milliseconds. */
const CALL = { clock: realClock, timeoutMs: 5_000, waitsForServer: false };

/** The preface, and an empty frame of settings. */
const HTTP2_BEGINNING = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");

/** One participant. */
export class ChittyParticipant {
  readonly id: string;
  readonly #options: ParticipantParts;
  readonly #service: grpc.Server;
  readonly #channel: Http2Channel;
  #lamport = 0;
  #watching: Deno.Conn | undefined;
  #isClosed = false;

  private constructor(options: ParticipantParts, service: grpc.Server, port: number) {
    this.#options = options;
    this.#service = service;
    this.id = String(port);
    this.#channel = new Http2Channel(options.server);
  }

  /** Begins to listen. @throws {Error} when the port cannot be had. */
  static async listen(options: ParticipantParts): Promise<ChittyParticipant> {
    repairHttp2();
    const service = new grpc.Server();
    const made = Promise.withResolvers<ChittyParticipant>();
    service.addService({ BroadCast: methodOf(SERVICE_OUT.BroadCast) }, {
      BroadCast: (call: grpc.ServerUnaryCall<BroadCastRequest, unknown>, callback: grpc.sendUnaryData<unknown>) => {
        made.promise.then((participant) => participant.#take(call.request)).then(
          (reply) => callback(null, reply),
          (error) => callback({ code: grpc.status.INTERNAL, details: String(error) }),
        );
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      const address = `127.0.0.1:${options.port}`;
      const credentials = grpc.ServerCredentials.createInsecure();
      service.bindAsync(address, credentials, (error, port) => error === null ? resolve(port) : reject(error));
    });
    const participant = new ChittyParticipant(options, service, port);
    made.resolve(participant);
    return participant;
  }

  /** Its Lamport time. */
  get lamport(): number {
    return this.#lamport;
  }

  /** Joins. Gives what the server says. @throws {GrpcError} as all others. */
  async join(): Promise<string> {
    const request = { participantID: this.id, lamportTime: this.#tick("Join Request sent") };
    const { reply, lamportTime } = await callUnary(this.#channel, SERVICE_IN.Join, request, CALL);
    this.#receive(lamportTime, "Join response from the Server");
    return reply;
  }

  /** Says something to everybody. */
  say(message: string): Promise<string> {
    return this.publish({ message, isPublish: true });
  }

  /** Says that it has come, or that it goes. */
  announce(event: "joined" | "left"): Promise<string> {
    const message = announcementText(this.id, event, this.#lamport);
    return this.publish({ message, ...(event === "joined" ? { isJoin: true } : { isLeave: true }) });
  }

  /** Publishes a message with these flags. */
  async publish(
    { message, ...flags }: { message: string; isPublish?: boolean; isJoin?: boolean; isLeave?: boolean },
  ): Promise<string> {
    const lamportTime = this.#tick("Publish Request sent");
    const none = { isPublish: false, isJoin: false, isLeave: false };
    const request: Message = { message, lamportTime, participantID: this.id, ...none, ...flags };
    const reply = await callUnary(this.#channel, SERVICE_IN.Publish, request, CALL);
    this.#receive(reply.lamportTime, "Response from the Server");
    return reply.reply;
  }

  /** Goes. */
  async leave(): Promise<string> {
    const request = { participantID: this.id, lamportTime: this.#tick("Leave Request sent") };
    const { reply, lamportTime } = await callUnary(this.#channel, SERVICE_IN.Leave, request, CALL);
    this.#receive(lamportTime, "Leave response from the Server");
    return reply;
  }

  /** Resolves when there is no server any more where there was one, or `close` was called. */
  async serverGone(): Promise<void> {
    const { host: hostname, port } = this.#options.server;
    while (!this.#isClosed) {
      // A connection that says nothing but how HTTP/2 begins: its end tells, and does not count as an event.
      const connection = this.#watching = await Deno.connect({ hostname, port }).catch(() => undefined);
      if (connection === undefined) return;
      try {
        await connection.write(HTTP2_BEGINNING);
        const buffer = new Uint8Array(1024);
        while (await connection.read(buffer) !== null);
      } catch {
        // Reset, or closed by `close`: it has ended all the same.
      } finally {
        closeQuietly(connection);
      }
    }
  }

  /** Ends it without a word, as a program that is killed does. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#watching !== undefined) closeQuietly(this.#watching);
    this.#channel.close();
    this.#service.forceShutdown();
    await new Promise<void>((resolve) => this.#service.tryShutdown(() => resolve()));
  }

  async #take(request: BroadCastRequest): Promise<{ participantID: string; reply: string; lamportTime: number }> {
    this.#receive(request.lamportTime, "Received broadcast request");
    this.#tick("Attempt BroadCast");
    await this.#options.onBroadCast(request);
    const lamportTime = this.#tick("BroadCast reply");
    return { participantID: this.id, reply: "BroadCast message reply", lamportTime };
  }

  #tick(what: string): number {
    this.#lamport = tick(this.#lamport);
    this.#options.note?.(what, this.#lamport);
    return wireTime(this.#lamport);
  }

  #receive(lamport: number, what: string): void {
    this.#lamport = receive(this.#lamport, lamport);
    this.#options.note?.(what, this.#lamport);
  }
}

/** Harmless for one that is closed. */
function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It was.
  }
}
