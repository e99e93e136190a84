import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { beginningOf, CALL_OPTIONS, checkConnectOptions, checkOptions } from "../../../client/calls/known_options.ts";
import type { ConnectOptions } from "../../../client/options.ts";

const HERE = { host: "h", port: 1 };

/** What is wrong with these options, as a program in JavaScript may give them. */
function problem(options: object): string {
  const error = assertThrows(() => checkConnectOptions({ ...HERE, ...options } as ConnectOptions), TypeError);
  return (error as TypeError).message;
}

Deno.test("an option that there is not is refused, with the nearest one that there is", () => {
  for (
    const [options, sentence] of [
      [{ usernam: "ada" }, 'Unknown option "usernam" of connect(); did you mean "username"?'],
      [{ onevent: () => {} }, 'Unknown option "onevent" of connect(); did you mean "onEvent"?'],
      [{ persistant: false }, 'Unknown option "persistant" of connect(); did you mean "persistent"?'],
      [{ servers: [{ hots: "x", port: 1 }] }, 'Unknown option "hots" of "servers" of connect(); did you mean "host"?'],
      [{ reconnect: { maxDelay: 1 } }, '"maxDelay" of "reconnect" of connect(); did you mean "maxDelayMs"?'],
      [{ heartbeatChannel: { ...HERE, prot: 1 } }, 'of "heartbeatChannel" of connect(); did you mean "port"?'],
      [{ colour: "red" }, 'Unknown option "colour" of connect(); known are host, port, servers'],
    ] as const
  ) {
    assertStringIncludes(problem(options), sentence);
  }
  assertThrows(() => checkConnectOptions(undefined as unknown as ConnectOptions), TypeError, "are no object");
  assertThrows(() => checkOptions({ sginal: 1 }, CALL_OPTIONS, "publish()"), TypeError, 'did you mean "signal"?');
});

Deno.test("all options that there are can be given, and undefined ones too", () => {
  checkConnectOptions({
    ...HERE,
    servers: [HERE],
    username: "ada",
    secret: "x",
    register: "ifNew",
    features: ["ack", "resume"],
    from: { s: 1 },
    reads: true,
    receive: "none",
    lamport: 1,
    reconnect: { minDelayMs: 1, maxDelayMs: 1, spreadMs: 1, stableAfterMs: 1, giveUpAfterMs: 1 },
    persistent: false,
    signal: new AbortController().signal,
    connectTimeoutMs: 1,
    maxLineBytes: 1,
    heartbeatChannel: HERE,
    blockHeartbeatMs: 1,
    trace: "t",
    traceLimitBytes: 1,
    onEvent: () => {},
  });
  checkConnectOptions({ ...HERE, reconnect: false });
});

Deno.test("a name needs a secret, and iterators begin at one place that there is", () => {
  assertEquals(problem({ username: "ada" }), 'Cannot log in as "ada": there is no secret');
  assertEquals(beginningOf(HERE, []), "login");
  assertEquals(beginningOf({ ...HERE, from: "now" }, []), "now");
  assertEquals(beginningOf({ ...HERE, receive: "none" }, []), "never");
  assertThrows(() => beginningOf({ ...HERE, receive: "none", from: "now" }, []), TypeError, "Cannot begin anywhere");
  assertEquals(problem({ receive: [] }), '"receive" must be "none", or is left out');
  assertEquals(beginningOf({ ...HERE, from: { s: 4 } }, ["resume"]), { s: 4 });
  assertEquals(beginningOf({ ...HERE, since: { s: 4 } }, ["resume"]), { s: 4 });
  assertThrows(() => beginningOf({ ...HERE, from: { s: 4 } }, []), TypeError, 'without the feature "resume"');
  assertThrows(() => beginningOf({ ...HERE, from: "now", since: {} }, ["resume"]), TypeError, "at both");
  assertThrows(() => beginningOf({ ...HERE, from: "start" as "now" }, []), TypeError, '"login", "now" or a vector');
});
