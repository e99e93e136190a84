/** Compressed answers: who gets them, in which coding, and that each is made once. */

import { assert, assertEquals } from "@std/assert";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { UNGUARDED } from "../../../../platform/faults.ts";
import { compress } from "../../../../platform/http/compression.ts";
import type { HttpReply } from "../../../../platform/http/http_server.ts";
import { codingOf, CompressedReplies } from "../../../../server/gateway/http/compressed.ts";
import { until } from "../../../support/until.ts";
import { request } from "./_world.ts";

const BYTES = new TextEncoder().encode("p { color: red }\n".repeat(200));
const STYLE: HttpReply = { status: 200, headers: { "content-type": "text/css", etag: '"x"' }, body: BYTES };

/** What is answered with `reply` to who takes `accepted`. */
async function answer(
  replies: CompressedReplies,
  reply: HttpReply,
  accepted?: string,
  more: Readonly<Record<string, string>> = {},
): Promise<HttpReply> {
  let answered: HttpReply | undefined;
  const unasked = () => {
    throw new Error("Nobody asks for this here");
  };
  const headers = { ...more, ...(accepted === undefined ? {} : { "accept-encoding": accepted }) };
  replies.around({
    request: request("GET /", headers),
    ...{ body: unasked, stream: unasked, cut: unasked },
    reply: (reply) => void (answered = reply),
  }).reply(reply);
  await until(() => answered !== undefined, "an answer");
  return answered!;
}

Deno.test("the coding is the one that the receiver likes best, and Brotli where it likes both the same", () => {
  const expected: [string | undefined, string | undefined][] = [
    ["gzip, deflate, br, zstd", "br"],
    ["gzip", "gzip"],
    ["GZIP;q=1.0, br;q=0.5", "gzip"],
    ["br;q=0, *", "gzip"],
    ["*", "br"],
    ["*;q=0", undefined],
    ["gzip;q=0.000", undefined],
    ["gzip;q=2", undefined],
    ["identity", undefined],
    ["deflate, zstd, gzipp", undefined],
    ["", undefined],
    [undefined, undefined],
  ];
  for (const [accepted, coding] of expected) assertEquals(codingOf(accepted), coding, accepted);
});

Deno.test("what is sent compressed is the same in another coding, and says so to browsers and caches", async () => {
  const replies = new CompressedReplies(UNGUARDED);
  const decode = { br: brotliDecompressSync, gzip: gunzipSync };
  for (const coding of ["br", "gzip"] as const) {
    const { headers, body } = await answer(
      replies,
      { ...STYLE, headers: { ...STYLE.headers, vary: "Origin" } },
      coding,
    );
    assertEquals(headers, {
      ...STYLE.headers,
      ...{ vary: "Origin, Accept-Encoding", etag: 'W/"x"', "content-encoding": coding },
    });
    assert(body.length < BYTES.length / 10);
    assertEquals(new Uint8Array(decode[coding](body as Uint8Array)), BYTES);
  }
  const metrics = { status: 200, headers: { "content-type": "text/plain; version=0.0.4" }, body: "a 1\n".repeat(500) };
  const scraped = await answer(replies, metrics, "gzip");
  assertEquals(gunzipSync(scraped.body as Uint8Array).toString(), metrics.body);
});

Deno.test("pictures, little, errors, and what is for somebody who takes no coding are sent as they are", async () => {
  const replies = new CompressedReplies(UNGUARDED);
  const picture = { ...STYLE, headers: { "content-type": "image/png" } };
  assertEquals(await answer(replies, picture, "br"), picture);
  const little = await answer(replies, { ...STYLE, body: "p { color: red }" }, "br");
  assertEquals(little.headers, { ...STYLE.headers, vary: "Accept-Encoding" });
  const error = { ...STYLE, status: 404 };
  assertEquals(await answer(replies, error, "br"), error);
  const plain = { ...STYLE, headers: { ...STYLE.headers, vary: "Accept-Encoding" } };
  assertEquals(await answer(replies, STYLE), plain);
  assertEquals(await answer(replies, STYLE, "br", { range: "bytes=0-9" }), plain);
  const unchanged = await answer(replies, { status: 304, headers: { etag: '"x"' }, body: "" }, "br");
  assertEquals(unchanged.headers, { etag: '"x"', vary: "Accept-Encoding" });
});

Deno.test("a file is compressed once for all, and of many at once the rest is sent as it is", async () => {
  const waiting: (() => void)[] = [];
  let made = 0;
  const replies = new CompressedReplies(UNGUARDED, async (...of) => {
    made++;
    await new Promise<void>((resolve) => waiting.push(resolve));
    return compress(...of);
  });
  const others = Array.from({ length: 8 }, () => answer(replies, { ...STYLE, body: BYTES.slice() }, "br"));
  assertEquals((await answer(replies, STYLE, "br")).headers["content-encoding"], undefined);
  for (const go of waiting.splice(0)) go();
  for (const { headers } of await Promise.all(others)) assertEquals(headers["content-encoding"], "br");
  const first = answer(replies, STYLE, "br");
  for (const go of waiting.splice(0)) go();
  const { body } = await first;
  assert((await answer(replies, STYLE, "br")).body === body);
  assertEquals(made, 9);
});

Deno.test("what cannot be compressed is sent as it is", async () => {
  const replies = new CompressedReplies(UNGUARDED, () => Promise.reject(new Error("no memory")));
  for (let n = 0; n < 20; n++) assertEquals((await answer(replies, STYLE, "br")).body, BYTES);
});
