/** Which WebSockets count as protected: secrets may be told on these, and `tls.required` lets them in. */

import { assertEquals } from "@std/assert";
import { type ConfigLayer, DEFAULT_CONFIG } from "../../../../config/config.ts";
import { layered } from "../../../../config/load.ts";
import { nodeCrypto } from "../../../../platform/crypto.ts";
import { realClock } from "../../../../platform/real_clock.ts";
import { tlsSupport } from "../../../../platform/tls/tls_support.ts";
import type { Link } from "../../../../platform/transport.ts";
import type { Door } from "../../../../server/gateway/door.ts";
import { type HttpDoorParts, openHttpDoor } from "../../../../server/gateway/http/http_door.ts";
import { openDoorTls } from "../../../../server/gateway/tls/door_tls.ts";
import { Certificates } from "../../../support/certificates.ts";
import { LineClient } from "../../../support/line_client.ts";
import { until } from "../../../support/until.ts";

const PROTECTED = { serverEndPoint: undefined, isResumed: false };

/** A door, and the links that came through it. */
async function openDoor(layer: ConfigLayer): Promise<{ readonly door: Door; readonly links: Link[] }> {
  const links: Link[] = [];
  const config = layered(DEFAULT_CONFIG, layer);
  const node = { serverId: "s-1", state: "ready", gateways: [], accept: (link: Link) => void links.push(link) };
  const tls = await openDoorTls("http", config, undefined, Deno.version.deno);
  const parts = { node: node as unknown as HttpDoorParts["node"], config, clock: realClock, crypto: nodeCrypto, tls };
  return { door: await openHttpDoor(parts, { host: "127.0.0.1", port: 0 }), links };
}

Deno.test({
  name: "a WebSocket by TLS is protected",
  ignore: !tlsSupport(Deno.version.deno).hasOnePort,
}, async () => {
  await using certificates = new Certificates();
  const ca = await certificates.makeCa();
  const { cert, key } = await ca.sign();
  const files = {
    cert: await certificates.file("server.pem", cert),
    key: await certificates.file("server.key", key),
  };
  const { door, links } = await openDoor({ gateway: { http: { tls: { use: "own", ...files } } } });
  using client = Deno.createHttpClient({ caCerts: [ca.ca] });
  const socket = new WebSocket(`wss://localhost:${door.port}/line`, { client } as unknown as string[]);
  await until(() => links.length > 0, "a link");
  assertEquals(links.map(({ channel }) => channel), [PROTECTED]);
  const closed = new Promise((resolve) => socket.onclose = resolve);
  links[0]!.destroy();
  await closed;
  await door.close();
});

Deno.test({
  name: "a WebSocket without TLS is protected only where a trusted proxy says so",
  // Deno 2.5 does not tell who asks.
  ignore: Deno.version.deno.startsWith("2.5."),
}, async () => {
  const headers = { "x-forwarded-for": "10.0.0.9", authorization: "Bearer 0123456789abcdef" };
  for (const trustedProxies of [["127.0.0.1"], []]) {
    const { door, links } = await openDoor({ gateway: { http: { token: "0123456789abcdef", trustedProxies } } });
    for (const [index, forwarded] of ["https", "https, http"].entries()) {
      const shown = { ...headers, "x-forwarded-proto": forwarded };
      await using _client = await LineClient.connectWebSocket(door.port, "127.0.0.1", shown);
      await until(() => links.length > index, "a link");
    }
    const isTrusted = trustedProxies.length > 0;
    assertEquals(links.map(({ channel }) => channel), [isTrusted ? PROTECTED : undefined, undefined]);
    for (const link of links) link.destroy();
    await door.close();
  }
});
