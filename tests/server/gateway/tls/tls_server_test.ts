/** Servers with TLS on real sockets: what listeners hear, who is in between, and clients of another house. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { connect, type ConnectOptions, RefusedError, serve, type Server, type TlsOptions } from "../../../../mod.ts";
import { KeptIdentity } from "../../../../platform/tls/kept_identity.ts";
import { TlsCaller } from "../../../../platform/tls/tls_caller.ts";
import { TlsIntake } from "../../../../platform/tls/tls_intake.ts";
import type { TlsIdentity } from "../../../../platform/tls/tls_identity.ts";
import { tlsSupport } from "../../../../platform/tls/tls_support.ts";
import { tcpTransport } from "../../../../platform/tcp/tcp_transport.ts";
import type { Link, LinkHandler } from "../../../../platform/transport.ts";
import { Certificates, type TestCa } from "../../../support/certificates.ts";
import { sClient } from "../../../support/openssl_client.ts";
import { LineClient } from "../../../support/line_client.ts";
import { StallingProxy } from "../../../support/stalling_proxy.ts";
import { until } from "../../../support/until.ts";

const ignore = !tlsSupport(Deno.version.deno).hasOnePort;
const SECRET = "the secret of a network";
const PATIENCE_MS = 20_000;

/** The section `tls` with the files of `identity`. */
async function filesOf(certificates: Certificates, { cert, key, ca }: TlsIdentity, name = "server") {
  return {
    cert: await certificates.file(`${name}.pem`, cert),
    key: await certificates.file(`${name}.key`, key),
    ca: await certificates.file(`${name}-ca.pem`, ca ?? ""),
  };
}

async function started(tls: object, cluster: object = {}): Promise<Server> {
  return await serve({
    server: { host: "127.0.0.1", port: 0 },
    cluster: { secret: SECRET, announceIntervalMs: 50, ...cluster },
    store: { ephemeral: true },
    tls,
  });
}

/** Somebody in between who ends TLS with a certificate of its own, and passes all on by TLS. */
class Between implements AsyncDisposable {
  readonly port: number;
  readonly #close: () => Promise<void>;

  private constructor(port: number, close: () => Promise<void>) {
    this.port = port;
    this.#close = close;
  }

  static async to(port: number, identity: TlsIdentity, ca: string): Promise<Between> {
    const links = new Set<Link>();
    const near = tcpTransport(1 << 20, { intake: new TlsIntake(new KeptIdentity(identity), { clientAuth: false }) });
    const far = tcpTransport(1 << 20, { caller: new TlsCaller(() => ({ ca })) });
    const listener = await near.listen({ host: "127.0.0.1", port: 0 }, (link) => {
      const waiting: Uint8Array[] = [];
      let other: Link | undefined;
      links.add(link);
      link.attach(
        passing((bytes) => other === undefined ? waiting.push(bytes.slice()) : other.write(bytes.slice()), () => {
          links.delete(link);
          other?.destroy();
        }),
      );
      far.dial({ host: "127.0.0.1", port, timeoutMs: PATIENCE_MS }).then((dialled) => {
        other = dialled;
        links.add(dialled);
        dialled.attach(passing((bytes) => link.write(bytes.slice()), () => {
          links.delete(dialled);
          link.end(1_000);
        }));
        for (const bytes of waiting) dialled.write(bytes);
      }, () => link.destroy());
    });
    return new Between(listener.port, async () => {
      await listener.close();
      for (const link of links) link.destroy();
      await until(() => links.size === 0, "the end of all links");
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

function passing(data: (bytes: Uint8Array) => void, end: () => void): LinkHandler {
  return { onData: data, onDrain() {}, onFinish: end, onEnd: end };
}

function at(port: number, tls: TlsOptions, more: Partial<ConnectOptions> = {}): ConnectOptions {
  return { host: "127.0.0.1", port, tls, reconnect: false, ...more };
}

Deno.test({
  name: "with TLS on, whoever listens to clients and to servers hears nothing that can be read",
  ignore,
  async fn() {
    await using certificates = new Certificates();
    const signer = await certificates.makeCa();
    const tls = await filesOf(certificates, await signer.sign({ name: "hidden-name.example" }));
    await using first = await started(tls);
    let heard = "";
    const note = (bytes: Uint8Array) => void (heard += new TextDecoder("latin1").decode(bytes));
    await using toServer = new StallingProxy(first.port, note);
    await using second = await started(tls, { join: [`127.0.0.1:${toServer.port}`] });
    await using clientProxy = new StallingProxy(second.port, note);
    const trust = { ca: signer.ca };
    const ada = await connect(at(clientProxy.port, trust, { username: "ada", secret: "open sesame", register: true }));
    await using bob = await connect(at(first.port, trust));
    await ada.publish({ text: "something to be read" });
    for await (const { user, activity } of bob.activities()) {
      assertEquals([user, activity], ["ada", { text: "something to be read" }]);
      break;
    }
    await ada.close();
    assert(heard.length > 2_000);
    for (const word of ["something", "open sesame", SECRET, "ada", "command", "LOGIN", "hidden-name"]) {
      assert(!heard.includes(word), `${word} was heard`);
    }
  },
});

Deno.test({
  name: "somebody in between with another certificate of the same CA gets no login and no link of it",
  ignore,
  async fn() {
    await using certificates = new Certificates();
    const signer = await certificates.makeCa();
    const tls = await filesOf(certificates, await signer.sign());
    await using server = await started(tls);
    const trust = { ca: signer.ca };
    const who = { username: "ada", secret: "open sesame" };
    await (await connect(at(server.port, trust, { ...who, register: true }))).close();
    await using between = await Between.to(server.port, await signer.sign(), signer.ca);
    const error = await assertRejects(
      () => connect(at(between.port, trust, who)),
      RefusedError,
      "somebody is in between",
    );
    assertEquals(error.reason, "OTHER_CHANNEL");
    // It passes all on: who proves nothing does not see it.
    await (await connect(at(between.port, trust))).close();

    await using peer = await started(await filesOf(certificates, await signer.sign(), "peer"), {
      join: [`127.0.0.1:${between.port}`],
      joinWaitMs: 500,
    });
    await using late = await connect(at(peer.port, trust));
    assertEquals(late.serverId, peer.serverId);
    await using there = await connect(at(server.port, trust));
    await there.publish({ n: 1 });
    await late.publish({ n: 2 });
    const { activities } = await late.history();
    assertEquals(activities.map(({ activity }) => activity), [{ n: 2 }]);
  },
});

Deno.test({
  name:
    "a server that wants certificates lets in who has one of its CA, and nobody without, with a foreign or an old one",
  ignore: !tlsSupport(Deno.version.deno).hasClientAuth,
  async fn() {
    await using certificates = new Certificates();
    const [signer, foreign] = [await certificates.makeCa(), await certificates.makeCa("Another CA")];
    const files = await filesOf(certificates, await signer.sign());
    await using server = await started({ ...files, clientAuth: true, required: true });
    const login = '{"command":"LOGIN","username":"anonymous"}\n{"command":"LOGOUT"}\n';
    const shown = async (identity: TlsIdentity, name: string) => {
      const own = await filesOf(certificates, identity, name);
      return ["-cert", own.cert, "-key", own.key];
    };
    const quiet = ["-quiet", "-CAfile", files.ca];
    const nobody = await sClient(server.port, login, ...quiet);
    const other = await sClient(server.port, login, ...quiet, ...await shown(await foreign.sign(), "foreign"));
    const old = await sClient(
      server.port,
      login,
      ...quiet,
      ...await shown(await signer.sign({ isExpired: true }), "old"),
    );
    for (const { output } of [nobody, other, old]) {
      // Deno does not always wait until its alert has left, so some read of it and some do not.
      assertStringIncludes(output, "CN = server");
      assert(!output.includes('"command"'), output);
    }
    const good = await signer.sign({ name: "client" });
    const known = await sClient(server.port, login, ...quiet, ...await shown(good, "client"));
    assertStringIncludes(known.output, "LOGIN_SUCCESS");

    // Our own client, and another server, which shows the certificate that it has.
    const trust = { ca: signer.ca, cert: good.cert, key: good.key };
    await (await connect(at(server.port, trust))).close();
    await assertRejects(() => connect(at(server.port, { ca: signer.ca })));
    await using peer = await started(files, { join: [`127.0.0.1:${server.port}`] });
    await using there = await connect(at(peer.port, { ca: signer.ca }));
    await using here = await connect(at(server.port, trust));
    await here.publish({ n: 1 });
    for await (const { activity } of there.activities()) {
      assertEquals(activity, { n: 1 });
      break;
    }
  },
});

Deno.test({
  name: "whoever is in the middle of a handshake counts as one that has not logged in",
  ignore,
  async fn() {
    await using certificates = new Certificates();
    const signer = await certificates.makeCa();
    await using server = await serve({
      server: { host: "127.0.0.1", port: 0 },
      limits: { maxUnidentifiedPerAddress: 3 },
      store: { ephemeral: true },
      tls: await filesOf(certificates, await signer.sign()),
    });
    // The beginning of a record that does not go on.
    const halves = await Promise.all(Array.from({ length: 3 }, async () => {
      const half = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
      await half.write(new Uint8Array([0x16, 3, 1, 2, 0, 1]));
      return half;
    }));
    await using one = await LineClient.connect(server.port);
    await one.closed();
    assertEquals(one.received.map(({ command, reason }) => [command, reason]), [["END_CONNECTION", "TOO_MANY"]]);
    for (const half of halves) half.close();
  },
});

Deno.test({
  name: "a session that a client kept is refused, whatever has become of the certificates since",
  ignore,
  async fn() {
    await using certificates = new Certificates();
    const signer: TestCa = await certificates.makeCa();
    const files = await filesOf(certificates, await signer.sign());
    await using server = await started(files);
    const lines = '{"command":"LOGIN","username":"anonymous"}\n{"command":"LOGOUT"}\n';
    const session = `${certificates.folder}/session.pem`;
    const first = await sClient(server.port, lines, "-CAfile", files.ca, "-sess_out", session);
    assertStringIncludes(first.output, "LOGIN_SUCCESS");
    const again = await sClient(server.port, lines, "-CAfile", files.ca, "-sess_in", session);
    assert(again.isResumed);
    assertStringIncludes(again.output, '"reason":"TLS_RESUMED"');
    assert(!again.output.includes("LOGIN_SUCCESS"));
    // Deno has the same keys for all tickets, whatever server gave them.
    const others = await filesOf(certificates, await (await certificates.makeCa("A new CA")).sign(), "new");
    await using fresh = await started(others);
    const there = await sClient(fresh.port, lines, "-CAfile", others.ca, "-sess_in", session);
    assert(there.isResumed);
    assertStringIncludes(there.output, '"reason":"TLS_RESUMED"');
    assert(!there.output.includes("LOGIN_SUCCESS"));
    // Our own clients keep none, and come back as often as they like.
    const ca = await Deno.readTextFile(others.ca);
    for (let times = 0; times < 3; times++) await (await connect(at(fresh.port, { ca }))).close();
    for (let times = 0; times < 2; times++) {
      await (await connect(at(fresh.port, { fingerprints: [fresh.fingerprint!] }))).close();
    }
  },
});
