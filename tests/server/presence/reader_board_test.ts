/** Who reads a channel: boards of several servers that talk with each other, on a fake clock. */

import { assert, assertEquals } from "@std/assert";
import { UNGUARDED } from "../../../platform/faults.ts";
import { PatternSet } from "../../../protocol/channels/pattern_set.ts";
import type { ChannelTalkMessage } from "../../../protocol/peer/channel_talk.ts";
import type { LocalReader } from "../../../server/presence/local_readers.ts";
import { MAX_ASKED_PER_CLIENT, MAX_WATCHED, ReaderBoard } from "../../../server/presence/reader_board.ts";
import { FakeClock } from "../../support/fake_clock.ts";

/** Boards of these names, each linked with all others; what one says arrives when `pass` is called. */
class Boards {
  readonly clock = new FakeClock();
  /** All that was said, as `from>to command channel …`. */
  readonly said: string[] = [];
  readonly #boards = new Map<string, ReaderBoard>();
  readonly #sessions = new Map<string, Set<LocalReader>>();
  readonly #links = new Set<string>();
  #under: (() => void)[] = [];

  constructor(...names: string[]) {
    for (const name of names) this.#sessions.set(name, new Set());
    for (const name of names) {
      this.#boards.set(name, this.#board(name));
      for (const other of names) if (other !== name) this.#links.add(`${name}>${other}`);
    }
  }

  #board(name: string): ReaderBoard {
    return new ReaderBoard({
      named: { serverId: name },
      clock: this.clock,
      faults: UNGUARDED,
      sessions: this.#sessions.get(name)!,
      others: () => [...this.#sessions.keys()].filter((other) => this.#links.has(`${name}>${other}`)),
      say: (message, to) => {
        const { command, channel, ...more } = message;
        this.said.push(`${name}>${to} ${command} ${channel} ${Object.values(more).slice(0, 2).join(" ")}`);
        this.#under.push(() => this.#links.has(`${name}>${to}`) && this.board(to).heard(name, message));
      },
      tick: () => 1,
    });
  }

  board(name: string): ReaderBoard {
    return this.#boards.get(name)!;
  }

  /** What was said arrives, and what is said then. */
  pass(): string[] {
    while (this.#under.length > 0) for (const arrive of this.#under.splice(0)) arrive();
    return this.said.splice(0);
  }

  /** A session begins. Gives how it ends, and how it changes what it reads. */
  come(server: string, username: string, ...patterns: string[]) {
    const board = this.board(server);
    let session: LocalReader = { username, reads: new PatternSet(patterns) };
    const sessions = this.#sessions.get(server)!;
    sessions.add(session);
    board.came(session);
    return {
      reads: (...patterns: string[]) => {
        const [before, after] = [session.reads!, new PatternSet(patterns)];
        sessions.delete(session);
        sessions.add(session = { username, reads: after });
        board.changed(username, before, after);
      },
      goes: (how: "left" | "lost") => {
        sessions.delete(session);
        board.went(session, how);
      },
    };
  }

  /** The way between two servers is gone, or there again. */
  link(a: string, b: string, isThere: boolean): void {
    for (const [from, to] of [[a, b], [b, a]] as const) {
      if (isThere) this.#links.add(`${from}>${to}`);
      else this.#links.delete(`${from}>${to}`);
    }
    for (const [from, to] of [[a, b], [b, a]] as const) {
      if (isThere) this.board(from).met(to);
      else this.board(from).serverGone(to);
    }
  }
}

/** An answer, read. */
interface List {
  readonly users: readonly string[];
  readonly isPartial: boolean;
}

/** A client that asks. */
class Client {
  readonly lists: List[] = [];
  readonly news: string[] = [];

  constructor(readonly board: ReaderBoard, readonly username = "anonymous") {}

  tellPresence(username: string, line: Uint8Array): void {
    const { event, channel } = JSON.parse(new TextDecoder().decode(line));
    if (username !== this.username) this.news.push(`${username} ${event} ${channel}`);
  }

  ask(channel: string, presence?: boolean) {
    return this.board.ask({ channel, presence }, this, (line) => {
      const { users, partial = false } = JSON.parse(new TextDecoder().decode(line));
      this.lists.push({ users, isPartial: partial });
    });
  }
}

function list(...users: string[]): List {
  return { users, isPartial: false };
}

Deno.test("where nobody asks nothing is said, and a question is answered for the whole network", () => {
  const boards = new Boards("a", "b", "c");
  boards.come("a", "anna", "lab/**");
  boards.come("b", "bob", "lab");
  boards.come("b", "anonymous", "lab");
  boards.come("c", "anna", "**");
  boards.come("c", "carl", "hall").goes("left");
  assertEquals(boards.pass(), []);
  const client = new Client(boards.board("a"));
  assertEquals(client.ask("lab"), undefined);
  assertEquals(client.lists, [], "others have not said who reads it there");
  assertEquals(boards.pass(), [
    ...["a>b CHANNEL_WATCH lab true", "a>c CHANNEL_WATCH lab true"],
    ...["b>a CHANNEL_READERS lab bob", "c>a CHANNEL_READERS lab anna"],
  ]);
  assertEquals(client.lists, [list("anna", "bob")]);
  // It is known now. Who asks again costs nobody anything.
  client.ask("lab");
  assertEquals([client.lists.length, boards.pass()], [2, []]);
  boards.board("a").stop();
});

Deno.test("who begins and ends to read is told to who wants it, after the list, and to nobody else", async () => {
  const boards = new Boards("a", "b");
  const [watcher, once, self] = [
    new Client(boards.board("a")),
    new Client(boards.board("a")),
    new Client(boards.board("a"), "bob"),
  ];
  watcher.ask("lab", true);
  once.ask("lab");
  self.ask("lab", true);
  const early = boards.come("b", "bob", "lab");
  assertEquals(watcher.news, []);
  boards.pass();
  assertEquals([watcher.lists, watcher.news], [[list("bob")], []], "the list has it");
  const second = boards.come("a", "bob", "lab/**");
  early.goes("left");
  boards.pass();
  assertEquals(watcher.news, [], "bob reads it elsewhere");
  second.reads("hall");
  boards.come("b", "carl", "lab");
  boards.come("a", "anonymous", "lab");
  boards.pass();
  assertEquals(watcher.news, ["bob left lab", "carl joined lab"]);
  assertEquals([once.news, self.news], [[], ["carl joined lab"]]);
  watcher.ask("lab", false);
  boards.come("a", "dora", "lab");
  assertEquals([watcher.news.length, watcher.lists.length], [2, 2]);
  assertEquals(self.news.at(-1), "dora joined lab");
  boards.board("a").stop();
  await boards.clock.run(0);
});

Deno.test("who is lost has a moment to come back, at whichever server, and one who is gone with a server too", async () => {
  const boards = new Boards("a", "b", "c");
  const watcher = new Client(boards.board("a"));
  const bob = boards.come("b", "bob", "lab");
  const carl = boards.come("c", "carl", "lab");
  watcher.ask("lab", true);
  boards.pass();
  bob.goes("lost");
  boards.pass();
  await boards.clock.run(1_000);
  boards.come("c", "bob", "lab");
  boards.pass();
  await boards.clock.run(5_000);
  assertEquals(watcher.news, []);
  boards.link("a", "c", false);
  await boards.clock.run(1_000);
  assertEquals(watcher.news, []);
  watcher.ask("lab");
  assertEquals(watcher.lists.at(-1), list("bob", "carl"), "who may still come back is listed");
  await boards.clock.run(1_000);
  assertEquals(watcher.news, ["bob lost lab", "carl lost lab"]);
  carl.goes("lost");
  boards.link("a", "c", true);
  boards.pass();
  assertEquals(watcher.news.slice(2), ["bob joined lab"], "the server that is met again says who is there");
  boards.board("a").stop();
});

Deno.test("a server that says nothing is left out after two seconds, and the list says so; what it says later is told", async () => {
  const boards = new Boards("a", "b");
  const client = new Client(boards.board("a"));
  boards.come("a", "anna", "lab");
  boards.come("b", "bob", "lab");
  client.ask("lab", true);
  await boards.clock.run(1_999);
  assertEquals(client.lists, []);
  await boards.clock.run(1);
  assertEquals(client.lists, [{ users: ["anna"], isPartial: true }]);
  client.ask("lab");
  assertEquals(client.lists.at(-1), { users: ["anna"], isPartial: true }, "nobody waits for it again");
  boards.pass();
  assertEquals(client.news, ["bob joined lab"]);
  client.ask("lab");
  assertEquals(client.lists.at(-1), list("anna", "bob"));
  boards.board("a").stop();
});

Deno.test("a channel is watched as long as somebody asks: with the last one that ends, or some time after a question", async () => {
  const boards = new Boards("a", "b");
  const [first, second] = [new Client(boards.board("a")), new Client(boards.board("a"))];
  first.ask("lab", true);
  second.ask("lab", true);
  second.ask("hall");
  boards.pass();
  boards.board("a").gone(first);
  await boards.clock.run(60_000);
  assertEquals(boards.pass(), ["a>b CHANNEL_WATCH hall false"], "lab is still wanted");
  boards.board("a").gone(second);
  assertEquals(boards.pass(), ["a>b CHANNEL_WATCH lab false"]);
  boards.come("b", "bob", "lab");
  assertEquals(boards.pass(), [], "nobody asks any more");
  boards.board("a").gone(second);
  // Who is gone is not answered.
  const gone = new Client(boards.board("a"));
  gone.ask("lab");
  boards.board("a").gone(gone);
  boards.pass();
  await boards.clock.run(60_000);
  assertEquals(gone.lists, []);
});

Deno.test("a link that is lost ends what was asked over it, and a new one asks anew", () => {
  const boards = new Boards("a", "b");
  const watcher = new Client(boards.board("a"));
  watcher.ask("lab", true);
  boards.pass();
  boards.link("a", "b", false);
  boards.come("b", "bob", "lab");
  assertEquals(boards.pass(), []);
  boards.link("a", "b", true);
  assertEquals(boards.pass(), ["a>b CHANNEL_WATCH lab true", "b>a CHANNEL_READERS lab bob"]);
  assertEquals(watcher.news, ["bob joined lab"]);
  // A server that was started anew is met without a loss. What it asked about before counts no more.
  boards.board("b").met("a");
  boards.come("b", "carl", "lab");
  assertEquals(boards.pass(), []);
  boards.board("a").stop();
});

Deno.test("a client asks about a bounded number of channels, a server too, and another server about no more", async () => {
  const boards = new Boards("a", "b");
  const client = new Client(boards.board("a"));
  for (let n = 0; n < MAX_ASKED_PER_CLIENT; n++) assertEquals(client.ask(`c${n}`, n === 0), undefined);
  assertEquals([client.ask("another"), client.ask("c1")], ["client", undefined]);
  boards.pass();
  assertEquals(client.lists.length, MAX_ASKED_PER_CLIENT + 1);
  // Those that it has asked about once are over some time later.
  await boards.clock.run(20_000);
  assertEquals(client.ask("another"), undefined);
  boards.pass();
  let refused: unknown;
  for (let n = 0; refused === undefined && n < 2 * MAX_WATCHED; n++) {
    const other = new Client(boards.board("a"));
    refused = other.ask(`d${n}`);
  }
  assertEquals(refused, "server");
  assert(boards.pass().filter((line) => line.includes("CHANNEL_WATCH")).length <= MAX_WATCHED);
  for (let n = 0; n < 10; n++) {
    const watch: ChannelTalkMessage = { command: "CHANNEL_WATCH", channel: `e${n}`, active: true };
    boards.board("b").heard("a", watch);
  }
  const answered = boards.pass().filter((line) => line.startsWith("b>a CHANNEL_READERS"));
  assertEquals(answered, [], "beyond the bound another server is not answered");
  boards.board("a").stop();
});

Deno.test("many questions of one client about one channel wait for one answer, and no more than a few at a time", () => {
  const boards = new Boards("a", "b");
  const client = new Client(boards.board("a"));
  const refusals = Array.from({ length: MAX_ASKED_PER_CLIENT + 5 }, () => client.ask("lab"));
  assertEquals(refusals.filter((refusal) => refusal === "client").length, 5);
  assertEquals(boards.pass().filter((line) => line.includes("WATCH")).length, 1);
  assertEquals(client.lists.length, MAX_ASKED_PER_CLIENT);
  boards.board("a").stop();
});
