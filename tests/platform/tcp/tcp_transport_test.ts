import { connect, Socket } from "node:net";
import { tcpTransport } from "../../../platform/tcp/tcp_transport.ts";
import type { Link, LinkEnd, LinkHandler } from "../../../platform/transport.ts";
import { until } from "../../support/until.ts";
import { LOCKED } from "../../../tools/locked.ts";

/** Calls that a listener makes to itself need so many links. */
const CROWD = 48;

/** What one link was told. */
class Told implements LinkHandler {
  bytes = 0;
  end: LinkEnd | undefined;
  onData(bytes: Uint8Array): void {
    this.bytes += bytes.length;
  }
  onDrain(): void {}
  onFinish(): void {}
  onEnd(end: LinkEnd): void {
    this.end = end;
  }
}

Deno.test({
  name: "a listener that calls itself survives connections that are reset at once",
  // Deno 2.5 cannot reset one.
  ignore: !("resetAndDestroy" in Socket.prototype),
  async fn() {
    const links: Link[] = [];
    const told: Told[] = [];
    const listener = await tcpTransport(65_536, { selfCallIntervalMs: 1 }).listen(
      { host: "127.0.0.1", port: 0 },
      (link) => {
        const handler = new Told();
        links.push(link);
        told.push(handler);
        link.attach(handler);
      },
    );
    const sockets = Array.from({ length: CROWD }, () => connect({ port: listener.port, host: "127.0.0.1" }));
    await until(() => links.length >= CROWD, "a crowd");
    const program = new URL("./reset_forever.ts", import.meta.url).pathname;
    const resetting = new Deno.Command(Deno.execPath(), {
      args: ["run", LOCKED, "-A", "--quiet", program, `${listener.port}`],
    })
      .spawn();
    try {
      await until(() => links.length >= CROWD + 3_000, "many resets");
    } finally {
      resetting.kill();
      await resetting.status;
    }
    const last = connect({ port: listener.port, host: "127.0.0.1" }, () => last.write("x"));
    sockets.push(last);
    await until(() => told.some(({ bytes }) => bytes > 0), "a byte on a connection after them");
    await listener.close();
    for (const link of links) link.destroy();
    for (const socket of sockets) socket.destroy();
    await until(() => told.every(({ end }) => end !== undefined), "the end of all links");
  },
});
