import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parseClientArguments } from "../../config/client_arguments.ts";
import { UsageError } from "../../config/flags.ts";

/** Why a command line is refused. */
function clientRefusal(...args: string[]): string {
  return assertThrows(() => parseClientArguments(args), UsageError).message;
}

Deno.test("parseClientArguments() takes channels: several for listen, one for publish, none for others", () => {
  const channels = (...args: string[]) => parseClientArguments(["listen", ...args]).listen.channels;
  assertEquals(channels("--channel", "lab/**", "--channel=hall"), ["lab/**", "hall"]);
  assertEquals(channels("--channel", "cafe\u0301"), ["caf\u00e9"]);
  // What has no channel has the empty name. It is no value that was forgotten.
  assertEquals(channels("--channel", "", "--channel", "lab", "--json"), ["", "lab"]);
  assertEquals(channels("--channel=", "--json"), [""]);
  const allowed = "the name of a channel or a pattern: lab, lab/door, lab/*, lab/**, **";
  for (const args of [["--channel", "--json"], ["--channel"], ["--channel", "", "--channel"]]) {
    assertStringIncludes(clientRefusal("listen", ...args), `--channel needs a value, ${allowed}`);
  }
  assertEquals(clientRefusal("listen", "--channel", "a//b"), `--channel must be ${allowed}, not "a//b"`);
  assertEquals(parseClientArguments(["publish", "--channel", "lab/door"]).channel, "lab/door");
  assertEquals(parseClientArguments(["publish"]).channel, undefined);
  assertEquals(
    clientRefusal("publish", "--channel", "lab/*"),
    'publish takes the name of one channel, not "lab/*": the name of a channel has a *',
  );
  assertEquals(
    clientRefusal("publish", "--channel", ""),
    'publish takes the name of one channel, not "": the name of a channel is empty',
  );
  assertEquals(
    clientRefusal("publish", "--channel", "a", "--channel", "b"),
    'publish takes one --channel, not "a" and "b"',
  );
  assertEquals(clientRefusal("send", "bob", "hi", "--channel", "a"), "--channel belongs to publish or listen only");
  assertEquals(parseClientArguments(["publish", "--channel", "lab/*", "--help"]).action, "help");
});
