/** `deno task cluster`: real processes, in a folder of their own and on free ports. */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { tlsSupport } from "../../platform/tls/tls_support.ts";
import { NO_TERMINAL, Program, type ProgramParts, startClient } from "../support/program.ts";
import { eventually } from "../support/until.ts";
import { LOCKED } from "../../tools/locked.ts";

const TOOL = new URL("../../tools/cluster.ts", import.meta.url).pathname;

/** Runs the tool in a new folder, and sees to it that no server outlives a test that fails. */
async function withCluster(
  args: readonly string[],
  options: ProgramParts,
  run: (cluster: Program, cwd: string) => Promise<void>,
): Promise<void> {
  const cwd = await Deno.makeTempDir({ prefix: "thrum-cluster-" });
  const pids: number[] = [];
  try {
    await using cluster = new Program([Deno.execPath(), "run", LOCKED, "-A", "--quiet", TOOL], args, {
      ...options,
      cwd,
    });
    try {
      await run(cluster, cwd);
    } finally {
      pids.push(...[...cluster.output.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid)));
    }
  } finally {
    for (const pid of pids.filter(isAlive)) Deno.kill(pid, "SIGKILL");
    await Deno.remove(cwd, { recursive: true });
  }
}

/** The servers that the tool names when all are there. */
/** A server, as the rows for people have it. */
interface Row {
  readonly port: number;
  readonly pid: number;
  /** Port of its dashboard. */
  readonly http: number;
  readonly folder: string;
}

async function serversOf(cluster: Program): Promise<Row[]> {
  await cluster.sees(/Ctrl-C ends all of them\.\n/);
  return [...cluster.output.matchAll(/\[\d\] 127\.0\.0\.1:(\d+) +pid (\d+) +http:\/\/localhost:(\d+) +(\S+)/g)]
    .map(([, port, pid, http, folder]) => ({
      port: Number(port),
      pid: Number(pid),
      http: Number(http),
      folder: folder!,
    }));
}

function isAlive(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch {
    return false;
  }
}

async function assertNobodyListens(port: number): Promise<void> {
  await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
}

Deno.test({
  name: "cluster --tls has servers that speak TLS with each other, with clients and with browsers, and cleans up",
  ignore: !tlsSupport(Deno.version.deno).hasOnePort,
}, async () => {
  await withCluster(["2", "--port", "0", "--tls"], {}, async (cluster, cwd) => {
    await cluster.sees(/Ctrl-C ends all of them\.\n/);
    const [, caFile] = cluster.output.match(/deno task client --port \d+ --tls --ca (\S+\/ca\.pem)/)!;
    const [first, second] = [...cluster.output.matchAll(/\[\d\] 127\.0\.0\.1:(\d+) .* https:\/\/localhost:(\d+)/g)];
    using client = Deno.createHttpClient({ caCerts: [Deno.readTextFileSync(caFile!)] });
    const view = async () => {
      const answer = await fetch(`https://localhost:${first![2]}/api/network?only=servers`, { client });
      return Object.values((await answer.json()).servers) as { state: string; http: string | null }[];
    };
    await eventually(
      async () =>
        (await view()).some(({ state, http }) => state === "linked" && http === `https://127.0.0.1:${second![2]}`),
      "a link between the servers",
    );
    await using listener = startClient(["listen", "--json", "--port", second![1]!, "--tls", "--ca", caFile!], { cwd });
    await listener.tells(/connected to 127\.0\.0\.1/);
    await using sender = startClient(["publish", '{"n":1}', "--port", first![1]!, "--tls", "--ca", caFile!], { cwd });
    assertEquals(await sender.ended(), 0);
    await listener.sees(/"n":1/);
    cluster.signal("SIGTERM");
    assertEquals(await cluster.ended(), 0);
    await assertRejects(() => Deno.stat(caFile!), Deno.errors.NotFound);
  });
});

Deno.test("cluster starts servers with one secret, says what to type, and ends all of them", async () => {
  await withCluster(["3", "--port", "0"], {}, async (cluster, cwd) => {
    const servers = await serversOf(cluster);
    assertEquals(servers.map(({ folder }) => folder), [1, 2, 3].map((n) => `thrum-data/cluster-${n}`));
    assertEquals(new Set(servers.map(({ port }) => port)).size, 3);
    for (const { port, http, folder, pid } of servers) {
      assert(isAlive(pid));
      assertEquals(Deno.statSync(`${cwd}/${folder}/thrum.sqlite`).isFile, true);
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await cluster.sees(new RegExp(`\\[\\d\\] .*connected with .*:${(connection.localAddr as Deno.NetAddr).port}`));
      connection.close();
      assertEquals((await (await fetch(`http://127.0.0.1:${http}/healthz`)).text()).trim(), "ok");
    }
    assertStringIncludes(cluster.output, `deno task client --port ${servers[0]!.port}`);
    assertStringIncludes(cluster.output, `kill -9 ${servers[1]!.pid}`);
    const help = cluster.output.slice(cluster.output.indexOf("3 servers"));
    // What servers log meanwhile may be longer.
    for (const row of help.split("\n")) assert(row.startsWith("[") || row.length <= 80, row);
    const secret = Deno.readTextFileSync(`${cwd}/thrum-data/cluster-1/secret`).trim();
    assertMatch(secret, /^[\w-]{32}$/);
    assert(!(cluster.output + cluster.errors).includes(secret));

    cluster.signal("SIGTERM");
    assertEquals(await cluster.ended(), 0);
    for (const { port } of servers) await assertNobodyListens(port);
    assertEquals(cluster.errors, "");
  });
});

Deno.test("cluster says when a server was killed, how to bring it back, and leaves the others running", async () => {
  await withCluster(["2", "--port", "0"], {}, async (cluster) => {
    const [first, second] = await serversOf(cluster);
    Deno.kill(first!.pid, "SIGKILL");
    await cluster.sees(/\[1\] has ended: SIGKILL\. To bring it back/);
    const [rows] = await cluster.sees(/THRUM_SECRET=.*\n.*\n.*\n/);
    assert(rows.split("\n").every(({ length }) => length < 80), rows);
    assertEquals(
      rows.trim().replaceAll(/ \\\n {4}/g, " "),
      "THRUM_SECRET=$(cat thrum-data/cluster-1/secret) deno task server --no-prompt --host 127.0.0.1 " +
        `--port ${first!.port} --http ${first!.http} --data thrum-data/cluster-1 --join 127.0.0.1:${second!.port}`,
    );
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: second!.port });
    connection.close();
    // With the last one there is nothing left to show.
    Deno.kill(second!.pid, "SIGKILL");
    await cluster.sees(/\[2\] has ended: SIGKILL/);
    assertEquals(await cluster.ended(), 0);
  });
});

Deno.test("cluster ends all servers when one cannot start, and says why", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = (taken.addr as Deno.NetAddr).port;
  await withCluster(["2", "--port", String(port - 1)], {}, async (cluster) => {
    assertEquals(await cluster.ended(), 1);
    assertMatch(
      cluster.errors,
      /^cluster: Cannot start server [12] of 2: thrum-server: Cannot listen on 127\.0\.0\.1:\d+: another program listens there/m,
    );
    // Unless that port was somebody else's.
    if (cluster.errors.includes("server 2 of 2")) await assertNobodyListens(port - 1);
  });
});

Deno.test("cluster ends with 1 on a wrong command line", async () => {
  for (
    const [args, message] of [
      [["many"], 'cluster: How many servers must be a number from 1 to 16, not "many"\n'],
      [["17"], 'cluster: How many servers must be a number from 1 to 16, not "17"\n'],
      [["2", "3"], 'cluster: Unexpected argument "3"\n'],
      [["--prot", "1"], 'cluster: Unknown flag "--prot"; did you mean --port?\n'],
      [["3", "--port", "65535"], "cluster: There are no ports for 3 servers from 65535 on\n"],
    ] as [string[], string][]
  ) {
    await withCluster(args, {}, async (cluster) => {
      assertEquals(await cluster.ended(), 1);
      assertEquals(cluster.errors, message);
    });
  }
});

Deno.test({
  name: "cluster on a terminal shows numbers in colours, and ends all on Ctrl-C",
  ignore: NO_TERMINAL !== undefined,
  fn: () =>
    withCluster(["2", "--port", "0"], { terminal: true }, async (cluster) => {
      const servers = await serversOf(cluster);
      assertStringIncludes(cluster.rawOutput, "\x1b[36m[1]\x1b[39m");
      assertStringIncludes(cluster.rawOutput, "\x1b[33m[2]\x1b[39m");
      await cluster.type("\x03");
      assertEquals(await cluster.ended(), 0);
      for (const { port } of servers) await assertNobodyListens(port);
    }),
});
