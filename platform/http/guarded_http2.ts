/**
 * A server of `node:http2` whose listeners cannot end the process. A stream can be gone before its handler hears of it.
 * Then answering throws, in the middle of the event loop. So an exception of a listener or of an answer ends its
 * session. The session ends when the call that threw has returned. Deno 2.9.6 uses freed memory when a session is
 * destroyed while it reads, and many listeners are called from there.
 */

import type { FaultGuard } from "../faults.ts";

/** What is used of servers, sessions and streams alike. */
interface Emitter {
  emit(name: string, ...args: unknown[]): boolean;
}

/** What can be cut. */
interface Destroyable extends Emitter {
  destroy(): void;
}

/** A request. */
interface Http2Stream extends Destroyable {
  readonly session?: Destroyable;
  respond(...args: unknown[]): void;
  sendTrailers(...args: unknown[]): void;
}

/** Guards `server` and all that comes of it. To be called before it listens. */
export function guardHttp2(server: Emitter, faults: FaultGuard): void {
  guardEmit(server, faults, (name, [subject]) => {
    if (name === "stream") cutStream(subject as Http2Stream);
    else if (name === "session" || name === "connection") cut(subject as Destroyable);
  }, (name, [subject]) => {
    if (name === "session") {
      const session = subject as Destroyable;
      guardEmit(session, faults, () => cut(session));
    } else if (name === "stream") guardStream(subject as Http2Stream, faults);
  });
}

function guardStream(stream: Http2Stream, faults: FaultGuard): void {
  guardEmit(stream, faults, () => cutStream(stream));
  // Answers are given in timers and promises too.
  for (const method of ["respond", "sendTrailers"] as const) {
    const act = stream[method];
    stream[method] = (...args) => {
      try {
        act.apply(stream, args);
      } catch (error) {
        faults.caught("grpc", error);
        cutStream(stream);
      }
    };
  }
}

/** `before` each event, and `contain` when a listener of it has thrown. */
function guardEmit(
  emitter: Emitter,
  faults: FaultGuard,
  contain: (name: string, args: readonly unknown[]) => void,
  before: (name: string, args: readonly unknown[]) => void = () => {},
): void {
  const { emit } = emitter;
  emitter.emit = function (this: Emitter, name, ...args) {
    try {
      before(name, args);
      return emit.call(this, name, ...args);
    } catch (error) {
      faults.caught("grpc", error);
      contain(name, args);
      return true;
    }
  };
}

function cutStream(stream: Http2Stream): void {
  // A stream forgets its session when it is destroyed.
  cut(stream.session);
  cut(stream);
}

function cut(subject: Destroyable | undefined): void {
  queueMicrotask(() => {
    try {
      subject?.destroy();
    } catch {
      // It was gone already.
    }
  });
}
