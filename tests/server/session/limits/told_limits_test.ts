/** Whoever meets a limit reads which one it is, and a metric counts it (docs/configuration.md has them all). */

import { assertEquals } from "@std/assert";
import type { ConfigLayer } from "../../../../config/config.ts";
import type { Received } from "../../../support/line_client.ts";
import { NodeWorld } from "../../../support/node_world.ts";

/** What is sent, and what the last line says. */
interface Case {
  readonly limits: ConfigLayer["limits"];
  /** Of connections from one address, one after the other. */
  readonly sent: readonly (readonly (Received | string)[])[];
  /** How long is waited at the end. */
  readonly runMs?: number;
  readonly reads: { readonly command: string; readonly reason?: string; readonly info: string };
  /** A limit of `thrum_refused_total`, or a reason of `thrum_connections_closed_total`. */
  readonly counted: { readonly refused: string; readonly times?: number } | { readonly closed: string };
}

const LOGIN = { command: "LOGIN", username: "anonymous", features: ["ack"] };
const register = (username: string) => ({ command: "REGISTER", username, secret: "open sesame" });
const MANY_CHANNELS = {
  reason: "TOO_MANY_CHANNELS",
  info: "a client may read 1 channels and patterns",
};

const CASES: Readonly<Record<string, Case>> = {
  maxConnectionsPerAddress: {
    limits: { maxConnectionsPerAddress: 1 },
    sent: [[LOGIN], []],
    reads: { command: "END_CONNECTION", reason: "TOO_MANY", info: "this address has reached its limit of connections" },
    counted: { refused: "connections" },
  },
  maxUnidentifiedPerAddress: {
    limits: { maxUnidentifiedPerAddress: 1 },
    sent: [[], []],
    reads: {
      command: "END_CONNECTION",
      reason: "TOO_MANY",
      info: "this address has reached its limit of connections without a login",
    },
    counted: { refused: "unidentified" },
  },
  maxLoginsPerSecondPerAddress: {
    limits: { maxLoginsPerSecondPerAddress: 1 },
    sent: [[LOGIN], [LOGIN]],
    reads: {
      command: "END_CONNECTION",
      reason: "TOO_MANY",
      info: "this address has reached its limit of logins: try again in 1 s",
    },
    counted: { refused: "logins" },
  },
  maxRegistrationsPerHourPerAddress: {
    limits: { maxRegistrationsPerHourPerAddress: 1 },
    sent: [[register("anna")], [register("bob")]],
    reads: {
      command: "REGISTER_FAILED",
      reason: "TOO_MANY",
      info: "this address has reached its limit of registrations: try again in 3600 s",
    },
    counted: { refused: "registrations" },
  },
  maxRegistrationsPerConnection: {
    limits: { maxRegistrationsPerConnection: 1 },
    sent: [[register("anna"), register("bob")]],
    reads: { command: "REGISTER_FAILED", reason: "TOO_MANY", info: "one connection may register 1 names" },
    counted: { closed: "REGISTER_FAILED" },
  },
  identifyTimeoutMs: {
    limits: { identifyTimeoutMs: 1_500 },
    sent: [[]],
    runMs: 1_500,
    reads: { command: "INVALID_MESSAGE", info: "no LOGIN came within 1.5 seconds" },
    counted: { closed: "IDENTIFY_TIMEOUT" },
  },
  maxLineBytes: {
    limits: { maxLineBytes: 1_024 },
    sent: [["x".repeat(2_000)]],
    reads: { command: "INVALID_MESSAGE", info: "the line is longer than 1024 bytes" },
    counted: { closed: "INVALID_MESSAGE" },
  },
  "maxChannelsPerClient, at the login": {
    limits: { maxChannelsPerClient: 1 },
    sent: [[{ ...LOGIN, features: ["ack", "channels"], channels: ["lab", "hall"] }]],
    reads: { command: "LOGIN_FAILED", ...MANY_CHANNELS },
    counted: { refused: "channels" },
  },
  maxPatterns: {
    limits: { maxPatterns: 1 },
    sent: [[{ ...LOGIN, features: ["ack", "channels"], channels: ["lab", "hall"] }]],
    reads: {
      ...{ command: "LOGIN_FAILED", reason: "TOO_MANY_CHANNELS" },
      info: "all clients of this server together may read 1 channels and patterns",
    },
    counted: { refused: "channels" },
  },
  "maxChannelsPerClient, later": {
    limits: { maxChannelsPerClient: 1 },
    sent: [[
      { ...LOGIN, features: ["ack", "channels"], channels: ["lab"] },
      { command: "SUBSCRIBE", channels: ["hall"] },
    ]],
    reads: { command: "SUBSCRIBE_FAILED", ...MANY_CHANNELS },
    counted: { refused: "channels" },
  },
  maxConnections: {
    limits: { maxConnections: 1, keptForNamedPercent: 0 },
    sent: [[LOGIN], [LOGIN]],
    runMs: 30_000,
    reads: { command: "END_CONNECTION", reason: "TOO_MANY", info: "no place was left for 30 seconds" },
    counted: { closed: "TOO_MANY" },
  },
};

for (const [name, { limits, sent, runMs = 0, reads, counted }] of Object.entries(CASES)) {
  Deno.test(`who meets limits.${name} reads which limit it is, and it is counted`, async () => {
    const world = await NodeWorld.start(limits === undefined ? {} : { limits });
    const received: Received[] = [];
    for (const lines of sent) {
      const client = await world.connectFrom("192.0.2.7");
      for (const line of lines) {
        if (typeof line === "string") client.link.write(new TextEncoder().encode(`${line}\n`));
        else client.send(line);
        await world.endAllDerivations();
      }
      await world.settle();
      received.push(...client.received);
      if (client === undefined || lines !== sent.at(-1)) continue;
      await world.clock.run(runMs);
      received.push(...client.received);
    }
    const { command, reason, info } = received.at(-1)!;
    assertEquals({ command, ...(reason === undefined ? {} : { reason }), info }, reads);
    const { refused, closed } = world.node.metrics();
    if ("refused" in counted) assertEquals(refused[counted.refused], 1);
    else assertEquals((closed as Record<string, number>)[counted.closed], 1);
    await world.stop();
  });
}
