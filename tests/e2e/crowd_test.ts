/**
 * Ten thousand connections that never speak. Server and crowd are processes of their own, as both need that
 * many file descriptors.
 */

import { assert, assertEquals } from "@std/assert";
import { connect } from "node:net";
import { LineClient, PATIENCE_MS } from "../support/line_client.ts";
import { startServer } from "../support/program.ts";

const CROWD = 10_000;

Deno.test("ten thousand connections that never speak are closed, and logged-in clients are served meanwhile", async () => {
  const limit = openFilesLimit();
  const size = Math.min(CROWD, limit - 500);
  if (size < CROWD) console.log(`with ${size} connections instead of ${CROWD}: only ${limit} files may be open here`);
  const folder = await Deno.makeTempDir();
  try {
    const config = `${folder}/config.json`;
    await Deno.writeTextFile(config, JSON.stringify({ limits: { identifyTimeoutMs: 4_000 } }));
    await using server = startServer(
      ["--no-prompt", "--port", "0", "--ephemeral", "--config", config, "--log-level", "error"],
    );
    const [, port] = await server.sees(/listening on \S+:(\d+)/);
    await using client = await LineClient.loggedIn(Number(port));

    let closed = 0;
    let answered = 0;
    const gone = Promise.withResolvers<void>();
    const give = setTimeout(() => gone.reject(new Error(`only ${closed} of ${size} were closed`)), 3 * PATIENCE_MS);
    const dial = () =>
      new Promise<void>((resolve, reject) => {
        const socket = connect({ port: Number(port), host: "127.0.0.1" }, resolve);
        socket.on("data", (bytes: Uint8Array) =>
          answered += new TextDecoder().decode(bytes).includes("INVALID_MESSAGE") ? 1 : 0);
        socket.on("error", reject);
        socket.on("close", () =>
          ++closed === size && gone.resolve());
      });
    // In portions, as no system takes ten thousand at once.
    for (let made = 0; made < size;) {
      const portion = Math.min(500, size - made);
      await Promise.all(Array.from({ length: portion }, dial));
      made += portion;
      client.send({ command: "ACTIVITY_MESSAGE", username: "anonymous", activity: { made } });
      await client.until(() => client.activities.at(-1)?.made === made, "its activity");
    }
    await gone.promise;
    clearTimeout(give);
    assertEquals(answered, size);
    const before = client.activities.length;
    client.send({ command: "ACTIVITY_MESSAGE", username: "anonymous", activity: { after: true } });
    await client.untilActivities(before + 1);
    assert(!client.isClosed);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

function openFilesLimit(): number {
  const { stdout } = new Deno.Command("sh", { args: ["-c", "ulimit -n"] }).outputSync();
  const text = new TextDecoder().decode(stdout).trim();
  return text === "unlimited" ? Infinity : Number(text);
}
