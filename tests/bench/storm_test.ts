/** The load of logins, on a server in this process. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { StormJob } from "../../bench/load/job.ts";
import { makeAccounts, runStorm } from "../../bench/load/storm.ts";
import { serve } from "../../mod.ts";
import { nodeCrypto } from "../../platform/crypto.ts";

const ACCOUNTS = 2;
/** It reads /proc. */
const ignore = Deno.build.os !== "linux";

function jobAt(port: number, way: StormJob["way"]): StormJob {
  const at = { wire: "lines", port, serverPid: Deno.pid, deadlineMs: 60_000 } as const;
  return { kind: "storm", ...at, way, accounts: ACCOUNTS, logins: 6, atOnce: 2 };
}

Deno.test({
  name: "a storm logs in both ways, and derives the key of an account once",
  ignore,
  async fn() {
    await using server = await serve({ server: { port: 0 }, store: { ephemeral: true } });
    await makeAccounts(server.port, ACCOUNTS);
    let derived = 0;
    const counting: typeof nodeCrypto = {
      ...nodeCrypto,
      scrypt(...from) {
        derived++;
        return nodeCrypto.scrypt(...from);
      },
    };
    const proved = await runStorm(jobAt(server.port, "scram"), counting);
    assert(proved.perS > 0, JSON.stringify(proved));
    assertEquals(derived, ACCOUNTS);
    const told = await runStorm(jobAt(server.port, "clear"), counting);
    assert(told.perS > 0, JSON.stringify(told));
    assertEquals(derived, ACCOUNTS, "a client that tells its secret derives nothing");
  },
});

Deno.test({
  name: "a storm ends with the server's words when a login fails",
  ignore,
  async fn() {
    await using server = await serve({ server: { port: 0 }, store: { ephemeral: true } });
    for (const way of ["scram", "clear"] as const) {
      await assertRejects(() => runStorm(jobAt(server.port, way)), Error, "UNKNOWN_USER");
    }
    await makeAccounts(server.port, ACCOUNTS);
    await assertRejects(() => makeAccounts(server.port, ACCOUNTS), Error, "NAME_TAKEN");
    const wrong = { ...nodeCrypto, scrypt: () => Promise.resolve(new Uint8Array(32)) };
    await assertRejects(() => runStorm(jobAt(server.port, "scram"), wrong), Error, "WRONG_SECRET");
  },
});
