/**
 * The generator's connections: raw bytes over `node:net`. All of them read into one shared buffer, so that
 * receiving makes no garbage.
 */

import net from "node:net";
import tls from "node:tls";
import type { Job } from "./job.ts";
import type { Hello } from "./wire.ts";

/** A connection that the server has greeted. */
export interface Connection {
  /** The bytes are kept until they are sent. */
  write(bytes: Uint8Array | string): void;
  /** Whether the other side, or an error, has ended it. */
  readonly isClosed: boolean;
}

/** Room for what the largest receive buffer of a socket usually holds: fewer, longer reads cost less. */
const SHARED_BUFFER = new Uint8Array(262_144);
// Deno knows `onread` since 2.6. Before, each read allocates, and the generator's ceiling is about half as high.
const HAS_ONREAD = hasOnread();

/**
 * Connects to `port` on 127.0.0.1, by TLS if `tls` says so, says `hello` and waits for its answer. `onData` gets all
 * that comes after it; the bytes are only good during the call.
 * @throws {Error} when the server ends the connection or does not answer as expected.
 */
export function connect(
  { port, tls: isTls = false }: Pick<Job, "port" | "tls">,
  hello: Hello,
  onData: (bytes: Uint8Array) => void,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    let greeting: string | undefined = "";
    let isClosed = false;

    const onBytes = (bytes: Uint8Array) => {
      if (greeting === undefined) return onData(bytes);
      greeting += new TextDecoder("latin1").decode(bytes);
      const answer = greeting.indexOf(hello.ready);
      const end = answer < 0 ? 0 : greeting.indexOf("\n", answer) + 1;
      if (end === 0) return;
      const rest = greeting.length - end;
      greeting = undefined;
      resolve({
        write: (bytes) => void socket.write(bytes),
        get isClosed() {
          return isClosed;
        },
      });
      if (rest > 0) onData(bytes.subarray(bytes.length - rest));
    };
    const onread = {
      buffer: SHARED_BUFFER,
      callback: (length: number) => {
        onBytes(SHARED_BUFFER.subarray(0, length));
        return true;
      },
    };
    const reads = HAS_ONREAD && !isTls;
    const socket = isTls
      ? tls.connect({ host: "127.0.0.1", port, rejectUnauthorized: false })
      : net.connect({ host: "127.0.0.1", port, ...(reads ? { onread } : {}) });
    if (!reads) socket.on("data", onBytes);
    socket.setNoDelay(true);
    socket.on(isTls ? "secureConnect" : "connect", () => socket.write(hello.say));
    socket.on("error", reject);
    socket.on("close", () => {
      isClosed = true;
      reject(new Error(`Cannot log in: the server closed the connection after ${JSON.stringify(greeting ?? "")}`));
    });
  });
}

/** Asks without a server: an old Deno refuses before it connects. */
function hasOnread(): boolean {
  try {
    const socket = net.connect({
      host: "127.0.0.1",
      port: 1,
      onread: { buffer: new Uint8Array(1), callback: () => true },
    });
    socket.on("error", () => {/* Nobody is expected at that port. */});
    socket.destroy();
    return true;
  } catch {
    // "Not implemented": the ordinary way of reading works everywhere.
    return false;
  }
}
