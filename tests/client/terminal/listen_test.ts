import { assertEquals, assertThrows } from "@std/assert";
import type { Listened } from "../../../client/terminal/describe.ts";
import { LateError, ListenProgress } from "../../../client/terminal/listen.ts";
import { parseClientArguments } from "../../../config/client_arguments.ts";

/** A progress for a command line, and whether it is done. */
function listening(line: string, isPast = false) {
  const progress = new ListenProgress(parseClientArguments(`listen ${line}`.trim().split(" ")).listen, isPast);
  let isDone = false;
  void progress.done.then(() => isDone = true);
  return {
    progress,
    isDone: async () => (await Promise.resolve(), isDone),
    /** As the program does; whether it was shown. */
    take(item: Listened): boolean {
      const isShown = progress.lets(item);
      progress.took(item, isShown);
      return isShown;
    },
  };
}

function activityOf(user: string): Listened {
  return { activity: { activity: {}, json: "{}", user, id: "s:1", lamport: 1, sentAt: 0 } };
}

function messageOf(from: string, offline = false): Listened {
  return { message: { from, to: "me", text: "hi", id: "s:1", lamport: 1, sentAt: 0, offline } };
}

const connected = {
  kind: "connected",
  server: { host: "a", port: 1 },
  serverId: "s",
  returned: false,
  missed: 0,
} as const;

Deno.test("listen shows everything, and never ends, when nothing else is asked for", async () => {
  const { take, isDone, progress } = listening("");
  for (let n = 0; n < 3; n++) assertEquals([take(activityOf("ada")), take(messageOf("bob"))], [true, true]);
  progress.on(connected);
  progress.on({ kind: "caughtUp", replayed: 0, offline: 0 });
  progress.late();
  assertEquals([await isDone(), progress.isFull, progress.leftOut], [false, false, undefined]);
});

Deno.test("listen --count counts what was shown, of both kinds, and lets nothing more through", async () => {
  const { take, isDone, progress } = listening("--count 2");
  assertEquals(take(activityOf("ada")), true);
  const second = messageOf("bob");
  assertEquals(progress.lets(second), true);
  // It is being written. What came with it must not be shown beside it.
  assertEquals(progress.lets(messageOf("eve")), false);
  assertEquals(await isDone(), false);
  progress.took(second, true);
  assertEquals(await isDone(), true);
  // Taken from the server, so somebody has to be told.
  assertEquals(progress.leftOut, "direct messages that were taken and not shown: 1 of eve");
});

Deno.test("listen --from shows and counts only what these users say", async () => {
  const { take, isDone, progress } = listening("--from ada --from bob --count 2");
  assertEquals([activityOf("eve"), activityOf("ada"), messageOf("eve"), messageOf("bob")].map(take), [
    false,
    true,
    false,
    true,
  ]);
  assertEquals(await isDone(), true);
  assertEquals(progress.leftOut, "direct messages that were taken and not shown: 1 of eve");
});

Deno.test("listen --until-caught-up ends when all that was missed is shown, not before", async () => {
  const { take, isDone, progress } = listening("--until-caught-up");
  progress.on(connected);
  take(activityOf("ada"));
  progress.on({ kind: "caughtUp", replayed: 2, offline: 1 });
  take(messageOf("bob"));
  take(activityOf("ada"));
  assertEquals(await isDone(), false);
  take(messageOf("bob", true));
  assertEquals(await isDone(), true);

  const nothing = listening("--until-caught-up");
  nothing.progress.on(connected);
  nothing.progress.on({ kind: "caughtUp", replayed: 0, offline: 0 });
  assertEquals(await nothing.isDone(), true);
});

Deno.test("listen --until-caught-up shows the past first, which is not what was missed", async () => {
  const { take, isDone, progress } = listening("--until-caught-up", true);
  progress.on(connected);
  progress.on({ kind: "caughtUp", replayed: 1, offline: 0 });
  const past = activityOf("ada");
  assertEquals(take({ ...past, isPast: true } as Listened), true);
  assertEquals(await isDone(), false);
  progress.pastIsOver();
  assertEquals(await isDone(), false);
  take(activityOf("ada"));
  assertEquals(await isDone(), true);

  const nothing = listening("--until-caught-up", true);
  nothing.progress.on(connected);
  nothing.progress.on({ kind: "caughtUp", replayed: 0, offline: 0 });
  assertEquals(await nothing.isDone(), false);
  nothing.progress.pastIsOver();
  assertEquals(await nothing.isDone(), true);
});

Deno.test("listen --until-caught-up begins anew on a new connection", async () => {
  const { take, isDone, progress } = listening("--until-caught-up");
  progress.on(connected);
  take(activityOf("ada"));
  progress.on({ ...connected, returned: true });
  progress.on({ kind: "caughtUp", replayed: 1, offline: 0 });
  assertEquals(await isDone(), false);
  take(activityOf("ada"));
  assertEquals(await isDone(), true);
});

Deno.test("listen --timeout fails only when something is still waited for", () => {
  const counting = listening("--count 2 --timeout 1");
  counting.take(activityOf("ada"));
  assertThrows(() => counting.progress.late(), LateError, "Only 1 of 2 came in the given time");
  assertThrows(
    () => listening("--until-caught-up --timeout 1").progress.late(),
    LateError,
    "Not everything that was missed came in the given time",
  );
  listening("--timeout 1").progress.late();
});
