/** Users for whoever looks: what has changed from look to look adds up to what a new view shows. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ObservedUsers } from "../../../server/observe/observed_users.ts";
import { applyPatch } from "../../../view/merge_patch.ts";

/** What is known of users at a moment. */
interface Known {
  readonly online: Readonly<Record<string, readonly string[]>>;
  readonly accounts: readonly string[];
  readonly waiting: Readonly<Record<string, number>>;
  readonly lastSeen: Readonly<Record<string, number>>;
}

const NAMES = ["anna", "bob", "__proto__"];
const username = fc.constantFrom(...NAMES);
const numbers = fc.dictionary(username, fc.integer({ min: 1, max: 3 }));
const known: fc.Arbitrary<Known> = fc.record({
  online: fc.dictionary(username, fc.subarray(["a", "b"], { minLength: 1 })),
  accounts: fc.subarray(NAMES),
  waiting: numbers,
  lastSeen: numbers,
});

Deno.test("changes of users add up to what a new view shows, whatever happens", () => {
  fc.assert(fc.property(fc.array(known, { minLength: 1 }), (moments) => {
    let now = moments[0]!;
    const users = new ObservedUsers({
      online: () => Object.entries(now.online),
      usernames: () => now.accounts,
      hasAccount: (username) => now.accounts.includes(username),
      waiting: () => Object.entries(now.waiting),
      lastSeen: () => Object.entries(now.lastSeen),
    });
    users.look();
    let seen: unknown = users.view();
    for (const next of moments) {
      users.accountsChanged(NAMES.filter((name) => now.accounts.includes(name) !== next.accounts.includes(name)));
      now = next;
      seen = applyPatch(seen, users.look());
      assertEquals(plain(seen), plain(users.view()));
      assertEquals(users.look(), {});
    }
  }));
});

Deno.test("who has registered is told of once, also while offline", () => {
  const users = new ObservedUsers({
    online: () => [],
    usernames: () => [],
    hasAccount: (username) => username !== "carl",
    waiting: () => [],
    lastSeen: () => [],
  });
  users.accountsChanged(["anna"]);
  assertEquals(users.look(), { users: { anna: [] } });
  assertEquals(users.look(), {});
  users.accountsChanged(["carl"]);
  assertEquals(users.look(), { users: { carl: null } });
  users.accountsChanged(["bob"]);
  users.forget();
  assertEquals(users.look(), {});
});

/** Without prototypes, and whatever order names have. */
function plain(view: unknown): unknown {
  const parts = Object.entries(view as Record<string, Record<string, unknown>>);
  return parts.map(([name, part]) => [name, Object.entries(part).toSorted(([one], [other]) => one < other ? -1 : 1)]);
}
