import { assertEquals, assertThrows } from "@std/assert";
import { KeptIdentity } from "../../../platform/tls/kept_identity.ts";
import { serverEndPoint } from "../../../platform/tls/end_point.ts";
import { checkIdentity, type TlsIdentity, TlsIdentityError } from "../../../platform/tls/tls_identity.ts";
import { Certificates } from "../../support/certificates.ts";

Deno.test("checkIdentity() says what others want to know, and what cannot be used and why, without any of the key", async () => {
  await using certificates = new Certificates();
  const signer = await certificates.makeCa();
  const [identity, other] = [await signer.sign(), await signer.sign({ isExpired: true })];
  const checked = checkIdentity(identity);
  assertEquals(checked.fingerprint, await certificates.fingerprint(identity.cert));
  assertEquals(checked.endPoint.length, 32);
  assertEquals(checked.notAfterMs > Date.now(), true);
  // That is for the operator to see: a server that has run for a year must come up again.
  assertEquals(checkIdentity(other).notAfterMs < Date.now(), true);

  const problems: readonly [Partial<TlsIdentity>, keyof TlsIdentity, string][] = [
    [{ cert: "" }, "cert", "it has no certificate (PEM)"],
    [{ cert: identity.key }, "cert", "it has no certificate (PEM)"],
    [{ cert: identity.cert.replace(/^[A-Z].*\n/m, "AAAA\n") }, "cert", "it has a certificate that cannot be read"],
    [{ key: identity.cert }, "key", "it has no private key (PEM)"],
    [{ key: identity.key.replace(/^[A-Z].*\n/m, "AAAA\n") }, "key", "it has a private key that cannot be read"],
    [{ key: other.key }, "key", "it is the key of another certificate"],
    [
      { key: identity.key.replaceAll("PRIVATE", "ENCRYPTED PRIVATE") },
      "key",
      "it is protected with a password, which nobody can give",
    ],
    [{ ca: "nothing" }, "ca", "it has no certificate (PEM)"],
  ];
  for (const [change, part, words] of problems) {
    const error = assertThrows(() => checkIdentity({ ...identity, ...change }), TlsIdentityError);
    assertEquals([error.part, error.message], [part, words]);
  }
});

Deno.test("an identity that cannot be used replaces nothing, and one that can is told to who has asked", async () => {
  await using certificates = new Certificates();
  const signer = await certificates.makeCa();
  const [first, second] = [await signer.sign(), await signer.sign()];
  const kept = new KeptIdentity(first);
  const told: string[] = [];
  const stop = kept.whenReplaced(({ cert }) => told.push(cert));
  assertThrows(() => kept.replace({ ...second, key: first.key }), TlsIdentityError);
  assertEquals([kept.current.cert, told], [first.cert, []]);
  kept.replace(second);
  assertEquals([kept.current.cert, told], [second.cert, [second.cert]]);
  stop();
  kept.replace(first);
  assertEquals(told, [second.cert]);
});

Deno.test("serverEndPoint() hashes as the certificate was signed, and with SHA-256 where that is weaker or unknown", async () => {
  await using certificates = new Certificates();
  const sizes = async (...args: string[]) => serverEndPoint(await certificates.selfSigned(...args)).length * 8;
  const ecdsa = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  assertEquals(await sizes(...ecdsa, "-sha256"), 256);
  assertEquals(await sizes(...ecdsa, "-sha384"), 384);
  assertEquals(await sizes(...ecdsa, "-sha512"), 512);
  assertEquals(await sizes("-newkey", "rsa:2048", "-sha384"), 384);
  assertEquals(await sizes("-newkey", "ed25519"), 256);
  assertEquals(serverEndPoint(new Uint8Array([0x30, 0x84, 0xff])).length, 32);
});
