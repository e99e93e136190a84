/** What the page knows by heart of the protocol, against where that is written. */

import { assertEquals } from "@std/assert";
import { CLIENT_FEATURES } from "../../client/calls/client_parts.ts";
import { DEFAULT_CONFIG } from "../../config/config.ts";
import { ANONYMOUS, MAX_DEPTH, MAX_LINE_BYTES, PAGE_FEATURES } from "../../dashboard/client/lines.js";
import { CLOSE_REASONS as PAGE_REASONS, endSentence, refusalSentence } from "../../dashboard/client/words.js";
import { MAX_ACTIVITY_DEPTH } from "../../protocol/client_codec.ts";
import { CLOSE_REASONS } from "../../protocol/close_reason.ts";
import * as names from "../../protocol/names.ts";

Deno.test("the page knows the reasons for which connections end, word by word", () => {
  assertEquals<unknown>(PAGE_REASONS, CLOSE_REASONS);
});

Deno.test("the page asks for the features that the client library asks for, and knows the same limits", () => {
  assertEquals<unknown>(PAGE_FEATURES, CLIENT_FEATURES);
  assertEquals(ANONYMOUS, names.ANONYMOUS);
  assertEquals([MAX_LINE_BYTES, MAX_DEPTH], [DEFAULT_CONFIG.limits.maxLineBytes, MAX_ACTIVITY_DEPTH]);
});

Deno.test("a reason that only a newer server knows is shown as it is, and the server's own words come first", () => {
  assertEquals(endSentence("SERVER_STOPPING"), "the server is stopping");
  assertEquals(endSentence("SERVER_STOPPING", "bye"), "bye");
  assertEquals(endSentence("MOON_IS_FULL"), "MOON_IS_FULL");
  assertEquals(refusalSentence("toString", "no"), "No.");
  assertEquals(refusalSentence(undefined, "the name is odd"), "The name is odd.");
});
