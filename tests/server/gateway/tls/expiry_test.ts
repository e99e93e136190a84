/** When it is said that a certificate ends, in the log and on a page. */

import { assertEquals } from "@std/assert";
import { certificateNote } from "../../../../dashboard/look/certificate_words.js";
import { expirySentence, expiryStage } from "../../../../server/gateway/tls/expiry.ts";

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 30);

Deno.test("expiryStage() changes 30 and 7 days before the end, and at the end", () => {
  const stages = (leftMs: number) => expiryStage(NOW + leftMs, NOW);
  assertEquals(stages(30 * DAY_MS + 1), "far");
  assertEquals(stages(30 * DAY_MS), "soon");
  assertEquals(stages(7 * DAY_MS + 1), "soon");
  assertEquals(stages(7 * DAY_MS), "near");
  assertEquals(stages(1), "near");
  assertEquals(stages(0), "over");
  assertEquals(stages(-DAY_MS), "over");
});

Deno.test("expirySentence() says how long it is, and what to do", () => {
  const sentence = (leftMs: number) => expirySentence(NOW + leftMs, NOW, () => "DAY");
  const then = "on DAY: renew it (thrum-server tls-init) and send SIGHUP";
  assertEquals(sentence(29.5 * DAY_MS), `ends in 29 days, ${then}`);
  assertEquals(sentence(1.5 * DAY_MS), `ends in 1 day, ${then}`);
  assertEquals(sentence(1_000), `ends within a day, ${then}`);
  assertEquals(
    sentence(0),
    "has ended on DAY: clients refuse it. Renew it (thrum-server tls-init) and send SIGHUP",
  );
});

Deno.test("certificateNote() says the same on a page, and nothing while the end is far or nobody knows it", () => {
  const note = (leftMs: number) => certificateNote(NOW + leftMs, NOW);
  assertEquals(note(31 * DAY_MS), undefined);
  assertEquals(certificateNote(null, NOW), undefined);
  assertEquals(note(30 * DAY_MS), { text: "a certificate ends in 30 days", state: "warn" });
  assertEquals(note(7 * DAY_MS), { text: "a certificate ends in 7 days", state: "bad" });
  assertEquals(note(1), { text: "a certificate ends within a day", state: "bad" });
  assertEquals(note(0), { text: "a certificate has ended", state: "bad" });
});
