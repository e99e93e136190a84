/** Made-up answers about the past: which of them the checker believes. */

import { assertEquals } from "@std/assert";
import { acknowledged, BEGINNING, broken, ENDS, is, stored, STORED_EVERYWHERE, type Told } from "./made_up_history.ts";

const FORGED = "the past is what was said";
const HOLES = "the past is whole";

/** `c2` asks `s2` at 30 ms, and is told these at 40 ms. */
function told(
  numbers: Readonly<Record<string, number>>,
  more: { limit?: number; before?: string; since?: string; more?: boolean } = {},
): Told[] {
  const activities = Object.entries(numbers).map(([id, n]) => ({ sender: "c1.1", n, id }));
  return [
    [30, "c2", { what: "asks for the past", session: "c2.1", number: 1, server: "s2" }],
    [40, "c2", {
      ...{ what: "was told the past", session: "c2.1", number: 1, limit: 20, more: false },
      ...more,
      activities,
    }],
  ];
}

/** The promises about the past that this breaks, where these are stored at `s2` before the question. */
function brokenPast(answer: readonly Told[], ...before: readonly Told[]): string[] {
  const published: Told = [15, "c1", { what: "published", sender: "c1.1", n: 1 }];
  const history = [...BEGINNING, published, ...STORED_EVERYWHERE, ...before, ...answer];
  const rest = [acknowledged(60, 1, "s1:1"), is("c1"), is("c2"), ...ENDS];
  return broken([...history, ...rest]).filter((promise) => promise.startsWith("the past"));
}

const SECOND = stored(26, "s2", "s1:2", 2);
const THIRD = stored(27, "s2", "s2:1", 3);
const LATE = stored(35, "s2", "s2:2", 4);

Deno.test("a past that is a part of its server's log is believed, with what came after the question or without it", () => {
  for (
    const answer of [
      told({ "s1:1": 1, "s1:2": 2, "s2:1": 3 }),
      told({ "s1:1": 1, "s1:2": 2, "s2:1": 3, "s2:2": 4 }),
      told({ "s1:2": 2, "s2:1": 3 }, { limit: 2, more: true }),
      told({ "s1:1": 1 }, { before: "s1:2" }),
      told({ "s2:1": 3 }, { since: "s1:2" }),
      told({ "s1:2": 2 }, { since: "s1:1", before: "s2:1" }),
      told({}, { since: "s2:1" }),
      told({}, { since: "s2:2", before: "s1:2" }),
    ]
  ) {
    const [asks, is] = answer;
    assertEquals(brokenPast([asks!, LATE, is!], SECOND, THIRD), [], JSON.stringify(is));
  }
});

Deno.test("a past that nobody has said, that is said twice or in another order is not believed", () => {
  assertEquals(brokenPast(told({ "s1:1": 2 })), [FORGED]);
  assertEquals(brokenPast(told({ "s1:9": 1 })), [FORGED]);
  assertEquals(brokenPast(told({ "s1:2": 2, "s1:1": 1 }), SECOND), [FORGED]);
  assertEquals(brokenPast(told({ "s1:1": 1, "s1:2": 2 }, { before: "s1:2" }), SECOND), [FORGED]);
  assertEquals(brokenPast(told({ "s1:1": 1, "s1:2": 2 }, { since: "s1:1" }), SECOND), [FORGED]);
});

Deno.test("a past with a hole, without its end or without its beginning is not whole", () => {
  assertEquals(brokenPast(told({ "s1:1": 1, "s2:1": 3 }), SECOND, THIRD), [HOLES]);
  assertEquals(brokenPast(told({ "s1:1": 1, "s1:2": 2 }), SECOND, THIRD), [HOLES]);
  assertEquals(brokenPast(told({ "s1:2": 2, "s2:1": 3 }), SECOND, THIRD), [HOLES]);
  assertEquals(brokenPast(told({ "s1:1": 1 }, { before: "s2:1", limit: 1, more: true }), SECOND, THIRD), [HOLES]);
  assertEquals(brokenPast(told({}), SECOND), [HOLES]);
});

Deno.test("of a server that lost something, or that the client left meanwhile, only what is forged is told", () => {
  const lost: Told = [28, "s2", { what: "lost entries", ids: ["s1:2"] }];
  assertEquals(brokenPast(told({ "s1:1": 1 }), SECOND, lost), []);
  const [asks, answer] = told({ "s1:1": 1 });
  const left: Told = [35, "c2", { what: "disconnected", session: "c2.1", reason: "", byServer: false }];
  assertEquals(brokenPast([asks!, left, answer!], SECOND), []);
  assertEquals(brokenPast(told({ "s1:1": 7 }), SECOND, lost), [FORGED]);
});
