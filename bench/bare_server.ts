/**
 * The least that a broadcast server can do, to see how much of a result is the generator's own ceiling: lines are not
 * read, only cut, and all that arrived in one turn of the event loop goes to every connection as one buffer. The first
 * line of a connection, whatever it says, is its login.
 */

import { Buffer } from "node:buffer";
import net from "node:net";
import { setImmediate } from "node:timers";

const NEWLINE = 0x0a;
/** Deno before 2.6 accepts hardly any connection beyond so many that are open. */
const BACKLOG = 65_535;
const LOGIN_SUCCESS = '{"command":"LOGIN_SUCCESS"}\n';

const sockets = new Set<net.Socket>();
let turn: Uint8Array[] = [];

function broadcast(lines: Uint8Array): void {
  if (turn.length === 0) setImmediate(flush);
  turn.push(lines);
}

function flush(): void {
  const bytes = Buffer.concat(turn);
  turn = [];
  for (const socket of sockets) socket.write(bytes);
}

function serve(socket: net.Socket): void {
  let unfinished: Buffer = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on("data", (data) => {
    let bytes = unfinished.length === 0 ? data : Buffer.concat([unfinished, data]);
    if (!sockets.has(socket)) {
      bytes = bytes.subarray(bytes.indexOf(NEWLINE) + 1);
      socket.write(LOGIN_SUCCESS);
      sockets.add(socket);
    }
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    unfinished = bytes.subarray(end);
    if (end > 0) broadcast(bytes.subarray(0, end));
  });
  socket.on("close", () => sockets.delete(socket));
  socket.on("error", () => {/* "close" follows. */});
}

if (import.meta.main) {
  const server = net.createServer(serve);
  server.listen({ host: "127.0.0.1", port: 0, backlog: BACKLOG }, () => {
    console.log(`listening on 127.0.0.1:${(server.address() as net.AddressInfo).port}`);
  });
}
