/** Who reads a channel at one server, beside the simplest way to know it: a look at all sessions. */

import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { PatternSet } from "../../../protocol/channels/pattern_set.ts";
import { type LocalReader, LocalReaders } from "../../../server/presence/local_readers.ts";

const CHANNELS = ["a", "a/b", "c"];
const wants = fc.array(fc.constantFrom("a", "a/*", "a/**", "**", "c", "", "d"), { maxLength: 3 });
const username = fc.constantFrom("anna", "bob", "anonymous");
const step = fc.oneof(
  fc.record({ kind: fc.constant("came" as const), username, wants: fc.option(wants) }),
  fc.record({ kind: fc.constant("went" as const), which: fc.nat(9) }),
  fc.record({ kind: fc.constant("changed" as const), which: fc.nat(9), wants }),
  fc.record({ kind: fc.constantFrom("begin" as const, "end" as const), channel: fc.constantFrom(...CHANNELS) }),
);

function naive(sessions: readonly LocalReader[], channel: string): string[] {
  const names = sessions.filter(({ username, reads }) => username !== "anonymous" && reads?.wants(channel));
  return [...new Set(names.map(({ username }) => username))].sort();
}

Deno.test("LocalReaders knows at each moment who a look at all sessions would find, and tells each change once", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const readers = new LocalReaders();
      let sessions: LocalReader[] = [];
      const noted = new Map<string, string[]>();
      for (const step of steps) {
        const one = "which" in step ? sessions[step.which % Math.max(1, sessions.length)] : undefined;
        if (step.kind === "begin") {
          readers.begin(step.channel, sessions);
          noted.set(step.channel, naive(sessions, step.channel));
        } else if (step.kind === "end") {
          readers.end(step.channel);
          noted.delete(step.channel);
        } else if (step.kind === "came") {
          const session = {
            username: step.username,
            reads: step.wants === null ? undefined : new PatternSet(step.wants),
          };
          sessions = [...sessions, session];
          apply(noted, readers.came(session));
        } else if (one !== undefined && step.kind === "went") {
          sessions = sessions.filter((each) => each !== one);
          apply(noted, readers.went(one, "lost"));
        } else if (one?.reads !== undefined && step.kind === "changed") {
          const after = new PatternSet(step.wants);
          sessions = sessions.map((each) => each === one ? { ...one, reads: after } : each);
          apply(noted, readers.changed(one.username, one.reads, after));
        }
        for (const [channel, told] of noted) {
          assertEquals(told.toSorted(), naive(sessions, channel), `as it was told of ${channel}`);
          assertEquals(readers.usersOf(channel).toSorted(), told.toSorted());
        }
      }
    }),
    { numRuns: 300 },
  );
});

/** What somebody knows who was told these. */
function apply(noted: Map<string, string[]>, changes: ReturnType<LocalReaders["came"]>): void {
  for (const { channel, username, event } of changes) {
    const users = noted.get(channel)!;
    assertEquals(users.includes(username), event !== "joined", `${username} ${event} ${channel}`);
    noted.set(channel, event === "joined" ? [...users, username] : users.filter((each) => each !== username));
  }
}

Deno.test("who unsubscribes has left, and who ends is lost or has left", () => {
  const readers = new LocalReaders();
  readers.begin("a", []);
  const reads = new PatternSet(["a"]);
  assertEquals(readers.came({ username: "anna", reads }), [{ channel: "a", username: "anna", event: "joined" }]);
  assertEquals(readers.changed("anna", reads, new PatternSet(["a/**"])), []);
  assertEquals(readers.changed("anna", new PatternSet(["a/**"]), new PatternSet([])), [
    { channel: "a", username: "anna", event: "left" },
  ]);
  assertEquals(readers.came({ username: "anna", reads })[0]!.event, "joined");
  assertEquals(readers.went({ username: "anna", reads }, "lost")[0]!.event, "lost");
});
