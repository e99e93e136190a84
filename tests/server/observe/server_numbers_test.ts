/** The way of a server's numbers: from its own view over its words into the view that another server shows. */

import { assertEquals } from "@std/assert";
import type { Member } from "../../../server/backplane/member.ts";
import { otherServerView } from "../../../server/observe/other_server.ts";
import { ownServerView } from "../../../server/observe/own_server.ts";
import { receivedView } from "../../../server/observe/received_view.ts";
import type { ServerView } from "../../../view/network_view.ts";
import { type OwnNumbers, SERVER_NUMBERS } from "../../../view/server_numbers.ts";

const NAMES = Object.keys(SERVER_NUMBERS) as (keyof OwnNumbers)[];
const MEMBER: Member = {
  ...{ serverId: "s-2", host: "b", port: 7000, load: 3, weight: 1, online: true, state: "linked", sinceMs: 0 },
  ...{ vector: {}, hasLink: true, linkedTo: new Set<string>() },
};

/** Each number as `valueOf` gives it, by the number's place in the list. */
function numbers<T>(valueOf: (index: number) => T): Record<keyof OwnNumbers, T> {
  return Object.fromEntries(NAMES.map((name, index) => [name, valueOf(index)])) as Record<keyof OwnNumbers, T>;
}

function own(given: OwnNumbers): ServerView {
  return ownServerView({
    ...{ self: { serverId: "s-1", host: "a", port: 7000 }, nowWallMs: 1, startedAt: 1, load: 0, weight: 1 },
    ...{ takesClients: true, vector: {}, lamport: 0, http: "", draining: null, links: [], connections: new Set() },
    ...given,
  }).server;
}

/** What another server shows of one that said `server`. */
function shown(server: object | undefined): Record<keyof OwnNumbers, number | null> {
  const told = server === undefined
    ? undefined
    : receivedView({}, { server: JSON.parse(JSON.stringify(server)) }).server;
  const view = otherServerView(MEMBER, told, 0);
  return Object.fromEntries(NAMES.map((name) => [name, view[name]])) as Record<keyof OwnNumbers, number | null>;
}

Deno.test("each number of a server reaches the page of another server", () => {
  const given = numbers((index) => index + 1);
  assertEquals(shown(own(given)), given);
});

Deno.test("a number that is unknown, missing or wrong is what its list says", () => {
  assertEquals(shown(own(numbers(() => undefined))), SERVER_NUMBERS);
  assertEquals(shown(undefined), SERVER_NUMBERS);
  for (const wrong of ["7", true, {}, [7], null]) assertEquals(shown(numbers(() => wrong)), SERVER_NUMBERS, `${wrong}`);
});
