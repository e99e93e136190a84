/** What signals do to a server, as a terminal, a log rotation and a stranger on the same machine send them. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { NO_TERMINAL, startServer } from "../support/program.ts";
import { LineClient } from "../support/line_client.ts";
import { eventually } from "../support/until.ts";

const IS_WINDOWS = Deno.build.os === "windows";
const QUIET = ["--port", "0", "--ephemeral", "--no-prompt"];
if (NO_TERMINAL !== undefined) console.log(`SKIPPED a terminal that goes: ${NO_TERMINAL}`);

Deno.test({
  name: "SIGHUP ends a server in good order whose terminal went",
  ignore: NO_TERMINAL !== undefined,
  async fn() {
    await using server = startServer(QUIET, { terminal: true });
    const [, port] = await server.sees(/listening on 127\.0\.0\.1:(\d+)[^]*Ctrl-C/);
    await using client = await LineClient.loggedIn(Number(port), { features: ["heartbeat"] });
    // What holds the terminal is killed, and the kernel signals everybody on it.
    server.signal("SIGKILL");
    assertEquals((await client.next("END_CONNECTION")).reason, "SERVER_STOPPING");
  },
});

Deno.test({
  name: "SIGHUP opens the log file of a server without a terminal anew, and the server goes on",
  ignore: IS_WINDOWS,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "thrum-cli-" });
    try {
      const file = `${folder}/a.log`;
      await using server = startServer([...QUIET, "--log-file", file]);
      const [, port] = await server.sees(/listening on 127\.0\.0\.1:(\d+)/);
      await eventually(() => Deno.readTextFileSync(file).includes("listens on"), "the log begins");
      await Deno.rename(file, `${file}.1`);
      server.signal("SIGHUP");
      await eventually(() => exists(file), "there is a new file");
      (await Deno.connect({ port: Number(port) })).close();
      await eventually(() => /connected with/.test(Deno.readTextFileSync(file)), "the log goes on in the new file");
      assert(!/connected with/.test(Deno.readTextFileSync(`${file}.1`)));
      server.signal("SIGTERM");
      assertEquals(await server.ended(), 0);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "SIGUSR1 opens no inspector where the signal is blocked, as the systemd unit does",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const unit = await Deno.readTextFile(new URL("../../docs/operations.md", import.meta.url));
    const [, block] = unit.match(/^ExecStart=(\/usr\/bin\/env \S+) \S*thrum-server/m)!;
    await using server = startServer(QUIET, { through: block!.split(" ") });
    await server.sees(/Ctrl-C/);
    server.signal("SIGUSR1");
    // A signal that comes after it shows that it was passed over.
    server.signal("SIGTERM");
    assertEquals(await server.ended(), 0);
    assert(!server.errors.includes("Debugger listening"), server.errors);
  },
});

Deno.test({
  name: "SIGUSR1 without that ends a server or opens the inspector, by the Deno under it: the documents say so",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using server = startServer(QUIET);
    await server.sees(/Ctrl-C/);
    server.signal("SIGUSR1");
    const ended = server.ended().then(() => true);
    const isOpen = eventually(() => server.errors.includes("9229"), "").then(() => false, () => undefined);
    const hasEnded = await Promise.race([ended, isOpen]);
    assert(hasEnded !== undefined, "neither");
    if (hasEnded) return;
    assertMatch(server.errors, /127\.0\.0\.1:9229/);
    server.signal("SIGKILL");
    await ended;
  },
});

function exists(file: string): boolean {
  try {
    Deno.statSync(file);
    return true;
  } catch {
    return false;
  }
}
