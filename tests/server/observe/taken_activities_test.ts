/** What a person who watches a server is shown of a turn. */

import { assertEquals } from "@std/assert";
import type { Segment } from "../../../log/segment.ts";
import { MAX_SHOWN, takenActivities } from "../../../server/observe/taken_activities.ts";

const EVERYONE = { kind: "everyone" } as const;

function segment(origin: string, texts: readonly string[], audience: Segment["audience"] = EVERYONE): Segment {
  const lines = texts.map((text, index) =>
    JSON.stringify({
      command: "ACTIVITY_BROADCAST",
      activity: { text, authenticated_user: "ada" },
      id: `${origin}:${index + 1}`,
      lamport: 5,
      sentAt: 1,
    })
  );
  const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
  return { position: 1, origin, first: 1, last: texts.length, audience, bytes } as Segment;
}

Deno.test("takenActivities() shows what its own clients published, and nothing of other servers or to one user", () => {
  const segments = [
    segment("s-1", ["one", "two"]),
    segment("s-2", ["from elsewhere"]),
    segment("s-1", ["to one"], { kind: "user", username: "bob" }),
  ];
  const { activities, skipped } = takenActivities(segments, "s-1");
  assertEquals(activities.map(({ user, activity }) => [user, activity]), [["ada", { text: "one" }], [
    "ada",
    { text: "two" },
  ]]);
  assertEquals(skipped, 0);
});

Deno.test("takenActivities() shows a bounded number of a turn, and counts the rest", () => {
  const many = Array.from({ length: MAX_SHOWN + 5 }, (_, n) => `${n}`);
  const { activities, skipped } = takenActivities([segment("s-1", many), segment("s-1", ["last"])], "s-1");
  assertEquals(activities.map(({ activity }) => activity), many.slice(0, MAX_SHOWN).map((text) => ({ text })));
  assertEquals(skipped, 6);
});
