/**
 * The Chitty-Chat door: serves `ChittyChatServiceIN`, over TLS or plain HTTP/2, and calls each participant's own
 * `ChittyChatServiceOUT`, over plain HTTP/2. The chat room decides who hears what; only this file knows gRPC.
 */

import * as grpc from "@grpc/grpc-js";
import { getLogger } from "@logtape/logtape";
import { endpointText, parseGateway } from "../../../config/values.ts";
import type { Config } from "../../../config/config.ts";
import { type Endpoint, isLoopbackAddress } from "../../../platform/address.ts";
import type { Clock } from "../../../platform/clock.ts";
import { type FaultGuard, guarded, UNGUARDED } from "../../../platform/faults.ts";
import { guardHttp2 } from "../../../platform/http/guarded_http2.ts";
import {
  endWithCallers,
  type Http2Front,
  type Http2FrontParts,
  type Http2Tls,
  listenHttp2,
} from "../../../platform/http/http2_front.ts";
import { hasHttp2, repairHttp2 } from "../../../platform/http/http2_polyfill.ts";
import { normalName } from "../../../protocol/channels/channel_name.ts";
import type { Door, DoorParts } from "../door.ts";
import type { DoorTls } from "../tls/door_tls.ts";
import { participantCaller } from "./caller.ts";
import { ChatRoom, type Outcome } from "./chat_room.ts";
import type { Note } from "./door_clock.ts";
import { methodOf } from "./grpc_codec.ts";
import { type JoinRequest, type LeaveRequest, type Message, SERVICE_IN } from "./messages.ts";
import { peerHost } from "./rules.ts";
import { addStandardServices } from "./standard/standard_services.ts";

/** No request needs nearly as much. */
const MAX_REQUEST_BYTES = 65_536;
/** Requests that one connection may have under way. */
const MAX_STREAMS = 100;
/** Connections at once. A participant has one. */
const MAX_CALLERS = 1_024;
/** The time for running calls when the door closes. The operating system then has the same time to close everything. */
const CLOSE_MS = 800;
const logger = getLogger(["thrum", "grpc"]);

/** The default log of the door's events: `"Received join request, lamport time: 2"`. */
const logNote: Note = (what, lamport) => logger.debug("{what}, lamport time: {lamport}", { what, lamport });

/**
 * Opens the door at an address.
 * @throws {Error} with a `code` such as `EADDRINUSE` if it cannot listen there.
 */
export async function openGrpcDoor(parts: DoorParts, at: Endpoint, note: Note = logNote): Promise<Door> {
  const { node, config, clock, faults = UNGUARDED, maxCallers = MAX_CALLERS, tls } = parts;
  const { participantHosts, broadcasts, channel } = config.gateway.grpc;
  let port = 0;
  const room = new ChatRoom({
    ...{ clock, participantHosts, broadcasts },
    guests: node.guests,
    channel: channel === "" ? undefined : normalName(channel),
    ownPorts: () => [node.port, port, parseGateway(node.http)?.endpoint.port ?? 0],
    call: (endpoint) => participantCaller(endpoint, clock),
    faults,
    note,
  });
  repairHttp2();
  // The library would also write these exceptions to standard error.
  grpc.setLogger({ error: (...words: unknown[]) => logger.debug("the gRPC library says: {words}", { words }) });
  const server = new grpc.Server({
    "grpc.max_receive_message_length": MAX_REQUEST_BYTES,
    "grpc.max_concurrent_streams": MAX_STREAMS,
  });
  guardServer(server, faults);
  const { Join, Publish, Leave } = SERVICE_IN;
  server.addService({ Join: methodOf(Join), Publish: methodOf(Publish), Leave: methodOf(Leave) }, {
    Join: handler(faults, (request: JoinRequest, peer) => room.join(request, peer)),
    Publish: handler(faults, (request: Message, peer) => room.publish(request, peer)),
    Leave: handler(faults, (request: LeaveRequest, peer) => room.leave(request, peer)),
  });
  addStandardServices(server, { clock, faults, isReady: () => node.state === "ready" });
  let front: Http2Front | undefined;
  try {
    const most = Math.min(maxCallers, MAX_CALLERS);
    if (hasHttp2()) front = await listenInFront(server, at, { faults, maxCallers: most, tls: frontTls(tls, config) });
    port = front?.port ?? await listen(server, at);
  } catch (error) {
    room.close();
    server.forceShutdown();
    throw error;
  }
  const host = at.host;
  logger.debug("the Chitty-Chat door listens on {address}", { address: endpointText({ host, port }) });
  let closed: Promise<void> | undefined;
  return {
    host,
    port,
    isSecure: tls !== undefined,
    close: () =>
      closed ??= (() => {
        room.close();
        front?.close();
        return shutDown(server, clock).then(() => front?.cut());
      })(),
  };
}

/** On the port of the door both are spoken, as on that of the server. */
function frontTls(tls: DoorTls | undefined, config: Config): Http2Tls | undefined {
  return tls &&
    { intake: tls.intake, mayBePlain: (remoteHost) => !config.tls.required || isLoopbackAddress(remoteHost) };
}

/** Listens itself, as the library must not get everything that comes. */
function listenInFront(server: grpc.Server, at: Endpoint, parts: Http2FrontParts): Promise<Http2Front> {
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  return listenHttp2(at, (connection) => injector.injectConnection(connection), parts);
}

/** Where the library listens, with a Deno that has another HTTP/2. */
function listen(server: grpc.Server, at: Endpoint): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(endpointText(at), grpc.ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) return resolve(port);
      // The library has only words for it.
      const code = /\bE[A-Z]{3,}\b/.exec(error.message)?.[0];
      reject(code === undefined ? error : Object.assign(error, { code, syscall: "listen" }));
    });
  });
}

/** Lets running calls end, and cuts off those that do not. */
function shutDown(server: grpc.Server, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    let timer = clock.after(CLOSE_MS, () => {
      timer = clock.after(CLOSE_MS, resolve);
      server.forceShutdown();
    });
    server.tryShutdown(() => {
      timer.cancel();
      resolve();
    });
  });
}

/** The library hides its HTTP/2 servers, and lets exceptions in them end the process. */
function guardServer(server: grpc.Server, faults: FaultGuard): void {
  const library = server as unknown as { createHttp2Server?(...args: unknown[]): Parameters<typeof guardHttp2>[0] };
  const create = library.createHttp2Server;
  if (create === undefined) {
    throw new TypeError("Cannot guard the gRPC library: it makes its servers in another way now");
  }
  library.createHttp2Server = (...args) => {
    const made = create.apply(server, args);
    guardHttp2(made, faults);
    if (hasHttp2()) endWithCallers(made as unknown as Parameters<typeof endWithCallers>[0], faults);
    return made;
  };
}

function handler<Request, Reply>(
  faults: FaultGuard,
  answer: (request: Request, peerHost: string) => Outcome<Reply> | Promise<Outcome<Reply>>,
): grpc.handleUnaryCall<Request, Reply> {
  return async (call, callback) => {
    // Answering can throw as well: the call may be gone.
    const tell: typeof callback = (...told) => guarded(faults, "grpc", () => callback(...told), () => {});
    try {
      const outcome = await answer(call.request, peerHost(call.getPeer()));
      if ("reply" in outcome) tell(null, outcome.reply);
      else tell({ code: grpc.status[outcome.refused.code], details: outcome.refused.sentence });
    } catch (error) {
      faults.noted("grpc", error);
      tell({ code: grpc.status.INTERNAL, details: "The server has a fault" });
    }
  };
}
