/** A server for the generator in C that does what a test wants, and a run of the generator on it. */

import { Buffer } from "node:buffer";
import net from "node:net";
import type { Job, JobResult } from "../../bench/load/job.ts";
import { nativeArguments } from "../../bench/load/native.ts";
import { until } from "../support/until.ts";

type Server = Pick<Job, "wire" | "port" | "serverPid">;

/**
 * A server that delivers each line to all, `copies` times, and answers those with an id: each, or the last one of what
 * came together as a range.
 */
export async function withServer(
  use: (server: Server) => Promise<void>,
  copies = 1,
  answers: "single" | "range" = "single",
): Promise<void> {
  const sockets = new Set<net.Socket>();
  let open = 0;
  const server = net.createServer((socket) => {
    open++;
    let unfinished = "";
    let isReady = false;
    socket.on("error", () => {/* "close" follows. */});
    socket.on("close", () => {
      open--;
      sockets.delete(socket);
    });
    socket.on("data", (data) => {
      const lines = (unfinished + data.toString("latin1")).split("\n");
      unfinished = lines.pop()!;
      if (!isReady && lines.length > 0) {
        isReady = true;
        const first = lines.shift()!;
        sockets.add(socket);
        socket.write('{"command":"LOGIN_SUCCESS"}\n');
        if (first.includes('"channels"')) socket.write('{"command":"CAUGHT_UP"}\n');
      }
      if (lines.length === 0) return;
      const ids = lines.flatMap((line) => /"messageId":"([^"]+)"/.exec(line)?.[1] ?? []);
      const answered = answers === "single"
        ? ids.map((id) => `{"command":"ACTIVITY_ACK","messageId":"${id}"}\n`).join("")
        : ids.slice(-1).map((id) => `{"command":"ACTIVITY_ACK","upTo":${Number(id.split("#")[1])}}\n`).join("");
      if (answered !== "") socket.write(answered);
      const delivery = lines.map((line) => line.replace("ACTIVITY_MESSAGE", "ACTIVITY_BROADCAST") + "\n").join("");
      for (const each of sockets) {
        for (let copy = 0; copy < copies; copy++) each.write(Buffer.from(delivery, "latin1"));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as net.AddressInfo;
    await use({ wire: "lines", port, serverPid: Deno.pid });
  } finally {
    // Deno 2.5 does not call back when the last socket was closed by the other side.
    server.close();
    for (const socket of sockets) socket.destroy();
    await until(() => open === 0, "all sockets are closed");
  }
}

/** What the generator at `path` says of `job`. */
export async function resultOf(path: string, job: Job): Promise<JobResult> {
  const { stdout } = await new Deno.Command(path, { args: nativeArguments(job, crypto.randomUUID()) }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}
