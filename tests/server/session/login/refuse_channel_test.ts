import { assertEquals } from "@std/assert";
import { refuseChannel } from "../../../../server/session/login/refuse_channel.ts";

const TLS = { serverEndPoint: undefined, isResumed: false };

/** The reason of the refusal, and whether the connection is closed; `undefined` if nobody is refused. */
function refusal(...[facts]: Parameters<typeof refuseChannel>): readonly unknown[] | undefined {
  const step = refuseChannel(facts);
  if (step === undefined) return undefined;
  const [say, close] = step.effects;
  const message = say?.kind === "send" ? say.message : undefined;
  return [step.session.kind, message?.command, message && "reason" in message ? message.reason : "", close?.kind];
}

Deno.test("where TLS is required, other machines without it are told so, and closed; this machine is not", () => {
  const plain = { channel: undefined, requiresTls: true };
  assertEquals(
    refusal({ ...plain, remoteHost: "192.0.2.7" }),
    ["closed", "INVALID_MESSAGE", "TLS_REQUIRED", "close"],
  );
  for (const remoteHost of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]) {
    assertEquals(refusal({ ...plain, remoteHost }), undefined, remoteHost);
  }
  assertEquals(refusal({ remoteHost: "192.0.2.7", channel: TLS, requiresTls: true }), undefined);
  assertEquals(refusal({ remoteHost: "192.0.2.7", channel: undefined, requiresTls: false }), undefined);
});

Deno.test("a resumed TLS session is refused, wherever it comes from", () => {
  for (const remoteHost of ["127.0.0.1", "192.0.2.7"]) {
    for (const requiresTls of [true, false]) {
      assertEquals(
        refusal({ remoteHost, channel: { ...TLS, isResumed: true }, requiresTls }),
        ["closed", "INVALID_MESSAGE", "TLS_RESUMED", "close"],
      );
    }
  }
});
