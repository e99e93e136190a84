/** What `thrum-server admin` asks a person for, and that it sends nothing before it knows all of it. */

import { assertRejects } from "@std/assert";
import { DEFAULT_CONFIG } from "../../../../config/config.ts";
import { UsageError } from "../../../../config/flags.ts";
import { layered } from "../../../../config/load.ts";
import { runAdmin } from "../../../../server/gateway/admin/run_admin.ts";

// Nobody listens there: whoever asked would be told so.
const CONFIG = layered(DEFAULT_CONFIG, {
  gateway: { http: { listen: "127.0.0.1:1", token: "0123456789abcdef" } },
  store: { ephemeral: true },
});

function run(words: readonly string[], answers: string[], secretFile?: string) {
  return runAdmin(CONFIG, {
    ...{ words, for: undefined, why: undefined, note: undefined, json: false, tokenFile: undefined },
  }, {
    nowMs: 0,
    emphasis: { bold: String, dim: String },
    askPerson: () => Promise.resolve(answers.shift() ?? ""),
    secretFile,
    warn: () => {},
  });
}

Deno.test("a new secret is typed twice, and goes nowhere while the two differ", async () => {
  await assertRejects(() => run(["secret"], ["open sesame, open", "open sesame"]), UsageError, "These are two secrets");
  await assertRejects(() => run(["secret"], [""]), UsageError, "No secret was typed");
});

Deno.test("a file with a secret means nothing to another task", async () => {
  await assertRejects(() => run(["bans"], [], "/nowhere"), UsageError, "--secret-file has another secret");
});
