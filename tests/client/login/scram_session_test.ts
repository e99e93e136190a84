import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { beginSession, onDerived, onMessage, type SessionPlan, type SessionStep } from "../../../client/session.ts";
import { nodeCrypto } from "../../../platform/crypto.ts";
import { challenge, checkProof, clientFirst, keysOf } from "../../../protocol/login/scram.ts";
import type { ServerMessage } from "../../../protocol/message.ts";

const scram = clientFirst("ada", "c".repeat(24));
const DERIVED = new Uint8Array(32).fill(3);
const TALK = challenge(scram.first, "s".repeat(24), { salt: new Uint8Array(16), cost: 16_384 });

const ada: SessionPlan = {
  username: "ada",
  secret: "right",
  scram,
  register: false,
  features: ["ack"],
  resume: undefined,
  heartbeatPort: undefined,
  redirects: 0,
  ticket: undefined,
  last: undefined,
};

function after(...messages: ServerMessage[]): SessionStep {
  let step = beginSession(ada);
  for (const message of messages) step = onMessage(step.session, message);
  return step;
}

function endOf({ effects }: SessionStep) {
  const last = effects.at(-1);
  return last?.kind === "end" ? last.end : undefined;
}

const CHALLENGE = { command: "CHALLENGE", scram: TALK.serverFirst } as const;
const proved = onDerived(after(CHALLENGE).session, DERIVED, nodeCrypto);
const response = proved.effects[0]?.kind === "send" ? String(proved.effects[0].message.scram) : "";
const serverFinal = checkProof(TALK, response, keysOf(DERIVED, nodeCrypto), nodeCrypto)!;

Deno.test("a login with a proof tells no secret", () => {
  assertEquals(beginSession(ada).effects, [{
    kind: "send",
    message: { command: "LOGIN", username: "ada", scram: scram.text, features: ["ack", "scram"], ackRanges: true },
  }]);
});

Deno.test("a challenge is answered with a proof, and the session opens with the server's own", () => {
  const { session, effects } = after(CHALLENGE);
  assertEquals([session.kind, effects.map(({ kind }) => kind)], ["deriving", ["derive"]]);
  assert(serverFinal !== undefined);
  const welcome = { command: "LOGIN_SUCCESS", info: "hello", scram: serverFinal } as const;
  assertEquals(onMessage(proved.session, welcome).session.kind, "open");
});

Deno.test("a server that lets a client in without a proof of its own, or with a wrong one, is not believed", () => {
  const steps = [
    after({ command: "LOGIN_SUCCESS", info: "hello" }),
    after({ command: "LOGIN_SUCCESS", info: "hello", scram: serverFinal }),
    after(CHALLENGE, { command: "LOGIN_SUCCESS", info: "hello", scram: serverFinal }),
    onMessage(proved.session, { command: "LOGIN_SUCCESS", info: "hello" }),
    onMessage(proved.session, { command: "LOGIN_SUCCESS", info: "hello", scram: serverFinal.replace("v=", "v=A") }),
    onMessage(proved.session, { command: "LOGIN_SUCCESS", info: "hello", scram: "" }),
  ];
  for (const step of steps) {
    const end = endOf(step);
    assertEquals([step.session.kind, end?.kind], ["over", "lost"]);
  }
});

Deno.test("a challenge is taken once, when it is due, and only one that is fit", () => {
  for (
    const step of [
      after(CHALLENGE, CHALLENGE),
      onMessage(proved.session, CHALLENGE),
      after({ command: "CHALLENGE", scram: TALK.serverFirst.replace("i=16384", "i=2") }),
      after({ command: "CHALLENGE", scram: "" }),
      onMessage(beginSession({ ...ada, scram: undefined }).session, CHALLENGE),
    ]
  ) assertEquals(endOf(step)?.kind, "lost");
});

Deno.test("a server that wants the secret itself is told apart from one that refuses a proof", () => {
  const failed = { command: "LOGIN_FAILED", info: "a secret is needed", reason: "WRONG_SECRET" } as const;
  assertEquals(endOf(after(failed))?.kind, "clearOnly");
  assertEquals(endOf(onMessage(proved.session, failed))?.kind, "refused");
  assertEquals(endOf(after({ ...failed, reason: "UNKNOWN_USER" }))?.kind, "refused");
});

Deno.test("a key that is derived too late changes nothing", () => {
  const over = after(CHALLENGE, { command: "LOGIN_FAILED", info: "too late", reason: "TOO_MANY" }).session;
  assertEquals(onDerived(over, DERIVED, nodeCrypto), { session: over, effects: [] });
  assertStringIncludes(response, "c=biws,r=");
});
