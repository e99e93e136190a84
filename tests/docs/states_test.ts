/** docs/states.md, the servers' words and those of the pages are the same, and states of the data have a word. */

import { assert, assertEquals } from "@std/assert";
import { STATE_WORDS as PAGE_WORDS } from "../../dashboard/look/state_words.js";
import type { NodeState } from "../../server/gateway/http/gateway_node.ts";
import type { ConnectionView, ServerState } from "../../view/network_view.ts";
import { STATE_WORDS } from "../../view/state_words.ts";

Deno.test("docs/states.md has a row for each word, and no other", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/states.md", import.meta.url));
  const rows = [...text.matchAll(/^\| (?!word)([a-z ]+) \| (.+) \|$/gm)].map(([, word]) => word);
  assertEquals(rows, Object.values(STATE_WORDS).flatMap((words) => Object.values(words)));
});

Deno.test("the pages have the words of the servers", () => {
  assertEquals(PAGE_WORDS, STATE_WORDS);
});

Deno.test("each state of the data has a word, and no two states of one thing have the same", () => {
  // The compiler finds what is left out.
  const servers: Record<ServerState, string> = STATE_WORDS.server;
  const own: Record<NodeState, string> = STATE_WORDS.own;
  const connections: Record<ConnectionView["state"], string> = STATE_WORDS.connection;
  assert(servers.suspect && own.ready && connections.probing);
  for (const words of Object.values(STATE_WORDS)) {
    assertEquals(new Set(Object.values(words)).size, Object.keys(words).length);
  }
});
