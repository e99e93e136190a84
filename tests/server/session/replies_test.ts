/** Answers that wait for the disk with their turn, when the next turn has answers already. */

import { assertEquals } from "@std/assert";
import type { AwaitingCommit } from "../../../server/journal/commit.ts";
import type { Journal } from "../../../server/journal/journal.ts";
import { Replies } from "../../../server/session/replies.ts";

Deno.test("Replies says the answers of a turn when that turn is committed, and not those of the next one", () => {
  const written: string[] = [];
  const waiting: AwaitingCommit[] = [];
  const journal = { whenCommitted: (one: AwaitingCommit) => waiting.push(one) } as unknown as Journal;
  const outlet = {
    write: (bytes: Uint8Array) => {
      written.push(...new TextDecoder().decode(bytes).trim().split("\n").map((line) => JSON.parse(line).sequence));
      return true;
    },
  };
  const owner = { outlet, isGone: false, readOrNot: () => {}, cut: () => {} };
  const replies = new Replies(journal, owner as unknown as ConstructorParameters<typeof Replies>[1]);
  const say = (sequence: number) => replies.sendWithTurn({ command: "HEARTBEAT_ACK", sequence });
  say(1);
  replies.answerWithTurn({ answers: () => say(2) });
  const first = replies.sealed();
  say(3);
  const second = replies.sealed();
  assertEquals([written, replies.isWaiting], [[], true]);
  first.committed();
  assertEquals([written, replies.isWaiting], [[1, 2], true]);
  second.committed();
  assertEquals([written, replies.isWaiting], [[1, 2, 3], false]);
  // A turn that is committed in the call is not sealed.
  say(4);
  waiting.at(-1)!.committed();
  assertEquals([written, replies.isWaiting], [[1, 2, 3, 4], false]);
});
