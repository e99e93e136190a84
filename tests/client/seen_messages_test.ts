import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { MAX_SEEN_MESSAGES, SeenMessages } from "../../client/seen_messages.ts";

Deno.test("SeenMessages.isNew() knows a message again, and no other user's of the same name", () => {
  const seen = new SeenMessages();
  assertEquals(seen.isNew("ada", "m-1"), true);
  assertEquals(seen.isNew("ada", "m-1"), false);
  assertEquals(seen.isNew("ada", "m-2"), true);
  assertEquals(seen.isNew("bob", "m-1"), true);
  assertEquals(seen.isNew("adam", "-1"), true);
});

Deno.test("SeenMessages remembers the newest, and as many as it says", () => {
  const seen = new SeenMessages();
  const lines = MAX_SEEN_MESSAGES + 5;
  for (let number = 0; number < lines; number++) seen.isNew("ada", `${number}`);
  assertEquals(seen.isNew("ada", `${lines - 1}`), false);
  assertEquals(seen.isNew("ada", "5"), false);
  // Forgotten, and new: it takes the place of number 5.
  assertEquals(seen.isNew("ada", "4"), true);
  assertEquals(seen.isNew("ada", "5"), true);
});

Deno.test("SeenMessages answers as a plain list of the newest would", () => {
  // Around the bound, where a ring can go wrong.
  const numbers = fc.array(fc.nat(30), { maxLength: 60 });
  fc.assert(
    fc.property(numbers, (more) => {
      const seen = new SeenMessages();
      const list: string[] = [];
      const tell = (messageId: string) => {
        const expected = !list.includes(messageId);
        if (expected) list.push(messageId);
        if (list.length > MAX_SEEN_MESSAGES) list.shift();
        assertEquals(seen.isNew("ada", messageId), expected);
      };
      for (let number = 0; number < MAX_SEEN_MESSAGES - 10; number++) {
        seen.isNew("ada", `${number}`);
        list.push(`${number}`);
      }
      for (const number of more) tell(number % 2 === 0 ? `${number}` : `more ${number}`);
    }),
    { numRuns: 20 },
  );
});
