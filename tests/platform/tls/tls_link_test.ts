import { assertEquals, assertRejects } from "@std/assert";
import { connect } from "node:net";
import { setImmediate } from "node:timers";
import { tcpTransport } from "../../../platform/tcp/tcp_transport.ts";
import { KeptIdentity } from "../../../platform/tls/kept_identity.ts";
import { TlsCaller, type TlsTrust } from "../../../platform/tls/tls_caller.ts";
import { TlsIntake } from "../../../platform/tls/tls_intake.ts";
import { tlsSupport } from "../../../platform/tls/tls_support.ts";
import type { Link, LinkEnd, LinkHandler, Listener } from "../../../platform/transport.ts";
import { Certificates } from "../../support/certificates.ts";
import { until } from "../../support/until.ts";

const PATIENCE_MS = 20_000;
const HIGH_WATER_BYTES = 65_536;
const isPossible = tlsSupport(Deno.version.deno).hasOnePort;
const encoder = new TextEncoder();

/** What one link was told. */
class Told implements LinkHandler {
  text = "";
  bytes = 0;
  drains = 0;
  finished = false;
  end: LinkEnd | undefined;
  onData(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    if (this.text.length < 1_000) this.text += new TextDecoder().decode(bytes);
  }
  onDrain(): void {
    this.drains++;
  }
  onFinish(): void {
    this.finished = true;
  }
  onEnd(end: LinkEnd): void {
    this.end = end;
  }
}

/** Counts handshakes that have begun. */
class CountingIntake extends TlsIntake {
  begun = 0;

  override take(...args: Parameters<TlsIntake["take"]>): void {
    this.begun++;
    super.take(...args);
  }
}

/** A port that speaks both. */
class Port implements AsyncDisposable {
  readonly links: { readonly link: Link; readonly told: Told }[] = [];
  #listener: Listener | undefined;
  #intake: CountingIntake | undefined;

  /** How many have begun. */
  get handshakes(): number {
    return this.#intake?.begun ?? 0;
  }

  static async open(
    kept: KeptIdentity,
    more: { readonly handshakeTimeoutMs?: number } = {},
    isTls = false,
  ): Promise<Port> {
    const port = new Port();
    const intake = new CountingIntake(kept, { clientAuth: false, ...more });
    port.#intake = intake;
    const transport = tcpTransport(HIGH_WATER_BYTES, { intake });
    port.#listener = await transport.listen({ host: "127.0.0.1", port: 0, isTls }, (link) => {
      const told = new Told();
      port.links.push({ link, told });
      link.attach(told);
    });
    return port;
  }

  get port(): number {
    return this.#listener!.port;
  }

  /** The link that came as the `index`th, once it has said something. */
  async heard(index: number): Promise<{ readonly link: Link; readonly told: Told }> {
    await until(() => (this.links[index]?.told.bytes ?? 0) > 0, "data on a link");
    return this.links[index]!;
  }

  /** Calls it by TLS, and says `text`. */
  async call(trust: TlsTrust, text = "hello"): Promise<{ readonly link: Link; readonly told: Told }> {
    const transport = tcpTransport(HIGH_WATER_BYTES, { caller: new TlsCaller(() => trust) });
    const link = await transport.dial({ host: "127.0.0.1", port: this.port, timeoutMs: PATIENCE_MS });
    const told = new Told();
    link.attach(told);
    link.write(encoder.encode(text));
    return { link, told };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener?.close();
    for (const { link } of this.links) link.destroy();
    await until(() => this.links.every(({ told }) => told.end !== undefined), "the end of all links");
  }
}

async function ended(...ends: readonly { readonly link: Link; readonly told: Told }[]): Promise<void> {
  for (const { link } of ends) link.destroy();
  await until(() => ends.every(({ told }) => told.end !== undefined), "the end of links");
}

Deno.test({
  name: "one port takes TLS and plain connections, and both ends of TLS know the same of its certificate",
  ignore: !isPossible,
  async fn() {
    await using certificates = new Certificates();
    const signer = await certificates.makeCa();
    const identity = await signer.sign();
    await using port = await Port.open(new KeptIdentity(identity));
    const protectedOne = await port.call({ ca: signer.ca });
    const served = await port.heard(0);
    assertEquals(served.told.text, "hello");
    assertEquals(served.link.channel?.isResumed, false);
    assertEquals(served.link.channel?.serverEndPoint, protectedOne.link.channel?.serverEndPoint);
    assertEquals(served.link.remoteHost, "127.0.0.1");
    served.link.write(encoder.encode("welcome"));
    await until(() => protectedOne.told.text === "welcome", "the answer");

    const plain = connect({ host: "127.0.0.1", port: port.port }, () => plain.write("plain"));
    let answer = "";
    plain.on("data", (bytes) => answer += bytes);
    const other = await port.heard(1);
    assertEquals([other.told.text, other.link.channel], ["plain", undefined]);
    other.link.write(encoder.encode("seen"));
    await until(() => answer === "seen", "the plain answer");
    plain.destroy();
    await ended(protectedOne);
  },
});

Deno.test({
  name:
    "a caller takes no server that another CA has signed, that has expired, that has another name, or speaks no TLS",
  ignore: !isPossible,
  async fn() {
    await using certificates = new Certificates();
    const [signer, foreign] = [await certificates.makeCa(), await certificates.makeCa("Another CA")];
    const kept = new KeptIdentity(await foreign.sign());
    await using port = await Port.open(kept);
    const refused = async (words: string) => {
      await assertRejects(() => port.call({ ca: signer.ca }), Error, words);
    };
    await refused("its certificate is signed by nobody that is believed here");
    kept.replace(await signer.sign({ isExpired: true }));
    await refused("its certificate has expired");
    kept.replace(await signer.sign({ names: "DNS:elsewhere.example" }));
    await refused("its certificate is not for 127.0.0.1");
    kept.replace(await signer.sign());
    await ended(await port.call({ ca: signer.ca }));
  },
});

Deno.test({
  name: "a pinned fingerprint is enough, and no other certificate is taken for it",
  ignore: !isPossible,
  async fn() {
    await using certificates = new Certificates();
    const signer = await certificates.makeCa();
    const kept = new KeptIdentity(await signer.sign());
    const { fingerprint } = kept.current;
    await using port = await Port.open(kept);
    const first = await port.call({ fingerprints: [fingerprint] });
    kept.replace(await signer.sign());
    await assertRejects(() => port.call({ fingerprints: [fingerprint] }), Error, "its certificate is another one");
    await assertRejects(
      () => port.call({ fingerprints: [fingerprint], ca: signer.ca }),
      Error,
      "its certificate is another one",
    );
    // What was there before stays.
    first.link.write(encoder.encode(", still"));
    await until(() => port.links[0]!.told.text === "hello, still", "the first link goes on");
    await ended(first);
  },
});

Deno.test({
  name: "a link by TLS has a bound on what waits for a reader that does not read, drains, and ends as any other",
  ignore: !isPossible,
  async fn() {
    await using certificates = new Certificates();
    const signer = await certificates.makeCa();
    await using port = await Port.open(new KeptIdentity(await signer.sign()));
    const reader = await port.call({ ca: signer.ca });
    const { link, told } = await port.heard(0);
    reader.link.pause();
    const block = new Uint8Array(65_536);
    let written = 0;
    while (link.write(block)) {
      written += block.length;
      if (written > 64 * 1_048_576) throw new Error("nothing holds it up");
      await new Promise((resolve) => setImmediate(resolve));
    }
    written += block.length;
    // A reader that was still ahead of it may have taken all before.
    told.drains = 0;
    if (link.pendingBytes < HIGH_WATER_BYTES) throw new Error("nothing waits");
    reader.link.resume();
    await until(() => told.drains > 0, "the drain");
    assertEquals(link.pendingBytes, 0);
    await until(() => reader.told.bytes === written, "all bytes");
    link.end(1_000);
    await until(() => reader.told.finished, "FIN");
    reader.link.end(1_000);
    await until(() => reader.told.end !== undefined && told.end !== undefined, "the end of both");
    assertEquals(told.end, "local");
  },
});

Deno.test({
  name: "a handshake that does not go on, or is none, ends its link, whose owner was told nothing before",
  ignore: !isPossible,
  async fn() {
    await using certificates = new Certificates();
    const kept = new KeptIdentity(await (await certificates.makeCa()).sign());
    const patient = (port: number, bytes: readonly number[]) => {
      const socket = connect({ host: "127.0.0.1", port }, () => socket.write(new Uint8Array(bytes)));
      socket.on("error", () => {});
      return socket;
    };
    // The beginning of a record, the whole of one that is no handshake, and a byte alone.
    for (const bytes of [[0x16, 3, 1, 2, 0, 1], [0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5], [0x16]]) {
      await using port = await Port.open(kept, { handshakeTimeoutMs: 50 });
      const socket = patient(port.port, bytes);
      await until(() => port.links[0]?.told.end !== undefined, "the end of the link");
      const { link, told } = port.links[0]!;
      assertEquals([told.bytes, told.finished, link.channel], [0, false, undefined]);
      socket.destroy();
    }
  },
});

Deno.test({
  name: "a link in the middle of a handshake says nothing in clear, and is cut when its owner ends it",
  ignore: !isPossible,
  async fn() {
    await using certificates = new Certificates();
    const kept = new KeptIdentity(await (await certificates.makeCa()).sign());
    await using port = await Port.open(kept);
    let came = 0;
    let isClosed = false;
    const socket = connect(
      { host: "127.0.0.1", port: port.port },
      () => socket.write(new Uint8Array([0x16, 3, 1, 2, 0])),
    );
    socket.on("data", (bytes) => came += bytes.length);
    socket.on("error", () => {});
    socket.on("close", () => isClosed = true);
    await until(() => port.links.length === 1, "the link");
    const { link, told } = port.links[0]!;
    await until(() => port.handshakes === 1, "the handshake");
    assertEquals(link.write(encoder.encode("a secret\n")), true);
    link.end(60_000);
    await until(() => isClosed, "the end");
    assertEquals([came, told.end], [0, "local"]);
  },
});

Deno.test("a port for TLS takes callers by TLS on every Deno, in both directions, and tells what a certificate is worth", async () => {
  await using certificates = new Certificates();
  const [signer, foreign] = [await certificates.makeCa(), await certificates.makeCa("Another CA")];
  const kept = new KeptIdentity(await signer.sign());
  const { fingerprint } = kept.current;
  await using port = await Port.open(kept, {}, true);
  const caller = await port.call({ ca: signer.ca });
  const { link, told } = await port.heard(0);
  assertEquals([told.text, link.remoteHost], ["hello", "127.0.0.1"]);
  assertEquals(link.channel?.serverEndPoint, kept.current.endPoint);
  assertEquals(caller.link.channel?.serverEndPoint, kept.current.endPoint);
  const block = new Uint8Array(300_000);
  link.write(block);
  await until(() => caller.told.bytes === block.length, "all bytes");
  caller.link.write(encoder.encode(", still"));
  await until(() => told.text === "hello, still", "more bytes");
  const pinned = await port.call({ fingerprints: [fingerprint] });
  await assertRejects(() => port.call({ ca: foreign.ca }), Error, "certificate");
  const wrong = fingerprint.replaceAll(/[0-9]/g, "A");
  await assertRejects(() => port.call({ fingerprints: [wrong] }), Error, "its certificate is another one");
  link.end(1_000);
  await until(() => caller.told.finished || caller.told.end !== undefined, "the end");
  await ended(caller, pinned);
});
