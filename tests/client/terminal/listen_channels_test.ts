/** `listen` and `publish` with channels, at a real server. */

import { assertEquals, assertRejects } from "@std/assert";
import type { CommandParts } from "../../../client/terminal/command.ts";
import { listen } from "../../../client/terminal/listen.ts";
import { publish } from "../../../client/terminal/publish.ts";
import { parseClientArguments } from "../../../config/client_arguments.ts";
import { connect, type ConnectOptions, RefusedError, serve } from "../../../mod.ts";
import { realClock } from "../../../platform/real_clock.ts";
import { FakeStdio } from "../../support/fake_stdio.ts";

const SERVER = { server: { host: "127.0.0.1", port: 0 }, store: { ephemeral: true } };
const OLDER: Partial<ConnectOptions> = { features: ["ack", "resume", "chat", "history"] };

/** Runs a command at a server. Gives what it wrote and told. */
async function run(
  server: { readonly host: string; readonly port: number },
  args: readonly string[],
  more: Partial<ConnectOptions> = {},
): Promise<{ written: string; told: string }> {
  const stdio = new FakeStdio([], false);
  const parts: CommandParts = {
    args: parseClientArguments(args),
    ...{ server, heartbeatChannel: undefined, secret: undefined, systemUser: undefined },
    ...{ stdio, clock: realClock, stateFile: undefined },
    connect: (options) => connect({ ...options, ...more }),
    reach: () => Promise.resolve(),
    makeSecret: () => "made",
    onStop: () => ({ [Symbol.dispose]() {} }),
  };
  await (args[0] === "listen" ? listen(parts) : publish(parts));
  return { written: stdio.written, told: stdio.told };
}

Deno.test("listen --channel shows the past of all its channels, and publish --channel is for those who read it", async () => {
  await using server = await serve(SERVER);
  const at = { host: server.host, port: server.port };
  for (const [channel, n] of [["lab", 1], ["hall", 2], ["lab/door", 3], ["attic", 4], ["lab", 5]] as const) {
    assertEquals((await run(at, ["publish", `{"n":${n}}`, "--channel", channel])).told, "");
  }
  await run(at, ["publish", '{"n":6}']);
  const heard = async (...args: string[]) => {
    const { written } = await run(at, ["listen", "--json", "--until-caught-up", ...args]);
    return written.trimEnd().split("\n").map((line) => JSON.parse(line)).map(({ channel, activity }) => [
      channel,
      activity.n,
    ]);
  };
  const lab = [["lab", 1], ["lab/door", 3], ["lab", 5]];
  assertEquals(await heard("--since", "all", "--channel", "lab/**"), lab);
  assertEquals(await heard("--last", "3", "--channel", "lab/**", "--channel", "hall"), [["hall", 2], ...lab.slice(1)]);
  assertEquals(await heard("--since", "all", "--channel", "", "--channel", "attic"), [["attic", 4], [undefined, 6]]);
  assertEquals(await heard("--since", "all"), [[undefined, 6]]);
});

Deno.test("listen ends where the user may read nothing of what it names, and is told where it is a part", async () => {
  const rights = [{ channels: ["secret/**"], may: [] }];
  await using server = await serve({ ...SERVER, auth: { rights } });
  const at = { host: server.host, port: server.port };
  const error = await assertRejects(
    () => run(at, ["listen", "--channel", "secret/1", "--channel", "secret/2"]),
    RefusedError,
    'Cannot read these channels: the user may not read "secret/1", "secret/2" here',
  );
  assertEquals([error.command, error.reason], ["SUBSCRIBE_FAILED", "NOT_ALLOWED"]);
  const { told } = await run(at, ["listen", "--channel", "secret/1", "--channel", "lab", "--until-caught-up"]);
  assertEquals(told.split("\n").slice(0, 1), ["you may not read #secret/1 here"]);
  const refused = await assertRejects(() => run(at, ["publish", "{}", "--channel", "secret/1"]), RefusedError);
  assertEquals(refused.reason, "NOT_ALLOWED");
});

Deno.test("a server that knows no channels is refused, before anything is published or shown", async () => {
  await using server = await serve(SERVER);
  const at = { host: server.host, port: server.port };
  await using reader = await connect(at);
  for (const [command, what] of [["listen", "listen to channels"], ["publish", "publish"]] as const) {
    const args = [command, ...(command === "publish" ? ["{}"] : []), "--channel", "lab"];
    await assertRejects(
      () => run(at, args, OLDER),
      RefusedError,
      `Cannot ${what}: this server is of an earlier version, and knows no channels`,
    );
  }
  assertEquals((await reader.history({ channel: "**" })).activities, []);
});
