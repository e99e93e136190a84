import { assertEquals } from "@std/assert";
import { Subscriptions } from "../../client/subscriptions.ts";

const FEATURES = ["channels"] as const;

/** A client's subscriptions, what they say, and a vector that they hand on. */
function subscriptions(channels?: readonly string[]) {
  const said: string[] = [];
  const failures: string[] = [];
  const stood: unknown[] = [];
  const all = new Subscriptions(channels, {
    say: ({ command, channels }) => void said.push(`${command} ${channels.join()}`),
  });
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
  assertEquals(take(), ["SUBSCRIBE lab,hall"]);
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

Deno.test("who wants a part of what another one asked for in vain asks for that part", () => {
  const { all, add, take, failures, stands } = subscriptions();
  all.login();
  all.opened(FEATURES);
  add("a", "secret");
  const over = add("a");
  assertEquals(take(), ["SUBSCRIBE a,secret"]);
  all.said({ command: "SUBSCRIBE_FAILED", reason: "NOT_ALLOWED", info: "no" }, stands);
  assertEquals([take(), failures.length], [["SUBSCRIBE a"], 1]);
  all.said({ command: "SUBSCRIBED", channels: ["a"], vector: {} }, stands);
  over();
  assertEquals([take(), failures], [["UNSUBSCRIBE a"], ["a,secret: Cannot read these channels: no"]]);
});

Deno.test("a refusal is of its own question, and not of a later one for the same", () => {
  const { all, add, take, failures, stands } = subscriptions();
  all.login();
  all.opened(FEATURES);
  add("a", "secret")();
  const over = add("a");
  assertEquals(take(), ["SUBSCRIBE a,secret", "UNSUBSCRIBE a,secret", "SUBSCRIBE a"]);
  all.said({ command: "SUBSCRIBE_FAILED", reason: "NOT_ALLOWED", info: "no" }, stands);
  all.said({ command: "UNSUBSCRIBED", channels: ["a", "secret"], vector: {} }, stands);
  all.said({ command: "SUBSCRIBED", channels: ["a"], vector: {} }, stands);
  assertEquals([failures, take()], [[], []]);
  over();
  assertEquals(take(), ["UNSUBSCRIBE a"]);
});

Deno.test("what was asked for while a login was under way is asked for by each by itself", () => {
  const { all, add, take, failures, stands } = subscriptions();
  all.login();
  add("a");
  add("secret");
  all.opened(FEATURES);
  assertEquals(take(), ["SUBSCRIBE a", "SUBSCRIBE secret"]);
  all.said({ command: "SUBSCRIBED", channels: ["a"], vector: {} }, stands);
  all.said({ command: "SUBSCRIBE_FAILED", reason: "NOT_ALLOWED", info: "no" }, stands);
  assertEquals(failures, ["secret: Cannot read these channels: no"]);
  assertEquals(all.login(), ["", "a"]);
});

Deno.test("who may not read what a login names is told so; what is not read any more, and what is, stays as it was", () => {
  const { all, add, take, failures, stands } = subscriptions(["", "base"]);
  add("a");
  add("secret", "b");
  all.login();
  all.opened(FEATURES, ["base", "secret"]);
  assertEquals(failures.splice(0), ['secret,b: Cannot read these channels: the user may not read "secret" here']);
  // The login has named it, and nobody reads it.
  assertEquals(take(), ["UNSUBSCRIBE b"]);
  // Who wants later what the login named in vain learns it, too.
  add("base");
  assertEquals(take(), ["SUBSCRIBE base"]);
  all.said({ command: "UNSUBSCRIBED", channels: ["b"], vector: {} }, stands);
  all.said({ command: "SUBSCRIBE_FAILED", reason: "NOT_ALLOWED", info: "no" }, stands);
  assertEquals([failures, take(), all.login()], [["base: Cannot read these channels: no"], [], ["", "a", "base"]]);
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
