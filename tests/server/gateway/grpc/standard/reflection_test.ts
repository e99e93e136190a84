/** What tools are told of the door, and that it is what the .proto files say. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { decodeMessage } from "../../../../../server/gateway/grpc/protobuf.ts";
import { DESCRIBED_FILES } from "../../../../../server/gateway/grpc/standard/descriptors.ts";
import { healthAnswer, healthOf } from "../../../../../server/gateway/grpc/standard/health.ts";
import { answerReflection } from "../../../../../server/gateway/grpc/standard/reflection.ts";
import { describedFiles } from "../../../../../tools/grpc_descriptors.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const field = (number: number, content: Uint8Array) => new Uint8Array([number << 3 | 2, content.length, ...content]);
const ERROR = { error: { number: 7, type: { code: { number: 1, type: "int32" } } } } as const;
const FILES = { found: { number: 4, type: { files: { number: 1, type: "bytes", isList: true } } } } as const;
const SERVICES = {
  found: { number: 6, type: { service: { number: 1, type: { name: { number: 1, type: "string" } }, isList: true } } },
} as const;

Deno.test("The descriptors are what the .proto files say", async () => {
  assertEquals(DESCRIBED_FILES, await describedFiles(), "run deno task descriptors");
});

Deno.test("The list of services has those that the door serves; an empty question is one, too", () => {
  for (const asked of ["", "*"]) {
    const request = field(7, utf8(asked));
    const answer = answerReflection(request);
    assertEquals(decodeMessage(SERVICES, answer).found?.service.map(({ name }) => name), [
      "chat.ChittyChatServiceIN",
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
    ]);
    assertEquals(decodeMessage({ request: { number: 2, type: "bytes" } } as const, answer).request, request);
  }
});

Deno.test("A file is found by its name, and by everything that it declares", () => {
  for (const { name, symbols, base64 } of DESCRIBED_FILES) {
    const requests = [field(3, utf8(name)), ...symbols.map((symbol) => field(4, utf8(symbol)))];
    for (const request of requests) {
      const files = decodeMessage(FILES, answerReflection(request)).found?.files;
      assertEquals(files?.map((file) => file.toBase64()), [base64]);
    }
  }
  assert(DESCRIBED_FILES[0]!.symbols.includes("chat.ChittyChatServiceIN.Join"));
});

Deno.test("What is not there gets an error as its answer, and what is no message none", () => {
  const asked: readonly [Uint8Array, number][] = [
    [field(3, utf8("nope.proto")), 5],
    [field(4, utf8("chat.Nope")), 5],
    [field(5, new Uint8Array()), 5],
    [field(6, utf8("chat.Message")), 5],
    [new Uint8Array(), 3],
  ];
  for (const [request, code] of asked) {
    assertEquals(decodeMessage(ERROR, answerReflection(request)).error?.code, code);
  }
  assertThrows(() => answerReflection(new Uint8Array([0x3a, 5])), RangeError);
  assertThrows(() => answerReflection(field(4, new Uint8Array([0xff]))), TypeError);
});

Deno.test("Any bytes get an answer of reflection and of health, or count as no message", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, isReady) => {
    for (const answer of [() => answerReflection(bytes), () => healthAnswer(healthOf(bytes, isReady) ?? 3)]) {
      try {
        assert(answer().length > 0);
      } catch (error) {
        assert(error instanceof RangeError || error instanceof TypeError, `${error}`);
      }
    }
  }));
});

Deno.test("The health is that of the server, for the names that it serves", () => {
  const named = (name: string) => field(1, utf8(name));
  assertEquals(healthOf(new Uint8Array(), true), 1);
  assertEquals(healthOf(new Uint8Array(), false), 2);
  assertEquals(healthOf(named("chat.ChittyChatServiceIN"), true), 1);
  assertEquals(healthOf(named("chat.Nobody"), true), undefined);
  assertEquals([...healthAnswer(2)], [8, 2]);
});
