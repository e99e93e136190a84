/** A program that opens connections to a port, some at a time, and resets each at once, until it is killed. */

import { connect } from "node:net";

const port = Number(Deno.args[0]);
const AT_A_TIME = 8;

function again(): void {
  const socket = connect({ port, host: "127.0.0.1" }, () => {
    socket.resetAndDestroy();
    setTimeout(again, 0);
  });
  // Refused for a moment, where the listener is opened anew.
  socket.on("error", () => setTimeout(again, 1));
}

for (let count = 0; count < AT_A_TIME; count++) again();
