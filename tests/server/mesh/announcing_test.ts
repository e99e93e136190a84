/** What is believed of an announcement. */

import { assertEquals } from "@std/assert";
import type { ServerAnnounceMessage } from "../../../protocol/peer/peer_message.ts";
import { reportOf } from "../../../server/mesh/announcing.ts";

const IDENTITY = { serverId: "s-2", host: "10.0.0.2", port: 8000 };

function gatewayOf(http: string): string | undefined {
  const message = { version: "1", startedAt: 1, lamport: 1, http } as unknown as ServerAnnounceMessage;
  return reportOf(message, IDENTITY as Parameters<typeof reportOf>[1]).about?.http;
}

Deno.test("a gateway that listens on every address is reached where the server is, by TLS if it has TLS", () => {
  assertEquals(gatewayOf("10.0.0.3:8080"), "10.0.0.3:8080");
  assertEquals(gatewayOf("0.0.0.0:8080"), "10.0.0.2:8080");
  assertEquals(gatewayOf("https://0.0.0.0:8443"), "https://10.0.0.2:8443");
  assertEquals(gatewayOf("https://[::]:8443"), "https://10.0.0.2:8443");
  assertEquals(gatewayOf("https://b.example:8443"), "https://b.example:8443");
  assertEquals(gatewayOf(""), "");
});
