import { assertEquals } from "@std/assert";
import { Subscriptions } from "../../client/subscriptions.ts";

const FEATURES = ["channels"] as const;

/** A client's subscriptions, what they say, and a vector that they hand on. */
function subscriptions(channels?: readonly string[]) {
  const said: string[] = [];
  const stood: unknown[] = [];
  const all = new Subscriptions(channels, {
    say: ({ command, channels }) => void said.push(`${command} ${channels.join()}`),
  });
  const failures: string[] = [];
  const add = (...wanted: string[]) =>
    all.add({ channels: wanted, failed: ({ message }) => failures.push(`${wanted}: ${message}`) });
  const take = () => said.splice(0);
  return { all, add, take, failures, stood, stands: (vector: unknown) => void stood.push(vector) };
}

Deno.test("what several iterators want is asked for once, and given up with the last of them", () => {
  const { all, add, take } = subscriptions();
  assertEquals(all.login(), undefined, "the server reads what has no channel anyway");
  all.opened(FEATURES);
  const first = add("lab", "hall");
  const second = add("lab");
  assertEquals(take(), ["SUBSCRIBE hall,lab"]);
  first();
  first();
  assertEquals(take(), ["UNSUBSCRIBE hall"]);
  second();
  assertEquals(take(), ["UNSUBSCRIBE lab"]);
});

Deno.test("a login names all that is read, and what changes before its answer is asked for behind it", () => {
  const { all, add, take } = subscriptions(["base"]);
  const over = add("lab");
  assertEquals(all.login(), ["base", "lab"]);
  over();
  add("hall");
  assertEquals(take(), []);
  all.opened(FEATURES);
  assertEquals(take(), ["SUBSCRIBE hall", "UNSUBSCRIBE lab"]);
  assertEquals(all.login(), ["base", "hall"]);
});

Deno.test("a refusal fails who wanted what was asked for, in the order of the questions, and nobody else", () => {
  const { all, add, take, failures, stood, stands } = subscriptions();
  all.login();
  all.opened(FEATURES);
  add("a");
  add("b");
  add("c");
  all.said({ command: "SUBSCRIBED", channels: ["a"], vector: { s: 1 } }, stands);
  all.said({ command: "SUBSCRIBE_FAILED", reason: "TOO_MANY_CHANNELS", info: "too many" }, stands);
  all.said({ command: "POSITION", vector: { s: 2 } }, stands);
  assertEquals(failures, ["b: Cannot read these channels: too many"]);
  assertEquals(stood, [{ s: 1 }, { s: 2 }]);
  take();
  // It can be asked for again.
  add("b");
  assertEquals(take(), ["SUBSCRIBE b"]);
  assertEquals(all.login(), ["", "a", "b", "c"]);
});

Deno.test("where a server knows no channels, who wants one fails; the next server may know them", async () => {
  const { all, add, take, failures } = subscriptions();
  add("a");
  all.login();
  all.opened([]);
  add("b");
  await Promise.resolve();
  assertEquals(failures.map((failure) => failure.slice(0, 2)), ["a:", "b:"]);
  all.login();
  all.opened(FEATURES);
  add("c");
  assertEquals([take(), failures.length], [["SUBSCRIBE c"], 2]);
});

Deno.test("an iterator gives what its own patterns stand for, and one without any what the client reads anyway", () => {
  const { all } = subscriptions(["", "lab"]);
  const activity = (channel?: string) => ({ ...(channel === undefined ? {} : { channel }) }) as never;
  assertEquals([undefined, "lab", "hall"].map((channel) => all.isUsual(activity(channel))), [true, true, false]);
  const part = all.partOf(["hall/**"]);
  assertEquals([undefined, "hall", "hall/1", "lab"].map((channel) => part.isFor(activity(channel))), [
    false,
    true,
    true,
    false,
  ]);
});
