/**
 * Where the page goes next, against where the client library goes: one set of rules, written twice because a page
 * cannot load the other.
 */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import * as library from "../../client/failover/failover.ts";
import { Failover } from "../../dashboard/client/failover.js";

const SERVERS = [1, 2, 3];
const gatewayOf = (server: number) => `localhost:${8080 + server}`;
const endpointOf = (server: number) => ({ host: "localhost", port: 8080 + server });

Deno.test("Failover decides what Failover of the client library decides, whatever happens", () => {
  const step = fc.record({
    what: fc.constantFrom(
      "unreachable",
      "opened",
      "lost",
      "stopping",
      "failed",
      "redirected",
      "unknownUser",
      "elsewhere",
    ),
    server: fc.constantFrom(...SERVERS),
    afterMs: fc.nat(20_000),
    chance: fc.double({ min: 0, max: 0.999, noNaN: true }),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const page = new Failover(gatewayOf(0));
    const client = new library.Failover([endpointOf(0)], undefined);
    page.learn([...SERVERS, 0].map(gatewayOf));
    client.backups(SERVERS.map((server) => ({ serverId: `${server}`, ...endpointOf(server) })), "0");
    // Before its first login the library gives up where a page goes on.
    page.opened(0);
    client.opened(0);
    let at = 0;
    for (const { what, server, afterMs, chance } of steps) {
      const now = { at: at += afterMs, chance };
      const ended = (reason: string, advice: "now" | "backoff") => {
        const isOrderly = reason === "SERVER_STOPPING";
        return [
          page.lost(now, { advice, retryAfterMs: 0, isOrderly }),
          client.lost(now, { kind: "endedByServer", reason, info: "", advice, retryAfterMs: 0 }),
        ] as const;
      };
      const decide = () => {
        switch (what) {
          case "unreachable":
            return [page.unreachable(now), client.unreachable(now)] as const;
          case "opened":
            return [page.opened(at), client.opened(at)] as const;
          case "lost":
            return [
              page.lost(now, { advice: "now", retryAfterMs: 0, isOrderly: false }),
              client.lost(now, { kind: "lost", reason: "CLOSED_BY_OTHER_SIDE", info: "" }),
            ] as const;
          case "stopping":
            return ended("SERVER_STOPPING", "now");
          case "failed":
            return ended("SERVER_FAILED", "backoff");
          case "redirected":
            return [page.redirected(now, gatewayOf(server)), client.redirected(now, endpointOf(server))] as const;
          case "unknownUser":
            return [page.refused(now, "UNKNOWN_USER"), client.refused(now, "UNKNOWN_USER")] as const;
          default:
            return [page.refused(now, "LOGGED_IN_ELSEWHERE"), client.refused(now, "LOGGED_IN_ELSEWHERE")] as const;
        }
      };
      const [delayMs, next] = decide();
      if (next !== undefined) assertEquals(delayMs, next.kind === "call" ? next.delayMs : undefined);
      assertEquals(page.current, gatewayOf(client.server.port - 8080));
      assertEquals(page.redirects, client.redirects);
    }
  }));
});

Deno.test("a server that has no gateway for the page is called at the one that it has", () => {
  const page = new Failover("home");
  assertEquals([page.redirected({ at: 0, chance: 0 }, undefined), page.current, page.redirects], [0, "home", 1]);
});
