import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { UserLists } from "../../../server/presence/user_lists.ts";

function listsOf(names: string[]) {
  const source = { reads: 0, online: [] as string[], onlineChanges: 0 };
  const lists = new UserLists({
    readUsernames: () => {
      source.reads++;
      return [...names].sort();
    },
    get online() {
      return source.online;
    },
    get onlineChanges() {
      return source.onlineChanges;
    },
  });
  return { lists, source };
}

function usersIn(line: Uint8Array): string[] {
  return JSON.parse(new TextDecoder().decode(line)).users;
}

Deno.test("UserLists: names are read once, and stay in the order of Array.sort whatever comes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "binary" })),
      fc.array(fc.array(fc.string({ unit: "binary" }))),
      (first, later) => {
        const names = [...new Set(first)];
        const { lists, source } = listsOf(names);
        assertEquals(usersIn(lists.line("all")), [...names].sort());
        for (const some of later) {
          lists.registered(some);
          names.push(...some);
          assertEquals(lists.usernames, [...new Set(names)].sort());
          assertEquals([some.every((name) => lists.has(name)), lists.has("zz")], [true, names.includes("zz")]);
        }
        assertEquals(source.reads, 1);
      },
    ),
  );
});

Deno.test("UserLists: what comes before anybody has asked is there when somebody does, once", () => {
  const names = ["bob"];
  const { lists } = listsOf(names);
  names.push("anna");
  lists.registered(["anna"]);
  assertEquals(usersIn(lists.line("all")), ["anna", "bob"]);
});

Deno.test("UserLists: an answer is the same bytes until something has changed", () => {
  const { lists, source } = listsOf(["bob"]);
  const all = lists.line("all");
  const online = lists.line("online");
  lists.registered(["bob"]);
  assertStrictEquals(lists.line("all"), all);
  assertStrictEquals(lists.line("online"), online);
  lists.registered(["anna"]);
  source.online = ["bob"];
  source.onlineChanges++;
  assertEquals(usersIn(lists.line("all")), ["anna", "bob"]);
  assertEquals(usersIn(lists.line("online")), ["bob"]);
});
