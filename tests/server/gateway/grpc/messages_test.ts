/** The tables of fields against `chitty_chat.proto`, and against bytes that other implementations write and read. */

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import * as messages from "../../../../server/gateway/grpc/messages.ts";
import { decodeMessage, encodeMessage, type MessageFields } from "../../../../server/gateway/grpc/protobuf.ts";

const { MESSAGE, BROADCAST_REQUEST, SERVICE_IN, SERVICE_OUT } = messages;

const MESSAGES: Readonly<Record<string, MessageFields>> = {
  Message: messages.MESSAGE,
  PublishMessageReply: messages.PUBLISH_MESSAGE_REPLY,
  BroadCastRequest: messages.BROADCAST_REQUEST,
  BroadCastReply: messages.BROADCAST_REPLY,
  JoinRequest: messages.JOIN_REQUEST,
  JoinReply: messages.JOIN_REPLY,
  LeaveRequest: messages.LEAVE_REQUEST,
  LeaveReply: messages.LEAVE_REPLY,
};

Deno.test("The tables say what chitty_chat.proto says, field by field and procedure by procedure", async () => {
  const proto = await Deno.readTextFile(new URL("../../../../server/gateway/grpc/chitty_chat.proto", import.meta.url));
  assertEquals(/^package (\w+);/m.exec(proto)?.[1], "chat");
  const fields: Record<string, unknown> = {};
  for (const [, name, body] of proto.matchAll(/^message (\w+) \{([^}]*)\}/gm)) {
    fields[name!] = Object.fromEntries(
      [...body!.matchAll(/(\w+) (\w+) = (\d+);/g)].map(([, type, field, number]) => [field, `${type} ${number}`]),
    );
  }
  const nameOf = (type: unknown) => Object.keys(MESSAGES).find((name) => MESSAGES[name] === type) ?? type;
  assertEquals(
    Object.fromEntries(
      Object.entries(MESSAGES).map(([name, table]) => [
        name,
        Object.fromEntries(
          Object.entries(table).map(([field, { type, number }]) => [field, `${nameOf(type)} ${number}`]),
        ),
      ]),
    ),
    fields,
  );

  const procedures: Record<string, string[]> = {};
  for (const [, service, body] of proto.matchAll(/^service (\w+) \{([\s\S]*?)^\}/gm)) {
    for (const [, name, request, reply] of body!.matchAll(/rpc (\w+)\((\w+)\) returns \((\w+)\)/g)) {
      procedures[`/chat.${service}/${name}`] = [request!, reply!];
    }
  }
  // Several have the same fields, so one table stands for each of them.
  assertEquals(
    Object.fromEntries([...Object.values(SERVICE_IN), ...Object.values(SERVICE_OUT)].map((procedure) => [
      procedure.path,
      [Object.keys(procedure.request), Object.keys(procedure.reply)],
    ])),
    Object.fromEntries(
      Object.entries(procedures).map(([path, names]) => [path, names.map((name) => Object.keys(MESSAGES[name]!))]),
    ),
  );
});

// Written by Google's implementation, for Python.
const SAMPLES: readonly { readonly fields: MessageFields; readonly value: unknown; readonly hex: string }[] = [
  {
    fields: MESSAGE,
    value: {
      message: "Hej 🌍",
      lamportTime: 300,
      participantID: "1111",
      isPublish: true,
      isJoin: false,
      isLeave: false,
    },
    hex: "0a0848656a20f09f8c8d10ac021a04313131312001",
  },
  {
    fields: BROADCAST_REQUEST,
    value: {
      participantID: "1111",
      message: { message: "", lamportTime: -1, participantID: "", isPublish: false, isJoin: true, isLeave: true },
      lamportTime: 2147483647,
    },
    hex: "0a0431313131120f10ffffffffffffffffff012801300118ffffffff07",
  },
  { fields: BROADCAST_REQUEST, value: { participantID: "", message: undefined, lamportTime: 0 }, hex: "" },
];

Deno.test("Messages are written as others write them, and read", () => {
  for (const { fields, value, hex } of SAMPLES) {
    assertEquals(toHex(encodeMessage(fields, value as never)), hex);
    assertEquals(decodeMessage(fields, fromHex(hex)), value);
  }
});

Deno.test("Whatever is written is read as it was", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 200 });
  const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const message = fc.record({
    message: text,
    lamportTime: int32,
    participantID: text,
    isPublish: fc.boolean(),
    isJoin: fc.boolean(),
    isLeave: fc.boolean(),
  });
  const request = fc.record({
    participantID: text,
    message: fc.option(message, { nil: undefined }),
    lamportTime: int32,
  });
  fc.assert(fc.property(request, (value) => {
    assertEquals(decodeMessage(BROADCAST_REQUEST, encodeMessage(BROADCAST_REQUEST, value)), value);
  }));
});

Deno.test("Unknown fields of every kind are skipped, the last of a scalar counts, parts of a message are put together", () => {
  // Fields 9 (varint), 10 (eight bytes), 11 (text), 12 (four bytes); field 1 as a number, which it is
  // not; then field 1 twice.
  const unknown = "4801" + "510102030405060708" + "5a0161" + "6501020304" + "0805" + "0a0178" + "0a0179";
  assertEquals(decodeMessage(messages.JOIN_REQUEST, fromHex(unknown)), { participantID: "y", lamportTime: 0 });
  const inParts = decodeMessage(BROADCAST_REQUEST, fromHex("12030a0161" + "12021005"));
  assertEquals(inParts.message?.message, "a");
  assertEquals(inParts.message?.lamportTime, 5);
});

Deno.test("Bytes that are no message are refused, and never read beyond their end", () => {
  for (const hex of ["0a05616263", "08", "0affffffff0f61", "0b", "00", "08ffffffffffffffffffff01", "0d010203", "09"]) {
    assertThrows(() => decodeMessage(MESSAGE, fromHex(hex)), RangeError);
  }
  assertThrows(() => decodeMessage(MESSAGE, fromHex("0a01ff")), TypeError);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
    try {
      decodeMessage(BROADCAST_REQUEST, bytes);
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    }
  }));
});

function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
