import { assertEquals } from "@std/assert";
import { Listeners } from "../../../client/calls/listeners.ts";
import type { ClientEvent } from "../../../client/options.ts";

const UNREAD: ClientEvent = { kind: "unread" };
const WAITING: ClientEvent = { kind: "waiting", delayMs: 5 };

Deno.test("several listeners are told, in their order, each of what it wants, until it is removed", () => {
  const listeners = new Listeners();
  const told: string[] = [];
  const add = (name: string, kind?: ClientEvent["kind"], signal?: AbortSignal) =>
    listeners.add(kind, (event) => told.push(`${name} ${event.kind}`), signal);
  const leaving = new AbortController();
  add("a");
  const removeB = add("b", "waiting");
  add("c", undefined, leaving.signal);
  const tellAll = () => {
    told.length = 0;
    listeners.tell(UNREAD);
    listeners.tell(WAITING);
    return told.join(", ");
  };
  assertEquals(tellAll(), "a unread, c unread, a waiting, b waiting, c waiting");
  removeB();
  removeB();
  assertEquals(tellAll(), "a unread, c unread, a waiting, c waiting");
  leaving.abort();
  assertEquals(tellAll(), "a unread, a waiting");
  add("d", undefined, leaving.signal);
  assertEquals(tellAll(), "a unread, a waiting");
});

Deno.test("a listener that is added twice is told twice, and removed once", () => {
  const listeners = new Listeners();
  let told = 0;
  const count = () => void told++;
  const remove = listeners.add(undefined, count);
  listeners.add(undefined, count);
  listeners.tell(UNREAD);
  remove();
  listeners.tell(UNREAD);
  assertEquals(told, 3);
});

Deno.test("a listener may remove another one, which is not told any more, and add one, which is told of the next", () => {
  const listeners = new Listeners();
  const told: string[] = [];
  listeners.add(undefined, () => {
    removeSecond();
    listeners.add(undefined, () => told.push("third"));
  });
  const removeSecond = listeners.add(undefined, () => told.push("second"));
  listeners.tell(UNREAD);
  assertEquals(told, []);
  listeners.tell(UNREAD);
  assertEquals(told, ["third"]);
});

Deno.test("a listener that throws stops no other one, and the program is told as of any unhandled rejection", async () => {
  const listeners = new Listeners();
  const told: string[] = [];
  const unhandled = Promise.withResolvers<unknown>();
  const onUnhandled = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    unhandled.resolve(event.reason);
  };
  globalThis.addEventListener("unhandledrejection", onUnhandled);
  try {
    const fault = new Error("a fault of the program");
    listeners.add(undefined, () => told.push("before"));
    listeners.add(undefined, () => {
      throw fault;
    });
    listeners.add(undefined, () => told.push("after"));
    listeners.tell(UNREAD);
    assertEquals(told, ["before", "after"]);
    assertEquals(await unhandled.promise, fault);
  } finally {
    globalThis.removeEventListener("unhandledrejection", onUnhandled);
  }
});
