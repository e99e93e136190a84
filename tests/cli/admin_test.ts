/** `thrum-server admin` as an operator uses it: two servers, one of which has a gateway, and users at the other. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { LineClient } from "../support/line_client.ts";
import { type Program, startServer } from "../support/program.ts";

const ENV = { THRUM_SECRET: "a secret of the network" };

/** Two servers of one network, and their folder. */
async function network(): Promise<
  { servers: Program[]; ports: number[]; http: string; other: string; folder: string }
> {
  const folder = await Deno.makeTempDir({ prefix: "thrum-admin-" });
  const flags = (name: string) => ["--no-prompt", "--port", "0", "--data", `${folder}/${name}`];
  const first = startServer([...flags("a"), "--http", "0"], { env: ENV });
  const [, port] = await first.sees(/listening on \S+:(\d+)/);
  const [, http] = await first.sees(/dashboard +http:\/\/\S+:(\d+)\//);
  const second = startServer([...flags("b"), "--join", `127.0.0.1:${port}`, "--http", "0"], { env: ENV });
  const [, secondPort] = await second.sees(/listening on \S+:(\d+)/);
  const [, other] = await second.sees(/dashboard +http:\/\/\S+:(\d+)\//);
  return { servers: [first, second], ports: [Number(port), Number(secondPort)], http: http!, other: other!, folder };
}

/** What `admin` says and how it ends. */
async function admin(
  { http, folder }: { http: string; folder: string },
  args: readonly string[],
  more: { env?: Record<string, string>; flags?: readonly string[] } = {},
): Promise<{ code: number; output: string; errors: string }> {
  const flags = more.flags ?? ["--data", `${folder}/a`];
  await using program = startServer(["admin", ...args, "--http", http, "--no-prompt", ...flags], {
    env: more.env ?? {},
  });
  const code = await program.ended();
  return { code, output: program.output, errors: program.errors };
}

async function login(port: number, username: string, secret = username.repeat(3)): Promise<LineClient> {
  const client = await LineClient.connect(port);
  client.send({ command: "LOGIN", username, secret, features: ["resume"], redirects: 3 });
  await client.until(() => client.received.length > 0, "the answer");
  return client;
}

async function register(port: number, username: string): Promise<void> {
  await using client = await LineClient.connect(port);
  client.send({ command: "REGISTER", username, secret: username.repeat(3) });
  await client.next("REGISTER_SUCCESS");
}

Deno.test("an operator keeps users out of the whole network from one server, and sees who is where", async () => {
  const { servers, ports: [first, second], other: _, ...at } = await network();
  try {
    await register(first!, "eve");
    await register(first!, "mia");
    await using eve = await login(second!, "eve");
    await using mia = await login(second!, "mia");
    assertEquals([eve, mia].map(({ received }) => received[0]!.command), ["LOGIN_SUCCESS", "LOGIN_SUCCESS"]);

    const banned = await admin(at, ["ban", "eve", "--for", "2h", "--why", "spam"]);
    assertEquals({ code: banned.code, errors: banned.errors }, { code: 0, errors: "" });
    assertMatch(banned.output, /^eve is banned until .*\n$/);
    const end = await eve.next("END_CONNECTION");
    assertEquals([end.reason, end.reconnect], ["BANNED", "never"]);
    assertMatch(end.info, /^this user is banned until \S+ \S+ UTC: spam$/);
    await using again = await login(second!, "eve");
    assertEquals(again.received[0]!.reason, "BANNED");

    const users = await admin(at, ["users"]);
    assertMatch(users.output, /^USER +ONLINE AT +WAITING +LAST SEEN +KEPT OUT\n/);
    assertMatch(users.output, /\neve +– +– +\S+ +banned until .* \(spam\)\n/);
    assertMatch(users.output, new RegExp(`\nmia +127\\.0\\.0\\.1:${second} +– +now +–\n`));
    const bans = JSON.parse((await admin(at, ["bans", "--json"])).output);
    assertEquals(bans.map(({ kind, about, why, by }: Record<string, string>) => [kind, about, why, by]), [
      ["ban", "eve", "spam", "127.0.0.1"],
    ]);
    assertEquals((await admin(at, ["unban", "eve"])).output, "eve may come in again\n");
    await using back = await login(first!, "eve");
    assertEquals(back.received[0]!.command, "LOGIN_SUCCESS");

    const reset = await admin(at, ["reset", "mia"]);
    const [, secret] = reset.output.match(/^The new secret of mia is ([0-9a-z-]{19})\n/)!;
    assertEquals((await mia.next("END_CONNECTION")).reason, "SECRET_CHANGED");
    await using with_former = await login(second!, "mia");
    assertEquals(with_former.received[0]!.reason, "WRONG_SECRET");
    await using with_new = await login(second!, "mia", secret);
    assertEquals(with_new.received[0]!.command, "LOGIN_SUCCESS");
    // What was shown is in no log and no folder.
    for (const server of servers) assert(!server.errors.includes(secret!) && !server.output.includes(secret!));

    const closed = await admin(at, ["close", "mia"]);
    assertMatch(closed.output, new RegExp(`127\\.0\\.0\\.1:${first} +0 connections ended\n`));
    assertMatch(closed.output, new RegExp(`127\\.0\\.0\\.1:${second} +1 connection ended\n`));
    assertEquals((await with_new.next("END_CONNECTION")).reason, "ENDED_BY_OPERATOR");

    const deleted = await admin(at, ["delete", "mia"]);
    assertEquals(deleted.output, "The account mia is deleted. Nobody gets its name\n");
    await using gone = await login(second!, "mia", secret);
    assertEquals(gone.received[0]!.reason, "UNKNOWN_USER");
    assertMatch((await admin(at, ["servers"])).output, /\n127\.0\.0\.1:\d+ +s-\S+ +linked +\d+ +\S+\n/);
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]();
    await Deno.remove(at.folder, { recursive: true });
  }
});

Deno.test("all servers log as much as an operator says", async () => {
  const { servers, ports: [, second], other: _, ...at } = await network();
  try {
    const { code, output } = await admin(at, ["log-level", "debug"]);
    assertEquals(code, 0);
    assertEquals(output.match(/ done\n/g)?.length, 2);
    await servers[1]!.tells(/logs debug and above/);
    assertEquals((await admin(at, ["log-level", "error"])).code, 0);
    const before = servers[1]!.errors;
    await using client = await login(second!, "anonymous", "");
    assertEquals(client.received[0]!.command, "LOGIN_SUCCESS");
    assertEquals(servers[1]!.errors, before);
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]();
    await Deno.remove(at.folder, { recursive: true });
  }
});

Deno.test("admin takes its token from a file, the environment or the data folder, and never from the command line", async () => {
  const { servers, ports: _, other: _other, ...at } = await network();
  try {
    const token = (await Deno.readTextFile(`${at.folder}/a/http-token`)).trim();
    const elsewhere = ["--data", `${at.folder}/nowhere`];
    const given = await admin(at, ["bans"], { env: { THRUM_HTTP_TOKEN: token }, flags: elsewhere });
    assertEquals(given, { code: 0, output: "none\n", errors: "" });

    const file = `${at.folder}/token`;
    await Deno.writeTextFile(file, `${token}\n`, { mode: 0o600 });
    assertEquals((await admin(at, ["bans"], { flags: ["--token-file", file] })).errors, "");
    await Deno.chmod(file, 0o644);
    const open = await admin(at, ["bans"], { flags: ["--token-file", file] });
    assertEquals([open.code, open.output], [0, "none\n"]);
    assertMatch(open.errors, /^warning: other users of this machine can read ".*token": chmod 600 it\n$/);

    const wrong = await admin(at, ["ban", "eve"], { env: { THRUM_HTTP_TOKEN: "x".repeat(32) }, flags: elsewhere });
    assertEquals(wrong.code, 3);
    assertMatch(wrong.errors, /refuses: this is not the token of this server\n$/);
    const none = await admin(at, ["bans"], { flags: elsewhere });
    assertEquals(none.code, 1);
    assertStringIncludes(none.errors, "THRUM_HTTP_TOKEN");
    const typed = await admin(at, ["bans", "--token", token]);
    assertEquals(typed.code, 1);
    assert(!typed.errors.includes(token), typed.errors);
    // Nothing is said to another machine: the token would go along.
    const clear = await admin({ ...at, http: "192.0.2.1:8080" }, ["bans"]);
    assertEquals([clear.code, clear.output], [1, ""]);
    assertMatch(clear.errors, /The token would go to 192\.0\.2\.1:8080 in clear/);
    const nobody = await admin({ ...at, http: "1" }, ["bans"]);
    assertEquals([nobody.code, nobody.errors], [
      2,
      "thrum-server: No server answers at 127.0.0.1:1: nothing listens there\n",
    ]);
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]();
    await Deno.remove(at.folder, { recursive: true });
  }
});

Deno.test("one token counts at every server, and one that lets its owner look changes nothing", async () => {
  const { servers, ports: [first], other, ...at } = await network();
  const elsewhere = (token: string) => ({
    env: { THRUM_HTTP_TOKEN: token },
    flags: ["--data", `${at.folder}/nowhere`],
  });
  const there = { ...at, http: other };
  const made = async (role: string) => {
    const { output } = await admin(at, ["token", role]);
    return output.match(/^Whoever has ([0-9a-f]{32}) may /)![1]!;
  };
  try {
    await register(first!, "eve");
    const own = (await Deno.readTextFile(`${at.folder}/a/http-token`)).trim();
    assertEquals((await admin(there, ["bans"], elsewhere(own))).code, 3);
    const [act, look] = [await made("act"), await made("look")];
    assertEquals((await admin(there, ["ban", "eve"], elsewhere(act))).output, "eve is banned\n");
    assertMatch((await admin(there, ["bans"], elsewhere(look))).output, /\neve +banned +/);
    const refused = await admin(there, ["unban", "eve"], elsewhere(look));
    assertEquals(refused.code, 3);
    assertMatch(refused.errors, /this token lets its owner look, and change nothing\n$/);
    // What a server keeps of it is no token.
    for (const name of ["a", "b"]) {
      for (const file of Deno.readDirSync(`${at.folder}/${name}`)) {
        if (!file.isFile) continue;
        const bytes = await Deno.readFile(`${at.folder}/${name}/${file.name}`);
        const text = new TextDecoder("latin1").decode(bytes);
        assert(!text.includes(act) && !text.includes(look), `${name}/${file.name} has a token`);
      }
    }
    const next = await made("act");
    assertEquals((await admin(there, ["unban", "eve"], elsewhere(act))).code, 3);
    assertEquals((await admin(there, ["unban", "eve"], elsewhere(next))).code, 0);
    assertEquals((await admin(there, ["end-token", "look"], elsewhere(next))).code, 0);
    assertEquals((await admin(at, ["bans"], elsewhere(look))).code, 3);
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]();
    await Deno.remove(at.folder, { recursive: true });
  }
});

Deno.test("invitations are listed and taken back, and roles are given, at whichever server", async () => {
  const { servers, ports: [first, second], other, ...at } = await network();
  const there = { ...at, http: other, folder: at.folder };
  const elsewhere = (args: readonly string[]) => admin(there, args, { flags: ["--data", `${at.folder}/b`] });
  try {
    const made = await admin(at, ["invite", "3", "--for", "7d", "--note", "class 3"]);
    const [, code] = made.output.match(/^The code is ([a-km-np-z2-9]{26})\n/)!;
    const [, id] = made.output.match(/\nwithdraw ([0-9a-f]{8}) takes it back\.\n$/)!;
    const listed = await elsewhere(["invitations"]);
    assertMatch(listed.output, /^INVITATION +USED +UNTIL +STATE +NOTE +BY\n/);
    assertMatch(listed.output, new RegExp(`\n${id} +0 of 3 +\\S.* +open +class 3 +127\\.0\\.0\\.1\n$`));
    assert(!listed.output.includes(code!));
    const unknown = await elsewhere(["withdraw", "0000"]);
    assertEquals([unknown.code, unknown.output], [3, ""]);
    assertMatch(unknown.errors, /refuses: there is no such invitation\n$/);
    const taken = await elsewhere(["withdraw", id!]);
    assertEquals(taken.output, `Nobody registers with the invitation ${id} any more\n`);
    assertEquals((await admin(at, ["invitations"])).output, "none\n");
    const again = await admin(at, ["withdraw", code!]);
    assertEquals(again.code, 3);
    assert(!again.errors.includes(code!), again.errors);

    await register(first!, "anna");
    await using session = await login(second!, "anna");
    assertEquals(session.received[0]!.command, "LOGIN_SUCCESS");
    const given = await elsewhere(["role", "anna", "teacher", "guide"]);
    assertEquals(given.output, "The roles of anna are named, teacher, guide\n");
    assertMatch((await admin(at, ["roles"])).output, /\nanna +named, teacher, guide +teacher, guide\n$/);
    assertEquals(JSON.parse((await admin(at, ["roles", "anna", "--json"])).output).users, [
      { user: "anna", roles: ["named", "teacher", "guide"], given: ["teacher", "guide"] },
    ]);
    assertMatch((await admin(at, ["role", "nobody", "guide"])).errors, /refuses: there is no user "nobody"\n$/);
    assertEquals((await admin(at, ["role", "anna"])).output, "The roles of anna are named\n");
    assertEquals((await elsewhere(["roles"])).output, "none\n");

    // Who ordered it stands in the audit logs of the servers that were asked, and no code.
    for (const server of servers) await server[Symbol.asyncDispose]();
    const audited = ["a", "b"].map((name) => Deno.readTextFileSync(`${at.folder}/${name}/audit-00000001.jsonl`));
    const kinds = audited.map((text) =>
      text.trimEnd().split("\n").map((line) => JSON.parse(line)).filter(({ by }) => by === "operator")
        .map(({ what, of, more }) => [what, of.slice(0, 8), more?.roles ?? more?.note].join(" "))
    );
    assertEquals(kinds, [
      [`invited ${id} class 3`, "rolesChanged anna "],
      [`invitationWithdrawn ${id} `, "rolesChanged anna teacher guide"],
    ]);
    for (const text of audited) assert(!text.includes(code!));
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]();
    await Deno.remove(at.folder, { recursive: true });
  }
});
