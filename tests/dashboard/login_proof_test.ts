/** The web client's proof, beside that of the library and the server's. */

import { assert, assertEquals } from "@std/assert";
import { answer, forget } from "../../dashboard/client/derivation.js";
import { firstMessage, questionIn } from "../../dashboard/client/login_proof.js";
import { nodeCrypto } from "../../platform/crypto.ts";
import { challenge, clientFirst, prove, readClientFirst } from "../../protocol/login/scram.ts";
import { ANNA, FEATURES, HEARTBEAT, Page, written } from "./_page.ts";

const NONCE = "c".repeat(24);
const salt = new TextEncoder().encode("a salt of this account");

Deno.test("the page says and proves the same as the library", async () => {
  for (const username of ["anna", "a,b=c", "Жёлудь 🌰"]) {
    const first = firstMessage(username, NONCE);
    assertEquals(first, clientFirst(username, NONCE).text);
    const talk = challenge(readClientFirst(first)!, "s".repeat(24), { salt, cost: 16_384 });
    const question = questionIn(first, talk.serverFirst)!;
    const derived = await nodeCrypto.scrypt("öpen sesame", salt, 16_384, 32);
    const { response, serverFinal } = prove(talk, derived, nodeCrypto);
    assertEquals(await answer(question, "öpen sesame"), { response, serverFinal });
  }
  forget();
});

Deno.test("the page takes the challenges that the library takes", () => {
  const first = firstMessage("anna", NONCE);
  const good = challenge(readClientFirst(first)!, "s".repeat(24), { salt, cost: 16_384 }).serverFirst;
  assert(questionIn(first, good) !== undefined);
  const bad = [
    "",
    good.replace("i=16384", "i=2"),
    good.replace("i=16384", "i=1048576"),
    good.replace(NONCE, "d".repeat(24)),
    good.replace("s".repeat(24), "s"),
    good.replace(/s=[^,]*,i/, "s=?,i"),
  ];
  for (const text of bad) assertEquals(questionIn(first, text), undefined, text);
});

function begun(): Page {
  const page = new Page();
  page.take({ kind: "signIn", plan: ANNA });
  page.take({ kind: "opened", nonce: NONCE });
  return page;
}

const WELCOME = { command: "LOGIN_SUCCESS", features: FEATURES, serverId: "a", lamport: 5, heartbeat: HEARTBEAT };
const FIRST = firstMessage("anna", NONCE);
const TALK = challenge(readClientFirst(FIRST)!, "s".repeat(24), { salt, cost: 16_384 });
const CHALLENGE = { command: "CHALLENGE", scram: TALK.serverFirst };

Deno.test("the page proves its secret, and believes a server that proves the account", () => {
  const page = begun();
  assertEquals(written(page.effects), [
    { command: "LOGIN", username: "anna", scram: FIRST, features: [...FEATURES, "scram"], pass: true },
  ]);
  const [asked] = page.line(CHALLENGE);
  assertEquals(asked?.kind === "prove" && [asked.first, asked.secret], [FIRST, ANNA.secret]);
  const told = page.take({ kind: "proved", first: FIRST, response: "c=biws,…", serverFinal: "v=right" });
  assertEquals(written(told), [{ command: "RESPONSE", scram: "c=biws,…" }]);
  page.line({ ...WELCOME, resume: { vector: {}, replayed: 0 }, scram: "v=right" });
  assertEquals(page.kind, "live");
});

Deno.test("the page shows a pass to no server of which it wants a proof, and keeps none of a liar", () => {
  const page = begun();
  page.line(CHALLENGE);
  page.take({ kind: "proved", first: FIRST, response: "c=biws,…", serverFinal: "v=right" });
  page.line({ ...WELCOME, resume: { vector: {}, replayed: 0 }, scram: "v=right", pass: "pass 1" });
  assertEquals(page.session.saved?.pass, "pass 1");
  page.close();
  page.pass(1_000);
  page.take({ kind: "opened", nonce: NONCE });
  for (const { pass } of written(page.effects).filter(({ command }) => command === "LOGIN")) assertEquals(pass, true);
});

Deno.test("the page does not believe a server that proves nothing, and tells it no secret", () => {
  const liars: ((page: Page) => void)[] = [
    (page) => page.line(WELCOME),
    (page) => {
      page.line(CHALLENGE);
      page.line({ ...WELCOME, scram: "v=right" });
    },
    (page) => {
      page.line(CHALLENGE);
      page.take({ kind: "proved", first: FIRST, response: "c=biws,…", serverFinal: "v=right" });
      page.line({ ...WELCOME, scram: "v=wrong" });
    },
    (page) => page.line({ command: "CHALLENGE", scram: TALK.serverFirst.replace("i=16384", "i=2") }),
    (page) => page.line({ command: "LOGIN_FAILED", info: "a secret is needed", reason: "WRONG_SECRET" }),
    (page) => {
      page.line(CHALLENGE);
      page.take({ kind: "notProved", first: FIRST, why: "no memory" });
    },
  ];
  for (const lie of liars) {
    const page = begun();
    lie(page);
    assert(page.kind !== "live" && page.kind !== "greeting", page.kind);
    assert(!JSON.stringify(written(page.effects)).includes(ANNA.secret));
  }
});

Deno.test("a key that was derived for an earlier connection answers nothing on the next", () => {
  const page = begun();
  page.line(CHALLENGE);
  page.close();
  page.untilDialing();
  page.take({ kind: "opened", nonce: "e".repeat(24) });
  const told = page.take({ kind: "proved", first: FIRST, response: "c=biws,…", serverFinal: "v=right" });
  assertEquals(written(told), []);
});
