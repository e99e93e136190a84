/** Who may come in, register and do what, with a real server; over TCP and over WebSockets. */

import { assertEquals } from "@std/assert";
import type { AuthConfig } from "../../../mod.ts";
import type { Received } from "../../support/line_client.ts";
import { doorOf } from "../../support/test_door.ts";

const { start, connect, loggedIn, over } = doorOf(import.meta.url);
const FEATURES = ["ack", "resume", "presence", "chat", "history"];
const ACTIVITY = { command: "ACTIVITY_MESSAGE", activity: { n: 1 } };
/** What answers a client before it is logged in. */
const ANSWERS = ["REGISTER_SUCCESS", "REGISTER_FAILED", "LOGIN_SUCCESS", "LOGIN_FAILED"];

function startWith(auth: Partial<AuthConfig>): ReturnType<typeof start> {
  return start({ auth });
}

/** The answer to one line, and whether the server closes after it. */
async function answerTo(server: Awaited<ReturnType<typeof start>>, line: Received): Promise<Received> {
  await using client = await connect(server);
  client.send(line);
  const answer = () => client.received.find(({ command }) => ANSWERS.includes(command));
  await client.until(() => answer() !== undefined, "an answer");
  if (answer()!.command.endsWith("FAILED")) await client.closed();
  return answer()!;
}

function register(username: string, more: Received = {}): Received {
  return { command: "REGISTER", username, secret: "open sesame", ...more };
}

Deno.test(`${over}: with auth.anonymous false nobody comes in without a name`, async () => {
  await using server = await startWith({ anonymous: false });
  const { command, reason, info } = await answerTo(server, { command: "LOGIN", username: "anonymous" });
  assertEquals([command, reason], ["LOGIN_FAILED", "NOT_ALLOWED"]);
  assertEquals(info, "this server lets nobody in without a name");
  assertEquals((await answerTo(server, register("anna"))).command, "REGISTER_SUCCESS");
  const login = { command: "LOGIN", username: "anna", secret: "open sesame" };
  assertEquals((await answerTo(server, login)).command, "LOGIN_SUCCESS");
});

Deno.test(`${over}: each registration that is refused says why`, async () => {
  await using server = await startWith({ reservedNames: ["admin*"], minSecretLength: 8 });
  assertEquals((await answerTo(server, register("anna"))).command, "REGISTER_SUCCESS");
  const refused: [Received, string, string][] = [
    [register("anna"), "NAME_TAKEN", "this name is taken"],
    [register("Anna"), "LOOKS_ALIKE", "this name looks like one that exists: anna"],
    [register("аппа\u200d"), "NOT_ALLOWED", "the username has an invisible character"],
    [register("Administrator"), "NOT_ALLOWED", "this name is reserved"],
    [register("bob", { secret: "1234567" }), "SECRET_TOO_SHORT", "the secret has fewer than 8 characters"],
  ];
  for (const [line, reason, info] of refused) {
    assertEquals(await answerTo(server, line), { command: "REGISTER_FAILED", info, reason });
  }
});

Deno.test(`${over}: where registration is closed, or for who is invited, nobody else makes an account`, async () => {
  await using closed = await startWith({ registration: "closed" });
  assertEquals((await answerTo(closed, register("anna"))).reason, "CLOSED");
  await using inviting = await startWith({ registration: "invite" });
  assertEquals((await answerTo(inviting, register("anna"))).reason, "INVITATION");
  assertEquals((await answerTo(inviting, register("anna", { invitation: "x" }))).info, "there is no such invitation");
});

Deno.test(`${over}: who may not publish, send or list is told so, each time, and goes on`, async () => {
  await using server = await startWith({ rights: [{ users: ["anna"], may: ["read"] }] });
  await answerTo(server, register("anna"));
  await using reader = await loggedIn(server);
  await using anna = await connect(server);
  anna.send({ command: "LOGIN", username: "anna", secret: "open sesame", features: FEATURES });
  const login = await anna.next("LOGIN_SUCCESS");
  assertEquals([login.may, login.features], [["read"], ["ack", "resume", "chat", "history"]]);
  anna.send(
    { ...ACTIVITY, messageId: "m-1" },
    { command: "DIRECT_MESSAGE", to: "anna", text: "x", messageId: "m-2" },
    { command: "LIST_USERS", scope: "all" },
    { command: "HISTORY" },
  );
  const refusals = [
    { command: "ACTIVITY_FAILED", messageId: "m-1", reason: "NOT_ALLOWED", info: "anna may not publish here" },
    {
      command: "DIRECT_MESSAGE_FAILED",
      info: "anna may not send direct messages here",
      messageId: "m-2",
      reason: "NOT_ALLOWED",
    },
    { command: "USER_LIST_FAILED", scope: "all", reason: "NOT_ALLOWED", info: "anna may not ask who there is here" },
  ];
  for (const refusal of refusals) assertEquals(await anna.next(refusal.command), refusal);
  assertEquals((await anna.next("HISTORY_PAGE")).count, 0);
  reader.send({ ...ACTIVITY, username: "anonymous" });
  await anna.untilActivities(1);
  assertEquals(reader.activities, [{ n: 1 }]);
});

Deno.test(`${over}: a plain client that may not publish is refused in words that it knows`, async () => {
  await using server = await startWith({ rights: [{ roles: ["anonymous"], may: ["read"] }] });
  await using plain = await connect(server);
  plain.send({ command: "LOGIN", username: "anonymous" });
  assertEquals(
    (await plain.next("LOGIN_SUCCESS")).info,
    "logged in as anonymous, without the right to publish, message, listUsers",
  );
  plain.send(ACTIVITY);
  const info = "anonymous may not publish here";
  assertEquals(await plain.next("AUTHENTICATION_FAIL"), {
    command: "AUTHENTICATION_FAIL",
    info,
    reason: "NOT_ALLOWED",
  });
  await plain.closed();
});

Deno.test(`${over}: who may not read gets nothing, by resume and history neither, and may publish all the same`, async () => {
  await using server = await startWith({ rights: [{ users: ["anna"], may: ["publish", "message"] }] });
  for (const name of ["anna", "bob"]) await answerTo(server, register(name));
  await using bob = await loggedIn(server, { username: "bob", secret: "open sesame", features: FEATURES });
  bob.send({ ...ACTIVITY, messageId: "m-1" }, { command: "DIRECT_MESSAGE", to: "anna", text: "hi", messageId: "m-2" });
  await bob.next("RECEIPT");
  await using anna = await connect(server);
  const resume = { vector: {} };
  anna.send({ command: "LOGIN", username: "anna", secret: "open sesame", features: FEATURES, resume });
  const login = await anna.next("LOGIN_SUCCESS");
  assertEquals([login.receive, login.may, login.features], ["none", ["publish", "message"], ["ack", "resume", "chat"]]);
  anna.send({ command: "HISTORY" });
  assertEquals(await anna.next("HISTORY_FAILED"), {
    command: "HISTORY_FAILED",
    reason: "NOT_ALLOWED",
    info: "anna may not read here",
  });
  anna.send({ ...ACTIVITY, messageId: "m-3" });
  await anna.next("ACTIVITY_ACK");
  await bob.untilActivities(2);
  const got = anna.received.map(({ command }) => command);
  assertEquals(got.filter((command) => !["BACKUP_LIST", "HEARTBEAT"].includes(command)), [
    ...["LOGIN_SUCCESS", "CAUGHT_UP", "HISTORY_FAILED", "ACTIVITY_ACK"],
  ]);
});
