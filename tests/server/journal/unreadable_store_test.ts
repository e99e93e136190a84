/**
 * "Caught up" is a promise. A store that cannot be read is not one in which nothing is: whichever read of
 * whichever reader fails, everybody has been told a part of what they would have been told otherwise, and then at
 * most that the server ends.
 */

import { assertEquals } from "@std/assert";
import { Guest, type GuestOwner } from "../../../server/guests/guest.ts";
import { nodeCrypto } from "../../../platform/crypto.ts";
import { openMemoryStore } from "../../../server/store/memory_store.ts";
import { type Store, StoreError } from "../../../server/store/store.ts";
import { ANONYMOUS } from "../../../protocol/names.ts";
import type { Received } from "../../support/line_client.ts";
import { type FakeLineClient, NodeWorld, waitFor } from "../../support/node_world.ts";

const SECRET = "of the network";
/** What a store is asked for while it runs. */
const READS: ReadonlySet<string | symbol> = new Set<keyof Store>([
  "segmentsAfter",
  "portionAfter",
  "segmentsBefore",
  "segmentOf",
  "beginning",
  "missing",
  "vectorAt",
  "account",
  "usernames",
  "inboxOf",
  "inboxRange",
  "usedMessageId",
]);

/** What clients and servers are told at the end of this one. */
const ENDS: ReadonlySet<string> = new Set(["SERVER_FAILED", "SERVER_STOPPING"]);

/** A store whose `failing`th read fails, and who read what. */
function failingStore(failing: number): { readonly store: Store; readonly reads: string[] } {
  const inner = openMemoryStore({ serverId: "s-1" });
  const reads: string[] = [];
  const store = new Proxy(inner, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      if (!READS.has(name)) return value.bind(target);
      return (...given: unknown[]) => {
        reads.push(String(name));
        if (reads.length === failing) throw new StoreError(`Cannot ${String(name)}: the disk reports an error`);
        return value.apply(target, given);
      };
    },
  });
  return { store, reads };
}

/** What everybody was told, by a name for each connection; what the dashboard saw; and what of the log a guest got. */
interface Told {
  readonly lines: ReadonlyMap<string, readonly Received[]>;
  readonly guest: readonly unknown[];
  readonly reads: readonly string[];
  readonly reason: string;
}

/** Every kind of reader does what it does, at a server whose `failing`th read fails; none where it is 0. */
async function everyReader(failing: number): Promise<Told> {
  const { store, reads } = failingStore(failing);
  // Every run is to be the same.
  const scrypt = (secret: string) => Promise.resolve(new TextEncoder().encode(secret));
  const crypto = { ...nodeCrypto, scrypt, randomBytes: (length: number) => new Uint8Array(length) };
  // Nothing is kept in memory, so that everything is read.
  const world = await NodeWorld.start({
    limits: { tailBytes: 1, maxPendingBytes: 400 },
    cluster: { secret: SECRET, olderDialect: true, drainMs: 0 },
  }, { store, ticketKey: "0".repeat(64), crypto });
  const clients = new Map<string, FakeLineClient>();
  /** A connection; one that is not there, once the server has come to its end. */
  const connect = async (name: string, ...lines: Received[]): Promise<FakeLineClient | undefined> => {
    if (world.node.state !== "ready") return undefined;
    const client = await world.connect(...lines);
    clients.set(name, client);
    await world.endAllDerivations();
    return client;
  };
  const act = async (run: () => void) => {
    run();
    await world.endAllDerivations();
  };
  for (const username of ["anna", "bert"]) {
    const registered = await connect(`register ${username}`, { command: "REGISTER", username, secret: username });
    registered?.link.destroy();
    await world.settle();
  }
  const plainBert = { command: "LOGIN", username: "bert", secret: "bert" };
  const lost = await connect("bert", plainBert);
  await act(() => lost?.link.pause());
  const talker = await connect("talker", { command: "LOGIN", username: ANONYMOUS, features: ["ack", "chat"] });
  for (let n = 1; n <= 6; n++) {
    const activity = { n, text: "x".repeat(100) };
    await act(() => talker?.send({ command: "ACTIVITY_MESSAGE", activity, username: ANONYMOUS, messageId: `m-${n}` }));
  }
  // What it did not take has to be given to its next connection: where that begins is read.
  await act(() => lost?.link.destroy());
  await connect("bert again", plainBert);
  const bert = await connect("bert with chat", { ...plainBert, features: ["chat", "ack", "resume"] });
  await act(() => bert?.send({ command: "DIRECT_MESSAGE", to: "anna", text: "hello", messageId: "d-1" }));
  await act(() => bert?.send({ command: "DIRECT_MESSAGE", to: "nobody", text: "hello", messageId: "d-2" }));
  const plainAnna = { command: "LOGIN", username: "anna", secret: "anna" };
  await connect("anna with a vector", { ...plainAnna, features: ["resume"], resume: { vector: {} } });
  const anna = await connect("anna", { ...plainAnna, features: ["chat", "resume"], resume: { vector: { "s-1": 4 } } });
  await act(() => anna?.send({ command: "ACK", vector: { "s-1": 99 } }));
  await act(() => anna?.send({ command: "LIST_USERS", scope: "all" }));
  await act(() =>
    anna?.send({ command: "HISTORY", limit: 3 }, { command: "HISTORY", before: "s-1:5", since: "s-1:2" })
  );
  await connect("unknown", { command: "LOGIN", username: "nobody", secret: "x" });
  await connect("taken", { command: "REGISTER", username: "anna", secret: "x" });
  const server = { command: "AUTHENTICATE", secret: SECRET, serverId: "s-2", host: "127.0.0.1", port: 9, lamport: 1 };
  const peer = await connect("peer", { ...server, features: ["thrum/1"], vector: {} });
  await act(() => peer?.send({ command: "WANT", vector: { "s-1": 1 } }));
  await act(() => peer?.send({ command: "LOCK_REQUEST", username: "bert", lamport: 2, origin: "s-2" }));
  const older = await connect("older", { command: "AUTHENTICATE", secret: SECRET, serverId: "older" });
  await act(() => older?.send({ command: "LOCK_REQUEST", username: "anna", secret: "s" }));
  const items: unknown[] = [];
  const owner: GuestOwner = {
    arrived: () => queueMicrotask(() => take()),
    ended: () => {},
  };
  const newcomer = { name: "5001", host: "127.0.0.1", port: 5001, lamport: 1 };
  const entered = world.node.state === "ready" ? world.node.guests.enter<string>(newcomer, owner) : undefined;
  const take = () => {
    if (!(entered instanceof Guest)) return;
    for (let item = entered.take(); item !== undefined; item = entered.take()) items.push(item);
  };
  const looked = world.node.look();
  await act(() =>
    talker?.send({ command: "ACTIVITY_MESSAGE", activity: { n: 7 }, username: ANONYMOUS, messageId: "m-7" })
  );
  // A look that came too late ends too.
  await world.clock.run(2_000);
  await looked;
  // What a server reads that is stopped is not read by one that has failed before.
  const readBefore = [...reads];
  if (failing === 0) await act(() => void world.node.stop());
  const { reason } = await waitFor(world);
  return {
    lines: new Map([...clients].map(([name, { received }]) => [name, received])),
    guest: items,
    reads: readBefore,
    reason,
  };
}

Deno.test("whichever read of the store fails, nobody is told anything that he would not have been told, and all are told that the server ends", async () => {
  const whole = await everyReader(0);
  assertEquals(new Set(whole.reads), READS);
  assertEquals(whole.reason, "stopped");
  for (let failing = 1; failing <= whole.reads.length; failing++) {
    const told = await everyReader(failing);
    const what = `read ${failing}, ${whole.reads[failing - 1]}`;
    assertEquals(told.reason, "failed", what);
    for (const [name, lines] of told.lines) {
      const end = lines.findIndex(({ command, reason }) => command === "END_CONNECTION" && ENDS.has(reason));
      const before = end < 0 ? lines : lines.slice(0, end);
      if (end >= 0) assertEquals(end, lines.length - 1, `${name} was told more after the end, of ${what}`);
      assertEquals(
        before,
        whole.lines.get(name)!.slice(0, before.length),
        `${name} was told something else, of ${what}`,
      );
    }
    assertEquals(told.guest, whole.guest.slice(0, told.guest.length), what);
  }
});
