/** Whether the network is parted, what each side lacks, and how that is drawn and said. */

import { assertEquals } from "@std/assert";
import { layOut } from "../../dashboard/network_graph.js";
import { isParted, partitionInWords, partitionOf } from "../../dashboard/network/reach/partition.js";
import { serverBadge } from "../../dashboard/rows.js";
import type { NetworkView, ServerView } from "../../view/network_view.ts";
import { AT, sampleLink, sampleServer, sampleView } from "./_sample.ts";

const LOST = { state: "dead", isSilent: true, stateSince: AT } as const;
const TIME = new Date(AT).toTimeString().slice(0, 8);

/** A network of "a", "b", …, which "a" sees. */
function networkOf(...servers: Partial<ServerView>[]): NetworkView {
  const named = servers.map((fields, index) => {
    const name = `s${index}`;
    return ["abcdef"[index]!, sampleServer({ name, ...(index === 0 ? { state: "self" } : {}), ...fields })] as const;
  });
  return sampleView({ servers: Object.fromEntries(named) });
}

function edgesOf(view: NetworkView, answers = new Map()): string[] {
  return layOut(view, { width: 300, height: 200 }, answers).edges
    .map(({ from, to, state, text }) => `${from.id}${to.id} ${state} ${text}`);
}

Deno.test("servers whose processes have ended are dead, and no partition", () => {
  const view = networkOf({}, { state: "dead" }, { state: "left" });
  assertEquals(partitionOf(view, new Map()), undefined);
  assertEquals(partitionOf(networkOf({}, { state: "suspect" }), new Map()), undefined);
});

Deno.test("silent servers are the other side of a partition, or stand still: both sides are named, and what is known", () => {
  const links = { b: sampleLink() };
  const view = networkOf(
    { links, vector: { a: 10, b: 5, c: 3 } },
    { links: { a: sampleLink(), c: sampleLink() }, state: "suspect", vector: { a: 10, b: 6, c: 3 } },
    { ...LOST, links: { a: sampleLink(), b: sampleLink() }, vector: { a: 4, b: 5, c: 3 } },
  );
  const partition = partitionOf(view, new Map())!;
  assertEquals([partition.here, partition.there, partition.isSure], [["a", "b"], ["c"], false]);
  assertEquals([partition.hereLacks, partition.thereLacks], [undefined, 7]);
  assertEquals(partitionInWords(partition, view), {
    what: `Partition since ${TIME}, or a server that stands still: s0 and s1 on this side, s2 on the other, silent.`,
    lacks: `This side lacks what the other has accepted since ${TIME}. The other side lacks 7 entries of this one.`,
  });
  // What c said of its links before is true no more, nor is what b said before it fell silent.
  assertEquals(edgesOf(view), ["ab good linked", "ac bad no link", "bc bad no link"]);
});

Deno.test("where the page reaches the other side, it says what each lacks, and draws the links there", () => {
  const view = networkOf(
    { links: { b: sampleLink() }, vector: { a: 10, b: 5, c: 3, d: 1 } },
    { links: { a: sampleLink() }, vector: { a: 9, b: 6, c: 3 } },
    { ...LOST, vector: { a: 4, b: 5, c: 3 } },
    { ...LOST, vector: {} },
  );
  const there = {
    a: sampleServer(LOST),
    c: sampleServer({ state: "self", vector: { a: 8, b: 6, c: 23 }, links: { d: sampleLink() } }),
    d: sampleServer({ vector: { a: 8, d: 4 }, links: { c: sampleLink() } }),
  };
  const answers = new Map([["c", { from: "c", servers: there }], ["d", { from: "d", servers: there }]]);
  const partition = partitionOf(view, answers)!;
  assertEquals([partition.here, partition.there, partition.isSure], [["a", "b"], ["c", "d"], true]);
  assertEquals([partition.hereLacks, partition.thereLacks], [23, 2]);
  assertEquals(partitionInWords(partition, view), {
    what: `Partition since ${TIME}: s0 and s1 on this side, s2 and s3 on the other.`,
    lacks: "This side lacks 23 entries of the other. The other side lacks 2 entries of this one.",
  });
  assertEquals(edgesOf(view, answers).filter((edge) => edge.includes("good")), ["ab good linked", "cd good linked"]);
  assertEquals([isParted(view, "c", answers), isParted(view, "a", answers)], [true, false]);
  assertEquals(serverBadge(view.servers.c!, true).text, "parted");
});

Deno.test("a server that wants its token is known to run, and what it has is not known", () => {
  const view = networkOf({}, LOST);
  const partition = partitionOf(view, new Map([["b", "closed" as const]]))!;
  assertEquals([partition.isSure, partition.hereLacks], [true, undefined]);
});

Deno.test("a server between both sides is named, passes entries on, and shows that nobody is dead", () => {
  const early = networkOf(
    { links: { b: sampleLink() } },
    { links: { a: sampleLink(), c: sampleLink() } },
    { state: "dead", stateSince: AT },
  );
  // What b said of c may be from before.
  assertEquals(partitionOf({ ...early, at: AT + 5_000 }, new Map()), undefined);
  assertEquals(edgesOf({ ...early, at: AT + 5_000 })[2], "bc bad dead");
  const view = { ...early, at: AT + 6_000 };
  const partition = partitionOf(view, new Map())!;
  assertEquals(partitionInWords(partition, view), {
    what: `Partition since ${TIME}: s0 on this side, s2 on the other, s1 between them.`,
    lacks: "s1 passes entries on: neither side has to lack anything.",
  });
  assertEquals(edgesOf(view), ["ab good linked", "ac bad dead", "bc good linked"]);
});

Deno.test("a link that only one end has is in doubt, once the other end has told of its links", () => {
  const told = networkOf({ links: { b: sampleLink(), c: sampleLink() } }, { links: { a: sampleLink() } }, {});
  assertEquals(edgesOf(told), ["ab good linked", "ac good linked", "bc warn no link"]);
  const lost = networkOf(
    { links: { b: sampleLink(), c: sampleLink() } },
    { links: { a: sampleLink() } },
    { links: { b: sampleLink(), a: sampleLink() } },
  );
  assertEquals(edgesOf(lost), ["ab good linked", "ac good linked", "bc warn no link at one end"]);
});
