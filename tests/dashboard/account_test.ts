/** A change of the account in the page: as the library does it, whatever the server answers, and what follows. */

import { assert, assertEquals } from "@std/assert";
import {
  type AccountCall,
  changeAccount,
  type Outcome,
  type Wire,
} from "../../dashboard/client/account/account_change.js";
import { deletionProblem, outcomeSentence, passwordProblem } from "../../dashboard/client/account/account_words.js";
import { NEW_SALT_BYTES, NEW_SECRET_COST, sealChange } from "../../dashboard/client/account/seal.js";
import { newKeysOf, newNonce, sealedAnswer } from "../../dashboard/client/derivation.js";
import type { Message } from "../../dashboard/client/session_types.js";
import { nodeCrypto } from "../../platform/crypto.ts";
import * as library from "../../protocol/login/account_change.ts";
import { challenge, checkChangeKey, checkProof, keysOf, readClientFirst } from "../../protocol/login/scram.ts";
import { ANNA, commands, HOME_URL, Page, written } from "./_page.ts";

const SALT = new TextEncoder().encode("a salt of this account");
const COST = 16_384;
const OLD = "open sesame";
const NEW = "even more open";
const PARTS = { nonce: newNonce, keysOf: newKeysOf, answer: sealedAnswer };

Deno.test("the page seals a change as the library does", () => {
  const hmac = (key: Uint8Array, bytes: Uint8Array) => nodeCrypto.hmacOf(key, bytes);
  const key = nodeCrypto.randomBytes(32);
  const keys = {
    salt: nodeCrypto.randomBytes(NEW_SALT_BYTES),
    storedKey: nodeCrypto.randomBytes(32),
    serverKey: nodeCrypto.randomBytes(32),
  };
  assertEquals([NEW_SALT_BYTES, NEW_SECRET_COST], [library.NEW_SALT_BYTES, library.NEW_SECRET_COST]);
  for (const [change, sealed] of [["secret", keys], ["forget", undefined]] as const) {
    assertEquals(sealChange(key, change, sealed, hmac), library.sealChange(key, change, sealed, nodeCrypto));
  }
});

/** A server that knows the account, in as far as a change asks for it. */
class FakeServer implements Wire {
  readonly lines: Message[] = [];
  /** What is said next; `undefined` when nothing comes any more. */
  readonly answers: (Message | undefined)[] = [];
  isClosed = false;
  opened: library.OpenedChange | undefined;

  constructor(readonly answerTo: (message: Message, server: FakeServer) => Promise<void>) {}

  #done = Promise.resolve();

  write(line: string): void {
    const message: Message = JSON.parse(line);
    this.lines.push(message);
    this.#done = this.answerTo(message, this);
  }

  async next(): Promise<Message | undefined> {
    await this.#done;
    return this.answers.shift();
  }

  close(): void {
    this.isClosed = true;
  }
}

async function honest(message: Message, server: FakeServer): Promise<void> {
  const login = server.lines[0]!;
  const talk = challenge(readClientFirst(login.scram)!, "s".repeat(24), { salt: SALT, cost: COST });
  if (message.command === "LOGIN") {
    // What a newer server says beside.
    server.answers.push({ command: "NEWER" }, { command: "CHALLENGE", scram: talk.serverFirst });
    return;
  }
  const keys = keysOf(await nodeCrypto.scrypt(OLD, SALT, COST, 32), nodeCrypto);
  const serverFinal = checkProof(talk, message.scram, keys, nodeCrypto);
  if (serverFinal === undefined) {
    return void server.answers.push({ command: "LOGIN_FAILED", reason: "WRONG_SECRET", info: "it is another one" });
  }
  const changeKey = checkChangeKey(talk, message.scram, keys, nodeCrypto)!;
  server.opened = library.openChange(changeKey, login.change, message.sealed, nodeCrypto);
  server.answers.push({ command: "ACCOUNT_CHANGED", change: login.change, scram: serverFinal, info: "it is done" });
}

function change(server: Wire, call: Partial<AccountCall> = {}): Promise<Outcome> {
  return changeAccount({ username: "anna", secret: OLD, ...call }, server, PARTS);
}

Deno.test("a server that knows the account gets what it keeps of the new secret, and nothing else", async () => {
  const server = new FakeServer(honest);
  assertEquals(await change(server, { newSecret: NEW }), { isDone: true });
  assert(server.isClosed);
  const { opened } = server;
  assert(opened?.kind === "secret");
  const derived = await nodeCrypto.scrypt(NEW, opened.keys.salt, NEW_SECRET_COST, 32);
  assertEquals(keysOf(derived, nodeCrypto), { storedKey: opened.keys.storedKey, serverKey: opened.keys.serverKey });
  const said = JSON.stringify(server.lines);
  for (const secret of [OLD, NEW]) assert(!said.includes(secret));
});

Deno.test("an account is deleted by who proves its secret", async () => {
  const server = new FakeServer(honest);
  assertEquals(await change(server), { isDone: true });
  assertEquals([server.lines[0]?.change, server.opened], ["forget", { kind: "forget" }]);
  const wrong = await change(new FakeServer(honest), { secret: "another one" });
  assertEquals(wrong, { isDone: false, reason: "WRONG_SECRET", info: "it is another one" });
});

Deno.test("nothing is taken for done that was not, whatever a server answers", async () => {
  const answered = async (toLogin: Message | undefined, toResponse?: Message) => {
    const server = new FakeServer(async (message, self) => {
      if (message.command !== "LOGIN" || toLogin?.command === "CHALLENGE") {
        await honest(message, self);
        if (message.command === "RESPONSE") {
          const right = self.answers.pop()!;
          self.answers.push(toResponse && { ...right, ...toResponse });
        }
      } else self.answers.push(toLogin);
    });
    const outcome = await change(server, { newSecret: NEW });
    assert(server.isClosed && !outcome.isDone);
    return outcome.reason;
  };
  const challenged = { command: "CHALLENGE" };
  assertEquals(await answered(undefined), "NO_ANSWER");
  assertEquals(await answered(challenged), "UNKNOWN");
  assertEquals(await answered(challenged, { command: "ACCOUNT_CHANGED", scram: "v=another" }), "INVALID_MESSAGE");
  assertEquals(await answered(challenged, { command: "ACCOUNT_CHANGED", change: "forget" }), "INVALID_MESSAGE");
  assertEquals(await answered(challenged, { command: "LOGIN_FAILED", reason: "NO_SPACE", info: "" }), "NO_SPACE");
  // Servers that know no changes.
  assertEquals(await answered({ command: "LOGIN_SUCCESS" }), "OLDER_VERSION");
  assertEquals(await answered({ command: "LOGIN_FAILED", reason: "WRONG_SECRET" }), "OLDER_VERSION");
  assertEquals(await answered({ command: "LOGIN_FAILED", reason: "UNKNOWN_USER" }), "UNKNOWN_USER");
  assertEquals(await answered({ command: "END_CONNECTION", reason: "SERVER_STOPPING" }), "SERVER_STOPPING");
});

const OTHER_SECRET = { command: "END_CONNECTION", reason: "SECRET_CHANGED", info: "another one", reconnect: "never" };

/** Until the page says what it logs in with. */
function nextLogin(page: Page): Record<string, unknown> | undefined {
  page.untilDialing();
  page.effects.length = 0;
  page.take({ kind: "opened" });
  return written(page.effects).find(({ command }) => command === "LOGIN");
}

Deno.test("a page that has changed the secret comes back with the new one, whichever word comes first", () => {
  const orders = [
    (page: Page) => {
      page.take({ kind: "changed", isDone: true });
      page.line(OTHER_SECRET);
    },
    (page: Page) => {
      page.line(OTHER_SECRET);
      page.take({ kind: "changed", isDone: true });
    },
    // The answer is lost.
    (page: Page) => {
      page.line(OTHER_SECRET);
      page.take({ kind: "changed", isDone: false });
    },
  ];
  for (const order of orders) {
    const page = new Page();
    page.live({ pass: "of the old one", ticket: "of the old one" });
    page.take({ kind: "changing", newSecret: NEW });
    order(page);
    const login = nextLogin(page);
    assertEquals([login?.secret, login?.pass, login?.ticket], [NEW, true, undefined]);
    page.loggedIn();
    // Then somebody changes it elsewhere: this page does not know that one.
    page.line(OTHER_SECRET);
    assertEquals(page.kind, "ended");
  }
});

Deno.test("a page whose secret was changed elsewhere ends, also after a change of its own that was refused", () => {
  const page = new Page();
  page.live();
  page.take({ kind: "changing", newSecret: NEW });
  page.take({ kind: "changed", isDone: false });
  page.line(OTHER_SECRET);
  assertEquals([page.kind, commands(page.take({ kind: "retry" }))], ["ended", []]);
  assertEquals(nextLogin(page)?.secret, ANNA.secret);
});

Deno.test("a page whose account was deleted here is signed out, keeps nothing, and says so", () => {
  const deleted = { command: "END_CONNECTION", reason: "DELETED", info: "it is deleted", reconnect: "never" };
  for (const isEndFirst of [true, false]) {
    const page = new Page();
    page.live({ pass: "a pass" });
    page.take({ kind: "changing", newSecret: undefined });
    if (isEndFirst) page.line(deleted);
    page.take({ kind: "changed", isDone: true });
    assertEquals(page.session.status, { kind: "signedOut", forgotten: "anna" });
    assertEquals([page.session.saved, page.effects.some(({ kind }) => kind === "forget")], [undefined, true]);
    assertEquals(page.take({ kind: "signIn", plan: ANNA }).at(-1), { kind: "dial", url: HOME_URL });
  }
});

Deno.test("the forms say what is missing before anything is sent", () => {
  const form = { secret: OLD, newSecret: NEW, again: NEW };
  assertEquals(passwordProblem(form), undefined);
  assertEquals(passwordProblem({ ...form, secret: "" })?.field, "secret");
  assertEquals(passwordProblem({ ...form, newSecret: "short" })?.field, "newSecret");
  assertEquals(passwordProblem({ ...form, newSecret: "password1" })?.field, "newSecret");
  assertEquals(passwordProblem({ ...form, newSecret: OLD, again: OLD })?.field, "newSecret");
  assertEquals(passwordProblem({ ...form, again: `${NEW} ` })?.field, "again");
  assertEquals(deletionProblem({ secret: OLD, name: "anna" }, "anna"), undefined);
  assertEquals(deletionProblem({ secret: "", name: "anna" }, "anna")?.field, "secret");
  for (const name of ["", "Anna", "anna "]) assertEquals(deletionProblem({ secret: OLD, name }, "anna")?.field, "name");
});

Deno.test("what went wrong is said in a sentence; what nobody knows is not said to be undone", () => {
  const refused = (reason: string, info = "") => ({ isDone: false as const, reason, info });
  assertEquals(outcomeSentence(refused("WRONG_SECRET"), "secret"), "This is not your current password.");
  assertEquals(outcomeSentence(refused("TOO_MANY", "too many changes"), "secret"), "Too many changes.");
  for (const change of ["secret", "forget"] as const) {
    assert(outcomeSentence(refused("UNKNOWN"), change).includes("Perhaps"));
    assert(outcomeSentence(refused("NO_ANSWER"), change).endsWith("Nothing was changed."));
  }
});
