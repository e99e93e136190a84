/** The picture of docs/channels.md is what a server does. */

import { assertEquals } from "@std/assert";
import { drawChannels, readByAll } from "./draw_channels.ts";

Deno.test("docs/channels.svg shows what three readers of one log get", async () => {
  const got = await readByAll();
  assertEquals(got, [[1, 4], [2, 5, 6, 8], [1, 2, 3, 4, 5, 6, 7, 8]]);
  const drawn = await Deno.readTextFile(new URL("../../docs/channels.svg", import.meta.url));
  assertEquals(drawn, drawChannels(got), "draw it anew: deno run -A tests/docs/draw_channels.ts");
});
