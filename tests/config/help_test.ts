/** What a program tells of itself, all from one table: the help of a command, the manual page, completion. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CLIENT_PROGRAM, SHELLS } from "../../config/client_arguments.ts";
import { commandHelpText, HELP_ROWS } from "../../config/command_help.ts";
import { completionScript } from "../../config/completion_script.ts";
import type { Flag } from "../../config/flags.ts";
import { manualPage } from "../../config/manual_page.ts";
import { SERVER_PROGRAM } from "../../config/server_arguments.ts";

const COMMANDS = Object.keys(CLIENT_PROGRAM.commands).filter((command) => command !== "");
const FLAGS: readonly (readonly [string, Flag<unknown>])[] = Object.entries(CLIENT_PROGRAM.flags);

Deno.test("every command of the client has help of its own, with its flags, on one screen", () => {
  for (const command of COMMANDS) {
    const help = commandHelpText(CLIENT_PROGRAM, command);
    assert(help !== undefined, command);
    const rows = help.trimEnd().split("\n");
    assert(rows.length <= HELP_ROWS, `${command} has ${rows.length} rows`);
    for (const row of rows) assert([...row].length <= 80, row);
    for (const [name, { only }] of FLAGS) {
      assertEquals(
        help.split("\nAlso")[0]!.includes(`\n  --${name} `),
        only?.includes(command) ?? false,
        `${command} --${name}`,
      );
    }
  }
  assertEquals(commandHelpText(CLIENT_PROGRAM, ""), undefined);
  assertEquals(commandHelpText(SERVER_PROGRAM, "drain"), undefined);
});

Deno.test("the manual page has every command, flag and exit code, and no line that is a request by chance", () => {
  for (const program of [CLIENT_PROGRAM, SERVER_PROGRAM]) {
    const page = manualPage(program, "1.2.3");
    for (const name of Object.keys(program.flags)) {
      assertStringIncludes(page, `\\fB\\-\\-${name.replaceAll("-", "\\-")}\\fR`);
    }
    for (const command of Object.keys(program.commands).filter((name) => name !== "")) {
      assertStringIncludes(page, `.TP\n\\fB${command.replaceAll("-", "\\-")}\\fR\n`);
    }
    for (const [code] of program.exitCodes) assertStringIncludes(page, `.TP\n\\fB${code}\\fR\n`);
    for (const line of page.split("\n")) {
      assert(!/^['.]/.test(line) || /^\.(TH|SH|SS|TP|B|br)\b/.test(line), line);
    }
  }
});

Deno.test("the script for each shell has every command and flag", () => {
  for (const shell of SHELLS) {
    const script = completionScript(CLIENT_PROGRAM, shell);
    for (const command of COMMANDS) assertStringIncludes(script, command);
    for (const [name] of FLAGS) assertStringIncludes(script, shell === "fish" ? `-l ${name}` : `--${name}`);
  }
});

const NO_BASH = findBash();
if (NO_BASH !== undefined) console.log(`SKIPPED completion in bash: ${NO_BASH}`);

Deno.test({
  name: "bash completes commands, flags, values and the names that the server of the command line knows",
  ignore: NO_BASH !== undefined,
  async fn() {
    assertEquals(await completed("thrum-client", "pub"), ["publish"]);
    assertEquals(await completed("thrum-client", "send", "b"), ["bob", "bo\\ ris"]);
    assertEquals(await completed("thrum-client", "send", '"bo '), ["bo ris"]);
    assertEquals(await completed("thrum-client", "send", "bob", "x"), []);
    assertEquals(await completed("thrum-client", "--port", "9", "listen", "--from", "x"), ["x--port_9"]);
    assertEquals(await completed("thrum-client", "--host", "a", ":", "9", "-u", "x"), ["x--host_a:9"]);
    assertEquals(await completed("thrum-client", "--port", "=", "9", "-u", "x"), ["x--port_9"]);
    assertEquals(await completed("thrum-client", "completion", ""), ["bash", "zsh", "fish"]);
    assertEquals(await completed("thrum-client", "listen", "--unt"), ["--until-caught-up"]);
    assertEquals(await completed("thrum-client", "send", "--unt"), []);
    assertEquals(await completed("thrum-client", "listen", "--format", "=", "j"), ["json"]);
    assertEquals(await completed("thrum-client", "--message", ""), []);
  },
});

/** What bash offers for the last of `words`. The program knows three users, and one that is named after its server. */
async function completed(...words: string[]): Promise<string[]> {
  const script = `${completionScript(CLIENT_PROGRAM, "bash")}
thrum-client() {
  shift 4
  local IFS=_
  printf '%s\\n' bob "bo ris" ada "x$*"
}
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_thrum_client thrum-client
[ \${#COMPREPLY[@]} = 0 ] || printf '%s\\n' "\${COMPREPLY[@]}"`;
  const command = new Deno.Command("bash", { args: ["--norc", "-c", script, "bash", ...words], stdin: "null" });
  const { stdout, stderr } = await command.output();
  assertEquals(new TextDecoder().decode(stderr), "");
  const text = new TextDecoder().decode(stdout).trimEnd();
  return text === "" ? [] : text.split("\n");
}

function findBash(): string | undefined {
  try {
    const { stdout } = new Deno.Command("bash", { args: ["-c", "echo ${BASH_VERSINFO[0]}"] }).outputSync();
    if (Number(new TextDecoder().decode(stdout)) >= 4) return undefined;
  } catch {
    // The answer is below.
  }
  return "there is no bash 4 or newer";
}
