/** The doors of a server by TLS: pages, web clients and gRPC, and new certificates while it runs. */

import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { once } from "node:events";
import { connect } from "node:tls";
import { type ConfigLayer, DEFAULT_CONFIG } from "../../../../config/config.ts";
import { layered } from "../../../../config/load.ts";
import { serve, type Server } from "../../../../server/gateway/serve.ts";
import { ownGateway } from "../../../../server/gateway/tls/own_gateway.ts";
import { tlsInit } from "../../../../server/gateway/tls/tls_init.ts";
import { Http2Channel } from "../../../../platform/http/http2_client.ts";
import { tlsSupport } from "../../../../platform/tls/tls_support.ts";
import { loggedLines } from "../../../support/captured_log.ts";
import { eventually } from "../../../support/until.ts";

const SUPPORT = tlsSupport(Deno.version.deno);
const ignore = !SUPPORT.hasOnePort;
const TOKEN = "0123456789abcdef";
const DAY_MS = 86_400_000;

/** A folder with certificates, and who trusts their authority. */
class Folder implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync({ prefix: "thrum-doors-" });

  async make(name = "server", nowMs = Date.now()): Promise<void> {
    await tlsInit({ folder: this.path, name, for: "server", hosts: ["localhost"] }, nowMs, "test");
  }

  files(name = "server"): { cert: string; key: string; ca: string } {
    return { cert: this.file(`${name}.pem`), key: this.file(`${name}-key.pem`), ca: this.file("ca.pem") };
  }

  file(name: string): string {
    return `${this.path}/${name}`;
  }

  text(name: string): string {
    return Deno.readTextFileSync(this.file(name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

function start(layer: ConfigLayer): Promise<Server> {
  return serve({
    server: { port: 0 },
    store: { ephemeral: true },
    gateway: { http: { listen: "0", token: TOKEN }, ...layer.gateway },
    ...layer.tls === undefined ? {} : { tls: layer.tls },
  });
}

/** What somebody is shown who connects now. */
async function shownAt(port: number): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  return btoa(String.fromCharCode(...raw!)).slice(0, 400);
}

Deno.test(
  { ignore, name: "with TLS a gateway answers by https, sends others there, and tells probes either way" },
  async () => {
    await using folder = new Folder();
    await folder.make();
    await using server = await start({ tls: folder.files() });
    const { port, isSecure } = server.http!;
    assertEquals(isSecure, true);
    using client = Deno.createHttpClient({ caCerts: [folder.text("ca.pem")] });
    const page = await fetch(`https://localhost:${port}/`, { client });
    assertEquals(page.status, 200);
    await page.body?.cancel();

    const plain = (path: string, init: RequestInit = {}) =>
      fetch(`http://localhost:${port}${path}`, { redirect: "manual", ...init });
    const sent = await plain("/api/network?only=servers");
    assertEquals(sent.status, 308);
    assertEquals(sent.headers.get("location"), `https://localhost:${port}/api/network?only=servers`);
    await sent.body?.cancel();
    const order = await plain("/api/drain", {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}` },
      body: "{}",
    });
    assertEquals(order.status, 403);
    assertEquals(order.headers.get("location"), null);
    await order.body?.cancel();
    assertEquals(await (await plain("/healthz")).text(), "ok\n");

    const signIn = await fetch(`https://localhost:${port}/api/session`, {
      client,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token: TOKEN }),
    });
    assertEquals(signIn.status, 204);
    assertStringIncludes(signIn.headers.get("set-cookie")!, "Secure");
  },
);

Deno.test({ ignore, name: "a web client talks by wss, and by ws with nobody" }, async () => {
  await using folder = new Folder();
  await folder.make();
  await using server = await start({ tls: { ...folder.files(), required: true } });
  const { port } = server.http!;
  using client = Deno.createHttpClient({ caCerts: [folder.text("ca.pem")] });
  const socket = new WebSocket(`wss://localhost:${port}/line`, { client } as unknown as string[]);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const answered = new Promise<string>((resolve) => socket.onmessage = ({ data }) => resolve(String(data)));
  socket.send('{"command":"LOGIN","username":"anonymous","features":["ack"]}');
  assertEquals(JSON.parse(await answered).command, "LOGIN_SUCCESS");
  const closed = new Promise((resolve) => socket.onclose = resolve);
  socket.close();
  await closed;

  const plain = new WebSocket(`ws://localhost:${port}/line`);
  await new Promise((resolve) => plain.onerror = resolve);
  assertEquals(plain.readyState, WebSocket.CLOSED);
});

Deno.test({ ignore, name: "gRPC is spoken by TLS, and without where nobody asks for TLS" }, async () => {
  await using folder = new Folder();
  await folder.make();
  await using server = await start({ tls: folder.files(), gateway: { http: { listen: "" }, grpc: { listen: "0" } } });
  const { port, isSecure } = server.grpc!;
  assertEquals(isSecure, true);
  const health = async (url: string) => {
    using client = Deno.createHttpClient({ caCerts: [folder.text("ca.pem")], http1: false, http2: true });
    const answer = await fetch(`${url}:${port}/grpc.health.v1.Health/Check`, {
      client,
      method: "POST",
      headers: { "content-type": "application/grpc", te: "trailers" },
      body: new Uint8Array(5),
    });
    return [...new Uint8Array(await answer.arrayBuffer())];
  };
  // A message of two bytes: status 1, SERVING.
  const SERVING = [0, 0, 0, 0, 2, 8, 1];
  assertEquals(await health("https://localhost"), SERVING);
  const channel = new Http2Channel({ host: "127.0.0.1", port });
  const headers = { "content-type": "application/grpc", te: "trailers" };
  const limits = { signal: new AbortController().signal, maxBytes: 1_000 };
  const { body } = await channel.post("/grpc.health.v1.Health/Check", headers, new Uint8Array(5), limits);
  assertEquals([...body], SERVING);
  channel.close();
  const socket = connect({ host: "127.0.0.1", port, ca: folder.text("ca.pem"), ALPNProtocols: ["h2"] });
  await once(socket, "secureConnect");
  assertEquals(socket.alpnProtocol, "h2");
  socket.destroy();
});

Deno.test(
  { ignore, name: "who has the configuration asks the gateway by TLS, and tells its token to nobody else" },
  async () => {
    await using folder = new Folder();
    await folder.make();
    await folder.make("other");
    const config = layered(DEFAULT_CONFIG, { tls: folder.files() });
    await using server = await start({ tls: folder.files() });
    const question = { host: "127.0.0.1", port: server.http!.port, method: "GET", timeoutMs: 10_000 } as const;
    const asked = { ...question, path: "/api/network?only=servers", headers: { host: "localhost" } };
    const { status, text } = await (await ownGateway(config)).ask(asked);
    assertEquals([status, JSON.parse(text).from], [200, server.serverId]);
    const other = await ownGateway(layered(config, { tls: folder.files("other") }));
    await assertRejects(() => other.ask(asked), Error, "its certificate is another one");
    assertEquals((await ownGateway(DEFAULT_CONFIG)).isSecure, false);
  },
);

Deno.test({ ignore, name: "a door may have files of its own, or no TLS" }, async () => {
  await using folder = new Folder();
  await folder.make();
  await folder.make("door");
  await using server = await start({
    tls: folder.files(),
    gateway: { http: { listen: "0", token: TOKEN, tls: { use: "own", ...folder.files("door") } } },
  });
  assertNotEquals(await shownAt(server.http!.port), await shownAt(server.port));
  await using plain = await start({
    tls: folder.files(),
    gateway: { http: { listen: "0", token: TOKEN, tls: { use: "off" } } },
  });
  assertEquals(plain.http!.isSecure, false);
  const answer = await fetch(`http://localhost:${plain.http!.port}/healthz`);
  assertEquals(await answer.text(), "ok\n");
  await assertRejects(
    () => start({ gateway: { http: { listen: "0", tls: { use: "own", cert: "/nowhere.pem", key: "/nowhere" } } } }),
    Error,
    'Cannot use "gateway.http.tls.cert" ("/nowhere.pem"): there is no such file',
  );
});

Deno.test({
  ignore,
  name: "reloadCertificates() shows new ones on every port, and keeps those that are there when it cannot",
}, async () => {
  await using folder = new Folder();
  await folder.make();
  await loggedLines(async (lines) => {
    await using server = await start({
      tls: folder.files(),
      gateway: { http: { listen: "0" }, grpc: { listen: "0" } },
    });
    const ports = [server.port, server.http!.port, server.grpc!.port];
    const shown = () => Promise.all(ports.map(shownAt));
    const before = await shown();
    assertEquals(new Set(before).size, 1);
    const { fingerprint } = server;
    await folder.make();
    const key = folder.text("server-key.pem");
    // Half of a renewal: the key is another one's.
    Deno.writeTextFileSync(folder.file("server-key.pem"), folder.text("ca-key.pem"));
    assertEquals(await server.reloadCertificates(), false);
    assertEquals(await shown(), before);
    const told = lines.find((line) => line.includes("it is the key of another certificate"));
    assertMatch(told!, /^Cannot use "tls\.key" .*The former certificate is still shown, until \d{4}-/);
    Deno.writeTextFileSync(folder.file("server-key.pem"), key);
    assertEquals(await server.reloadCertificates(), true);
    const after = await shown();
    assertEquals(new Set(after).size, 1);
    assertNotEquals(after, before);
    assertNotEquals(server.fingerprint, fingerprint);
    assert(
      lines.some((line) =>
        line.startsWith("a new certificate is shown from now on") && line.includes(server.fingerprint!)
      ),
    );
    assertEquals(await server.reloadCertificates(), true);
    assert(lines.some((line) => line.includes("has the certificate that it had, until")));
  });
});

Deno.test(
  { ignore, name: "a certificate that is about to end is told in the log, in numbers and on the page" },
  async () => {
    await using folder = new Folder();
    // Of 397 days twenty are left.
    await folder.make("server", Date.now() - 377 * DAY_MS);
    await loggedLines(async (lines) => {
      await using server = await start({ tls: folder.files() });
      const { port } = server.http!;
      assert(
        lines.some((line) => /^the certificate in .*server\.pem \("tls\.cert"\) ends in (19|20) days, on /.test(line)),
      );
      using client = Deno.createHttpClient({ caCerts: [folder.text("ca.pem")] });
      const asked = async (path: string) => await (await fetch(`https://localhost:${port}${path}`, { client })).text();
      const [, seconds] = (await asked("/metrics")).match(/^thrum_tls_certificate_expiry_seconds (\S+)$/m)!;
      assert(Math.abs(Number(seconds) * 1_000 - Date.now() - 20 * DAY_MS) < DAY_MS);
      const view = JSON.parse(await asked("/api/network"));
      assertEquals(view.servers[server.serverId].certificateEndsAt, Number(seconds) * 1_000);
      assertEquals(view.servers[server.serverId].http, `https://127.0.0.1:${port}`);
      await folder.make();
      await server.reloadCertificates();
      await eventually(
        async () =>
          JSON.parse(await asked("/api/network")).servers[server.serverId].certificateEndsAt >
            Date.now() + 300 * DAY_MS,
        "the new end",
      );
    });
  },
);

Deno.test({ ignore: SUPPORT.hasReload, name: "a Deno that cannot take another certificate says so" }, async () => {
  await using folder = new Folder();
  await folder.make();
  const port = freePort();
  await loggedLines(async (lines) => {
    await using server = await start({ tls: { ...folder.files(), port }, gateway: { http: { listen: "" } } });
    assertEquals(await server.reloadCertificates(), false);
    assert(lines.some((line) => line.includes("takes others only at a start")));
  });
});

function freePort(): number {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  return (listener.addr as Deno.NetAddr).port;
}
