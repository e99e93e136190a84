import { assertEquals } from "@std/assert";
import {
  channelColumn,
  factsOf,
  isColumnOf,
  mayHave,
  readFacts,
} from "../../../../server/store/channels/channel_column.ts";
import { ChannelLog, reading } from "../../../support/channel_log.ts";

const [segment] = new ChannelLog().turn([
  { channel: "lab" },
  {},
  { channel: "hall" },
  { channel: "lab", text: "!" },
  {},
]);
const COLUMN = "\t10\t5\nhall\t9\t3\nlab\t17\t4";

Deno.test("channelColumn() says of each channel how many bytes it has, and which line is its last", () => {
  assertEquals(channelColumn(segment!), COLUMN);
  assertEquals(readFacts(COLUMN)!.toSorted((a, b) => a.last - b.last), factsOf(segment!));
  const [plain] = new ChannelLog().turn([{}, {}]);
  assertEquals(channelColumn(plain!), null);
});

Deno.test("mayHave() knows from a column what a reader wants, and takes what it does not know for wanted", () => {
  const wants = (column: string, ...patterns: string[]) => mayHave(column, reading(patterns).filter);
  assertEquals(["lab", "hall", "lab/*", "", "**", "l"].map((pattern) => wants(COLUMN, pattern)), [
    ...[true, true, false, true, true, false],
  ]);
  assertEquals(wants("lab\t17\t4", ""), false);
  assertEquals(wants("*", "anything"), true);
  // Of a program that named them only.
  assertEquals(["lab", "", "l"].map((pattern) => wants("hall\nlab", pattern)), [true, true, false]);
  assertEquals([readFacts("*"), readFacts("hall\nlab")], [undefined, undefined]);
});

Deno.test("isColumnOf() sees whether a column and a segment name the same channels", () => {
  const { audience } = segment!;
  const columns = [COLUMN, "*", "hall\nlab", "lab\t17\t4", "hall\t9\t3\nlab\t17\t4\nroom\t1\t1", null];
  assertEquals(columns.map((column) => isColumnOf(column, audience)), [true, true, true, false, false, false]);
  assertEquals([isColumnOf(null, { kind: "everyone" }), isColumnOf(COLUMN, { kind: "everyone" })], [true, false]);
});

Deno.test("channelColumn() names no channels where they are too many", () => {
  const many = Array.from({ length: 400 }, (_, index) => ({ channel: `with/a/long/name/${index}` }));
  assertEquals(channelColumn(new ChannelLog().turn(many)[0]!), "*");
});
