/** TLS of the programs, as real processes: who comes in how, and what everybody is told. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { tlsSupport } from "../../platform/tls/tls_support.ts";
import { fingerprintOf, type TlsIdentity } from "../../platform/tls/tls_identity.ts";
import { Certificates } from "../support/certificates.ts";
import { type Program, SERVER_IS_COMPILED, startClient, startServer } from "../support/program.ts";

const { hasOnePort } = tlsSupport(Deno.version.deno);
if (SERVER_IS_COMPILED) console.log("    skipped: TLS of compiled programs, as it depends on the Deno in them");
const ignore = SERVER_IS_COMPILED || !hasOnePort;

/** Writes the files of an identity, and a configuration that names them. */
async function configFor(
  certificates: Certificates,
  { cert, key, ca }: TlsIdentity,
  tls: Record<string, unknown> = {},
): Promise<string> {
  const files = {
    cert: await certificates.file("server.pem", cert),
    key: await certificates.file("server.key", key),
    ca: await certificates.file("ca.pem", ca ?? ""),
  };
  return await certificates.file("config.json", JSON.stringify({ tls: { ...files, ...tls } }));
}

async function serving(config: string, ...args: string[]): Promise<{ server: Program; port: string }> {
  const server = startServer(["--no-prompt", "--port", "0", "--ephemeral", "--config", config, ...args]);
  const [, port] = await server.sees(/listening on 127\.0\.0\.1:(\d+)/);
  await server.sees(/Ctrl-C/);
  return { server, port: port! };
}

async function run(args: readonly string[], secret = ""): Promise<{ code: number; output: string; errors: string }> {
  await using client = startClient(args, { env: { THRUM_SECRET: secret } });
  await client.endInput();
  const code = await client.ended();
  return { code, output: client.output, errors: client.errors };
}

Deno.test({
  name: "clients talk to a server by TLS and without, over one port, and each sees what the other says",
  ignore,
  async fn() {
    await using certificates = new Certificates();
    const config = await configFor(certificates, await (await certificates.makeCa()).sign());
    const { server, port } = await serving(config);
    await using _server = server;
    const ca = `${certificates.folder}/ca.pem`;
    await using listener = startClient(["listen", "--json", "--port", port, "--tls", "--ca", ca]);
    await listener.tells(/connected to 127\.0\.0\.1/);
    assertEquals((await run(["publish", '{"n":1}', "--port", port])).errors, "");
    await listener.sees(/"n":1/);
    // A registration carries its secret, and the login after it proves it.
    const named = ["-u", "ada", "--port", port, "--ca", ca];
    assertEquals((await run(["register", ...named], "open sesame")).code, 0);
    assertEquals((await run(["publish", '{"n":2}', ...named], "open sesame")).errors, "");
    await listener.sees(/"user":"ada".*"n":2|"n":2.*"user":"ada"/);
  },
});

Deno.test({
  name: "a client believes the CA that it is given, or the fingerprint that the server has shown at its start",
  ignore,
  async fn() {
    await using certificates = new Certificates();
    const signer = await certificates.makeCa();
    const { server, port } = await serving(await configFor(certificates, await signer.sign()));
    await using _server = server;
    const [, fingerprint] = /TLS +(\S+)/.exec(server.output) ?? [];
    const publish = ["publish", "{}", "--port", port];
    assertEquals((await run([...publish, "--fingerprint", fingerprint!])).errors, "");
    assertEquals((await run([...publish, "--fingerprint", fingerprint!.replaceAll(":", "").toLowerCase()])).errors, "");

    const foreign = await certificates.file("foreign.pem", (await certificates.makeCa()).ca);
    const refused = await run([...publish, "--ca", foreign]);
    assertEquals(refused.code, 2);
    assertStringIncludes(refused.errors, "its certificate is signed by nobody that is believed here");
    const other = await run([...publish, "--fingerprint", fingerprintOf(new Uint8Array())]);
    assertStringIncludes(other.errors, `its certificate is another one: its fingerprint is ${fingerprint}`);
    const machine = await run([...publish, "--tls"]);
    assertStringIncludes(machine.errors, "its certificate is signed by nobody that is believed here");
  },
});

Deno.test({
  name: "TLS needs no permission that the task of the client does not have, whomever the client believes",
  ignore,
  async fn() {
    await using certificates = new Certificates();
    const { server, port } = await serving(await configFor(certificates, await (await certificates.makeCa()).sign()));
    await using _server = server;
    const [, fingerprint] = /TLS +(\S+)/.exec(server.output) ?? [];
    const task = async (...args: string[]) => {
      const line = ["task", "-q", "client", "publish", "{}", "--port", port, ...args];
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: line }).output();
      return [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
    };
    assertMatch(await task("--fingerprint", fingerprint!), /^s-\w+:1$/m);
    assertMatch(await task("--ca", `${certificates.folder}/ca.pem`), /^s-\w+:2$/m);
    assertMatch(await task("--tls"), /its certificate is signed by nobody that is believed here/);
  },
});

Deno.test({
  name: "a client by TLS takes no server without, and says what cannot be used",
  async fn() {
    await using server = startServer(["--no-prompt", "--port", "0", "--ephemeral"]);
    const [, port] = await server.sees(/listening on 127\.0\.0\.1:(\d+)/);
    const { code, errors } = await run(["publish", "{}", "--port", port!, "--tls"]);
    assertEquals(code, 2);
    assertMatch(errors, /it does not speak TLS/);
    for (
      const [args, words] of [
        [["--ca", "nowhere.pem"], 'Cannot read --ca "nowhere.pem": there is no such file'],
        [["--ca", "deno.json"], "Cannot use --ca: it has no certificate (PEM)"],
        [["--cert", "deno.json"], "--cert and --key go together"],
        [["--cert", "deno.json", "--key", "deno.json"], "Cannot use --cert: it has no certificate (PEM)"],
        [["--fingerprint", "abc"], "SHA-256 of a certificate: 64 hexadecimal digits"],
      ] as const
    ) {
      const wrong = await run(["publish", "{}", "--port", port!, ...args]);
      assertEquals(wrong.code, 1, wrong.errors);
      assertStringIncludes(wrong.errors, words);
    }
  },
});

Deno.test({
  name: "a server says at its start which file of its TLS cannot be used, and why, and does not start",
  ignore,
  async fn() {
    await using certificates = new Certificates();
    const signer = await certificates.makeCa();
    const [identity, other] = [await signer.sign(), await signer.sign()];
    const fails = async (config: string, words: string) => {
      await using server = startServer(["--no-prompt", "--port", "0", "--ephemeral", "--config", config]);
      assertEquals(await server.ended(), 1);
      assertStringIncludes(server.errors, words);
      assert(!server.errors.includes("PRIVATE KEY"), server.errors);
    };
    const key = `"${certificates.folder}/server.key"`;
    await fails(
      await configFor(certificates, { ...identity, key: other.key }),
      `Cannot use "tls.key" (${key}): it is the key of another certificate`,
    );
    await fails(
      await configFor(certificates, identity, { cert: "nowhere.pem" }),
      '"tls.cert" ("nowhere.pem"): there is',
    );
    await fails(await configFor(certificates, identity, { key: "" }), '"tls.cert" and "tls.key" go together');
    await fails(await configFor(certificates, identity, { clientAuth: true }), '"tls.clientAuth" needs "tls.required"');
    if (Deno.uid() !== 0) {
      const config = await configFor(certificates, identity);
      await Deno.chmod(`${certificates.folder}/server.key`, 0);
      await fails(config, `Cannot use "tls.key" (${key}): permission denied`);
    }
  },
});

Deno.test("a server with a port for TLS is called there, on every Deno", async () => {
  await using certificates = new Certificates();
  const identity = await (await certificates.makeCa()).sign();
  const config = await configFor(certificates, identity, { port: freePort() });
  const { tls: { port } } = JSON.parse(await Deno.readTextFile(config));
  const { server } = await serving(config);
  await using _server = server;
  const named = ["-u", "ada", "--port", String(port), "--ca", `${certificates.folder}/ca.pem`];
  const env = { DENO_TLS_CA_STORE: "system,mozilla" };
  await using client = startClient(["register", ...named], { env: { THRUM_SECRET: "open sesame", ...env } });
  await client.endInput();
  assertEquals(await client.ended(), 0, client.errors);
  const published = await run(["publish", '{"n":2}', ...named], "open sesame");
  assertEquals(published.errors, "");
});

Deno.test({
  name: "Deno before 2.8 starts no server with TLS on one port, and none that asks for certificates",
  ignore: SERVER_IS_COMPILED || hasOnePort,
  async fn() {
    await using certificates = new Certificates();
    const identity = await (await certificates.makeCa()).sign();
    for (
      const [tls, words] of [
        [{}, '"tls.port" has to be given'],
        [{ port: 9999, clientAuth: true, required: true }, '"tls.clientAuth" needs Deno 2.8.1'],
      ] as const
    ) {
      const config = await configFor(certificates, identity, tls);
      await using server = startServer(["--no-prompt", "--port", "0", "--ephemeral", "--config", config]);
      assertEquals(await server.ended(), 1);
      assertStringIncludes(server.errors, words);
    }
  },
});

/** A port that nobody listens at just now. */
function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}
