/**
 * docs/protocol.md and the code say the same: commands, close reasons, features, limits, and every line that is shown.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parseLegacyLine } from "../../server/legacy/legacy_codec.ts";
import { MAX_ACTIVITY_DEPTH, parseClientLine } from "../../protocol/client_codec.ts";
import { CLOSE_REASONS } from "../../protocol/close_reason.ts";
import { MAX_CLOCK_ADVANCE_PER_SECOND, MAX_ENTRY_LAMPORT, MAX_LAMPORT } from "../../protocol/lamport_bounds.ts";
import { parseEntry } from "../../protocol/entry_codec.ts";
import { MAX_MESSAGE_ID_LENGTH } from "../../protocol/fields.ts";
import { COMMANDS, FEATURES } from "../../protocol/message.ts";
import { MAX_SECRET_CHARACTERS, MAX_USERNAME_CHARACTERS } from "../../protocol/names.ts";
import { parsePeerLine } from "../../protocol/peer/peer_codec.ts";
import { PEER_COMMANDS } from "../../protocol/peer/peer_message.ts";
import { parseServerLine } from "../../protocol/server_codec.ts";

const text = read("docs/protocol.md");
const rows = text.split("\n").filter((line) => line.startsWith("| "));
const clientCommands = section("### 2.1");
const serverCommands = section("### 2.2");
const servers = section("## 4.");

Deno.test("docs/protocol.md has a row for every command that the types know", () => {
  const commands = Object.keys(COMMANDS);
  // The compiler finds what the list lacks, and not what it has beyond the types.
  assertEquals(
    new Set(commands),
    new Set(
      [
        "message",
        "ack_message",
        "history_message",
        "channels/channel_message",
        "login/scram_message",
        "login/account_change",
        "presence/presence_message",
      ].flatMap((file) => commandsOf(`protocol/${file}.ts`)),
    ),
  );
  for (const command of commands) {
    assert(rows.some((row) => row.startsWith(`| \`${command}\` |`)), `${command} has no row`);
  }
});

Deno.test("docs/protocol.md shows no command to clients or servers that the code does not know", () => {
  for (const command of commandsIn(clientCommands)) {
    const { info } = { info: "", ...parseClientLine(JSON.stringify({ command })) };
    assert(!info.startsWith("the command is not known"), command);
  }
  for (const command of commandsIn(serverCommands)) {
    assert(parseServerLine(JSON.stringify({ command })) !== undefined, `${command} is no command of a server`);
  }
});

Deno.test("docs/protocol.md has every close reason, with its sentence and its advice", () => {
  for (const [name, { sentence, reconnect }] of Object.entries(CLOSE_REASONS)) {
    const row = rows.find((row) => row.startsWith(`| \`${name}\` | ${sentence} |`));
    assertStringIncludes(row ?? `no row for ${name}: ${sentence}`, `| \`${reconnect}\` |`);
  }
});

Deno.test("docs/protocol.md says how far a server may move the clocks of others", () => {
  const time = section("## 7.");
  assertStringIncludes(time, `by at most ${MAX_CLOCK_ADVANCE_PER_SECOND.toLocaleString("en")} for each second`);
  assertEquals([MAX_LAMPORT, MAX_ENTRY_LAMPORT], [2 ** 50, 2 ** 51]);
  for (const bound of ["2⁵⁰", "2⁵¹"]) assertStringIncludes(time, bound);
});

Deno.test("docs/protocol.md has every feature", () => {
  for (const feature of FEATURES) assertStringIncludes(section("### 2.3"), `\`${feature}\``);
});

Deno.test("docs/protocol.md has the limits of the code", () => {
  const limits = section("## 9.");
  for (
    const [what, limit] of [
      ["username", `${MAX_USERNAME_CHARACTERS} characters`],
      ["secret", `${MAX_SECRET_CHARACTERS} characters`],
      ["depth of an activity", `${MAX_ACTIVITY_DEPTH} levels`],
      ["`messageId`", `${MAX_MESSAGE_ID_LENGTH} UTF-16 units`],
      ["`lamport` of a client", `${MAX_LAMPORT}`],
    ]
  ) {
    assertStringIncludes(limits, `| ${what} | ${limit} |`);
  }
});

Deno.test("every line that docs/protocol.md shows can be read", () => {
  const shown = [...text.replace(servers, "").matchAll(/^ {4}([→←]) (.*)$/gm)];
  assert(shown.length > 20, "the lines are written in another way than this test expects");
  shown.forEach(([, arrow, line], index) => {
    if (arrow === "←") {
      const message = parseServerLine(line!);
      assert(message !== undefined && message.command !== "", line);
    } else {
      // One that the server refuses says so below.
      const isRefused = shown[index + 1]?.[2]?.includes("INVALID_MESSAGE") ?? false;
      assertEquals(parseClientLine(line!).command === "", isRefused, line);
    }
  });
});

Deno.test("every line between servers that docs/protocol.md shows can be read", () => {
  const older = section("### 4.7");
  const shown = [...servers.replace(older, "").matchAll(/^ {4}[→←] (.*)$/gm)].map(([, line]) => line!);
  assert(shown.length > 8, "the lines are written in another way than this test expects");
  for (const line of shown) {
    const message = line.includes('"AUTHENTICATE"')
      ? parseClientLine(line)
      : line.includes("ACTIVITY_BROADCAST")
      ? parseEntry(line)
      : parsePeerLine(line);
    assert(message !== undefined && !("command" in message && message.command === ""), line);
  }
  // Those that are shown whole.
  for (const [, line] of older.matchAll(/^ {4}→ (.*)$/gm)) {
    assert(line!.includes("AUTHENTICATE") || parseLegacyLine(line!, 0).command !== "", line);
  }
});

Deno.test("docs/protocol.md tells of every command between servers", () => {
  const commands = Object.keys(PEER_COMMANDS);
  const typed = ["peer_message", "origin_message", "operate_message", "audit_message", "channel_talk"].flatMap((file) =>
    commandsOf(`protocol/peer/${file}.ts`)
  );
  assertEquals(new Set(commands), new Set(typed));
  for (const command of commands) assertStringIncludes(servers, `\`${command}\``);
});

/** The commands of the types in the file at `path`. */
function commandsOf(path: string): string[] {
  return [...read(path).matchAll(/readonly command: ([^;]+);/g)]
    .flatMap(([, union]) => [...union!.matchAll(/"([A-Z_]+)"/g)].map(([, command]) => command!));
}

function commandsIn(part: string): string[] {
  return [...part.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, command]) => command!);
}

/** The part under the heading that begins with `start`. */
function section(start: string): string {
  const from = text.indexOf(`\n${start}`);
  assert(from >= 0, `there is no heading ${start}`);
  const to = text.indexOf(start.startsWith("###") ? "\n##" : "\n## ", from + start.length);
  return text.slice(from, to < 0 ? undefined : to);
}

function read(path: string): string {
  return Deno.readTextFileSync(new URL(`../../${path}`, import.meta.url));
}
