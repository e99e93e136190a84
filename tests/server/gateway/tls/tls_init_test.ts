/** `tls-init`: what it makes, that TLS takes it, and what it leaves alone. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { readAuthority } from "../../../../platform/tls/authority.ts";
import { type InitAsked, InitError, tlsInit } from "../../../../server/gateway/tls/tls_init.ts";

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 30);
const OWN = ["localhost", "127.0.0.1", "::1"];

async function withFolder(run: (asked: InitAsked) => Promise<void>): Promise<void> {
  const parent = await Deno.makeTempDir({ prefix: "thrum-tls-init-" });
  try {
    await run({ folder: `${parent}/tls`, name: "server", for: "server", hosts: ["alpha.lan", "10.0.0.7"] });
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

/** Every file of the folder, by name. */
function contents(folder: string): Record<string, string> {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  return Object.fromEntries(names.map((name) => [name, Deno.readTextFileSync(`${folder}/${name}`)]));
}

/** Asks for something that is refused, and sees that every file stays as it was. */
async function refusal(asked: InitAsked, nowMs = NOW): Promise<string> {
  const before = contents(asked.folder);
  const { message } = await assertRejects(() => tlsInit(asked, nowMs, "tag"), InitError);
  assertEquals(contents(asked.folder), before);
  return message;
}

Deno.test("tlsInit() makes an authority and a certificate, for their owner alone", async () => {
  await withFolder(async (asked) => {
    const { authority, certificate } = await tlsInit(asked, NOW, "tag");
    assertEquals(authority.isNew, true);
    assertEquals(authority.endsAt, NOW + 3_650 * DAY_MS);
    assertEquals(certificate.hosts, ["alpha.lan", "10.0.0.7", ...OWN]);
    assertEquals(certificate.endsAt, NOW + 397 * DAY_MS);
    assertEquals(certificate.former, undefined);
    const names = Object.keys(contents(asked.folder));
    assertEquals(names, ["ca-key.pem", "ca.pem", "server-key.pem", "server.pem"]);
    if (Deno.build.os === "windows") return;
    for (const name of names) assertEquals(Deno.statSync(`${asked.folder}/${name}`).mode! & 0o777, 0o600, name);
    assertEquals(Deno.statSync(asked.folder).mode! & 0o777, 0o700);
  });
});

Deno.test("who trusts the authority trusts a server with the certificate, by each of its hosts, and nobody else", async () => {
  await withFolder(async (asked) => {
    // What Deno checks it with has the machine's calendar.
    await tlsInit(asked, Date.now(), "tag");
    const files = contents(asked.folder);
    const stop = new AbortController();
    const server = Deno.serve({
      port: 0,
      hostname: "0.0.0.0",
      cert: files["server.pem"]!,
      key: files["server-key.pem"]!,
      signal: stop.signal,
      onListen: () => {},
    }, () => new Response("hello"));
    const { port } = server.addr as Deno.NetAddr;
    const call = async (host: string, caCerts: string[]) => {
      using client = Deno.createHttpClient({ caCerts });
      return await (await fetch(`https://${host}:${port}/`, { client })).text();
    };
    for (const host of ["127.0.0.1", "localhost"]) assertEquals(await call(host, [files["ca.pem"]!]), "hello");
    const refusal = async (host: string, caCerts: string[]) => {
      const { message, cause } = await assertRejects(() => call(host, caCerts), TypeError);
      return `${message} ${cause}`;
    };
    assertStringIncludes(await refusal("127.0.0.1", []), "UnknownIssuer");
    assertStringIncludes(await refusal("127.0.0.2", [files["ca.pem"]!]), "certificate not valid for name");
    stop.abort();
    await server.finished;
  });
});

Deno.test("a second tlsInit() renews by the same authority, for the same hosts unless more are named", async () => {
  await withFolder(async (asked) => {
    const first = await tlsInit(asked, NOW, "tag");
    const before = contents(asked.folder);
    const second = await tlsInit({ ...asked, hosts: [] }, NOW + DAY_MS, "other");
    assertEquals(second.authority, { ...first.authority, isNew: false });
    assertEquals(second.certificate.hosts, first.certificate.hosts);
    assertEquals(second.certificate.former?.endsAt, first.certificate.endsAt);
    assertEquals(second.certificate.endsAt, first.certificate.endsAt + DAY_MS);
    const after = contents(asked.folder);
    for (const name of ["ca.pem", "ca-key.pem"]) assertEquals(after[name], before[name], name);
    for (const name of ["server.pem", "server-key.pem"]) assert(after[name] !== before[name], name);
    const authority = await readAuthority(after["ca.pem"]!, after["ca-key.pem"]!);
    assert(await authority!.hasSigned(after["server.pem"]!));

    const third = await tlsInit({ ...asked, hosts: [...asked.hosts, "beta.lan"] }, NOW, "tag");
    assertEquals(third.certificate.hosts, [...asked.hosts, "beta.lan", ...OWN]);
  });
});

Deno.test("tlsInit() takes a server no host away", async () => {
  await withFolder(async (asked) => {
    await tlsInit(asked, NOW, "tag");
    const message = await refusal({ ...asked, hosts: ["beta.lan"] });
    assertStringIncludes(message, 'server.pem" is for alpha.lan, 10.0.0.7, too');
    const { certificate } = await tlsInit({ ...asked, name: "beta", hosts: ["beta.lan"] }, NOW, "tag");
    assertStringIncludes(certificate.file, "beta.pem");
  });
});

Deno.test("tlsInit() gives a client a certificate that no server can use, and mixes the two up never", async () => {
  await withFolder(async (asked) => {
    await tlsInit(asked, NOW, "tag");
    const anna: InitAsked = { ...asked, name: "anna", for: "client", hosts: [] };
    assertEquals((await tlsInit(anna, NOW, "tag")).certificate.hosts, []);
    assertEquals((await tlsInit(anna, NOW, "tag")).certificate.former?.hosts, []);
    assertStringIncludes(await refusal({ ...asked, name: "anna" }), 'anna.pem" is the certificate of a client');
    assertStringIncludes(await refusal({ ...anna, name: "server" }), 'server.pem" is the certificate of a server');
  });
});

Deno.test("tlsInit() needs hosts where there is nothing to renew", async () => {
  await withFolder(async (asked) => {
    const error = await assertRejects(() => tlsInit({ ...asked, hosts: [] }, NOW, "tag"), InitError);
    assertStringIncludes(error.message, "HOST…");
    await assertRejects(() => Deno.stat(asked.folder), Deno.errors.NotFound);
  });
});

Deno.test("tlsInit() makes nothing with half an authority, one whose key is another's, or one that has ended", async () => {
  await withFolder(async (asked) => {
    const { folder } = asked;
    await tlsInit(asked, NOW, "tag");
    const key = Deno.readTextFileSync(`${folder}/ca-key.pem`);
    Deno.removeSync(`${folder}/ca-key.pem`);
    assertStringIncludes(await refusal(asked), 'ca-key.pem" is not: bring it back');
    Deno.copyFileSync(`${folder}/server-key.pem`, `${folder}/ca-key.pem`);
    assertStringIncludes(await refusal(asked), "are no authority that tls-init made");
    Deno.writeTextFileSync(`${folder}/ca-key.pem`, "nonsense");
    assertStringIncludes(await refusal(asked), "are no authority that tls-init made");
    Deno.writeTextFileSync(`${folder}/ca-key.pem`, key);
    assertStringIncludes(await refusal(asked, NOW + 3_650 * DAY_MS), "has ended");
    const last = await tlsInit(asked, NOW + 3_600 * DAY_MS, "tag");
    assertEquals(last.certificate.endsAt, last.authority.endsAt);
  });
});

Deno.test("tlsInit() leaves a certificate alone that is not its own, and a key without one", async () => {
  await withFolder(async (asked) => {
    const foreign = { ...asked, folder: `${asked.folder}/foreign` };
    await tlsInit(asked, NOW, "tag");
    await tlsInit(foreign, NOW, "tag");
    Deno.copyFileSync(`${foreign.folder}/server.pem`, `${asked.folder}/server.pem`);
    Deno.removeSync(foreign.folder, { recursive: true });
    assertStringIncludes(await refusal(asked), 'server.pem" is not of the authority in this folder');
    Deno.removeSync(`${asked.folder}/server.pem`);
    assertStringIncludes(await refusal(asked), 'server-key.pem" is not of the authority in this folder');
  });
});
