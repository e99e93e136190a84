/** What is written behind `thrum-server admin`, and what is wrong with it. */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { UsageError } from "../../../../config/flags.ts";
import {
  ADMIN_TASKS,
  adminHelpText,
  type AdminTask,
  readAdminTask,
} from "../../../../server/gateway/admin/admin_task.ts";

Deno.test("readAdminTask() reads each task", () => {
  const tasks: [words: string, task: AdminTask][] = [
    ["users", { kind: "users", names: [] }],
    ["users anna bert", { kind: "users", names: ["anna", "bert"] }],
    ["bans", { kind: "bans" }],
    ["servers", { kind: "servers" }],
    ["connections", { kind: "connections", user: undefined }],
    ["connections anna", { kind: "connections", user: "anna" }],
    ["ban anna", { kind: "rule", rule: "ban", about: "anna", lifts: false }],
    ["unban anna", { kind: "rule", rule: "ban", about: "anna", lifts: true }],
    ["ban-address 10.0.0.0/8", { kind: "rule", rule: "bannedAddress", about: "10.0.0.0/8", lifts: false }],
    ["unban-address ::1", { kind: "rule", rule: "bannedAddress", about: "::1", lifts: true }],
    ["disable anna", { kind: "rule", rule: "disabled", about: "anna", lifts: false }],
    ["enable anna", { kind: "rule", rule: "disabled", about: "anna", lifts: true }],
    ["delete anna", { kind: "rule", rule: "deleted", about: "anna", lifts: false }],
    ["reset anna", { kind: "reset", user: "anna" }],
    ["close anna", { kind: "close", of: { user: "anna" } }],
    ["close-address 10.1.2.3", { kind: "close", of: { address: "10.1.2.3" } }],
    ["close-one s-1 7", { kind: "closeOne", server: "s-1", connection: "7" }],
    ["invite", { kind: "invite", uses: 1 }],
    ["invite 20", { kind: "invite", uses: 20 }],
    ["invitations", { kind: "invitations" }],
    ["withdraw 4be1", { kind: "withdraw", invitation: "4be1" }],
    ["roles", { kind: "roles", names: [] }],
    ["roles anna", { kind: "roles", names: ["anna"] }],
    ["role anna", { kind: "role", user: "anna", roles: [] }],
    ["role anna teacher guide", { kind: "role", user: "anna", roles: ["teacher", "guide"] }],
    ["reload", { kind: "reload", server: undefined }],
    ["reload 127.0.0.1:8000", { kind: "reload", server: "127.0.0.1:8000" }],
    ["secret", { kind: "secret" }],
    ["token look", { kind: "token", role: "look", ends: false }],
    ["end-token act", { kind: "token", role: "act", ends: true }],
    ["log-level debug", { kind: "logLevel", level: "debug" }],
  ];
  for (const [words, task] of tasks) assertEquals(readAdminTask(words.split(" ")), task, words);
  assertEquals(new Set(tasks.map(([words]) => words.split(" ")[0])), new Set(Object.keys(ADMIN_TASKS)));
  assertEquals(readAdminTask(["ban", "anna"], { for: "2h", why: "spam" }), {
    ...{ kind: "rule", rule: "ban", about: "anna", lifts: false },
    ...{ lastsMs: 7_200_000, why: "spam" },
  });
  assertEquals(readAdminTask(["invite"], { for: "7d", note: "class 3" }), {
    ...{ kind: "invite", uses: 1, lastsMs: 604_800_000, note: "class 3" },
  });
});

Deno.test("readAdminTask() says what is wrong with all else", () => {
  const wrong: [words: string[], terms: object, sentence: string][] = [
    [[], {}, "admin needs a task: "],
    [["promote", "anna"], {}, '"promote" is no task of admin'],
    [["ban"], {}, "admin ban takes NAME"],
    [["ban", "a", "b"], {}, "admin ban takes NAME"],
    [["bans", "x"], {}, "admin bans takes nothing more"],
    [["close-one", "s-1"], {}, "admin close-one takes SERVER CONNECTION"],
    [["ban-address", "anna"], {}, '"anna" is no address'],
    [["log-level", "loud"], {}, 'not "loud"'],
    [["invite", "many"], {}, "USES must be a number"],
    [["withdraw"], {}, "admin withdraw takes INVITATION"],
    // Every user of the machine can read command lines.
    [["secret", "open sesame"], {}, "admin secret takes nothing more"],
    [["role"], {}, "admin role takes NAME [ROLE…]"],
    [["ban", "anna"], { note: "x" }, "--note says what an invitation is for"],
    [["token", "root"], {}, "The role must be look or act"],
    [["unban", "anna"], { for: "2h" }, "--for says how long a ban, an invitation or a former secret lasts"],
    [["reset", "anna"], { why: "x" }, "--why says why"],
    [["ban", "anna"], { for: "for ever" }, "--for must be a time span"],
  ];
  for (const [words, terms, sentence] of wrong) {
    const { message } = assertThrows(() => readAdminTask(words, terms), UsageError);
    assertStringIncludes(message, sentence);
  }
});

Deno.test("admin --help names every task", () => {
  const help = adminHelpText("thrum-server", String);
  for (const [name, { does }] of Object.entries(ADMIN_TASKS)) {
    assertStringIncludes(help, `  ${name}`);
    assertStringIncludes(help, does);
  }
});
