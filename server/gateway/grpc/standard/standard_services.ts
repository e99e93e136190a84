/**
 * The services that tools and orchestrators expect of every gRPC server: reflection and health. They are loaded with
 * the first call that asks for one of them.
 */

import * as grpc from "@grpc/grpc-js";
import type { Clock } from "../../../../platform/clock.ts";
import { type FaultGuard, guarded } from "../../../../platform/faults.ts";
import { asBuffer } from "../../../../platform/node_buffer.ts";
import { type Watcher, Watchers } from "./watchers.ts";

/** What they are made with. */
export interface StandardServicesParts {
  readonly clock: Clock;
  readonly faults: FaultGuard;
  /** Whether this server takes clients now. */
  isReady(): boolean;
}

const REFLECTION = ["v1", "v1alpha"].map((version) => `grpc.reflection.${version}.ServerReflection`);
const HEALTH = "grpc.health.v1.Health";

type Bytes = Uint8Array;

/** Adds reflection and health to a server that has not begun to listen. */
export function addStandardServices(server: grpc.Server, parts: StandardServicesParts): void {
  for (const service of REFLECTION) {
    const path = `/${service}/ServerReflectionInfo`;
    server.addService({ ServerReflectionInfo: method(path, { requestStream: true, responseStream: true }) }, {
      ServerReflectionInfo: (call: grpc.ServerDuplexStream<Bytes, Bytes>) => reflect(call, parts),
    });
  }
  const watchers = new Watchers(parts.clock, parts.isReady);
  server.addService({
    Check: method(`/${HEALTH}/Check`, {}),
    Watch: method(`/${HEALTH}/Watch`, { responseStream: true }),
  }, {
    Check: (call: grpc.ServerUnaryCall<Bytes, Bytes>, callback: grpc.sendUnaryData<Bytes>) =>
      void check(call, callback, parts),
    Watch: (call: grpc.ServerWritableStream<Bytes, Bytes>) => void watch(call, watchers, parts),
  });
}

function reflect(call: grpc.ServerDuplexStream<Bytes, Bytes>, { faults }: StandardServicesParts): void {
  // An exception may come from a call that is gone.
  const quietly = (act: () => void) => guarded(faults, "grpc", act, () => call.destroy());
  const loaded = import("./reflection.ts");
  let before: Promise<void> = Promise.resolve();
  call.on("data", (request: Bytes) => {
    // One at a time, in their order: nothing more is read until the answer was taken.
    call.pause();
    before = before.then(() => loaded).then(({ answerReflection }) =>
      quietly(() => {
        const answer = attempt(() => answerReflection(request));
        if (answer === undefined) return void call.emit("error", NO_MESSAGE);
        if (call.write(answer)) call.resume();
        else call.once("drain", () => call.resume());
      })
    );
  });
  call.on("end", () => void before.then(() => quietly(() => call.end())));
  call.on("error", () => {});
}

async function check(
  call: grpc.ServerUnaryCall<Bytes, Bytes>,
  callback: grpc.sendUnaryData<Bytes>,
  { faults, isReady }: StandardServicesParts,
): Promise<void> {
  const { healthAnswer, healthOf } = await import("./health.ts");
  guarded(faults, "grpc", () => {
    const status = attempt(() => ({ of: healthOf(call.request, isReady()) }));
    if (status === undefined) callback(NO_MESSAGE);
    else if (status.of === undefined) callback({ code: grpc.status.NOT_FOUND, details: "There is no such service" });
    else callback(null, healthAnswer(status.of));
  }, () => {});
}

/** Tells the state, and each change of it, until the caller goes. */
async function watch(
  call: grpc.ServerWritableStream<Bytes, Bytes>,
  watchers: Watchers,
  { faults, isReady }: StandardServicesParts,
): Promise<void> {
  const { healthAnswer, healthOf, SERVING_STATUS } = await import("./health.ts");
  // An exception may come from a call that is gone.
  const quietly = (act: () => void) => guarded(faults, "grpc", act, stop);
  let told: number | undefined;
  const watcher: Watcher = {
    tell: (isReady) =>
      quietly(() => {
        const now = healthOf(call.request, isReady) ?? SERVING_STATUS.serviceUnknown;
        if (now !== told) call.write(healthAnswer(told = now));
      }),
  };
  const stop = () => watchers.delete(watcher);
  for (const event of ["cancelled", "close", "error", "finish"]) call.on(event, stop);
  if (call.cancelled) return;
  quietly(() => {
    const status = attempt(() => ({ of: healthOf(call.request, isReady()) }));
    if (status === undefined) call.emit("error", NO_MESSAGE);
    else if (!watchers.add(watcher)) call.emit("error", TOO_MANY);
  });
}

const NO_MESSAGE: Partial<grpc.StatusObject> & Error = Object.assign(new Error("no message"), {
  code: grpc.status.INVALID_ARGUMENT,
  details: "The request is no message of this service",
});

const TOO_MANY: Partial<grpc.StatusObject> & Error = Object.assign(new Error("too many watch"), {
  code: grpc.status.RESOURCE_EXHAUSTED,
  details: "Too many watch this server already: ask it with Check",
});

/** `undefined` when the bytes of a request were wrong. */
function attempt<T>(answer: () => T): T | undefined {
  try {
    return answer();
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** A method whose messages stay bytes. */
function method(
  path: string,
  { requestStream = false, responseStream = false }: { requestStream?: boolean; responseStream?: boolean },
): grpc.MethodDefinition<Bytes, Bytes> {
  return {
    path,
    requestStream,
    responseStream,
    requestSerialize: asBuffer,
    requestDeserialize: (bytes) => bytes,
    responseSerialize: asBuffer,
    responseDeserialize: (bytes) => bytes,
  };
}
