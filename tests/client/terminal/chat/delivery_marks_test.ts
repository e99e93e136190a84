import { assertEquals } from "@std/assert";
import { DeliveryMarks, MAX_UNDELIVERED } from "../../../../client/terminal/chat/delivery_marks.ts";

const hello = { to: "bob", text: "hello" };

Deno.test("DeliveryMarks knows what a message said that is delivered, once", () => {
  const marks = new DeliveryMarks();
  marks.sending();
  assertEquals(marks.stored("s:1", hello), false);
  assertEquals(marks.delivered("s:1"), hello);
  assertEquals(marks.delivered("s:1"), undefined);
});

Deno.test("DeliveryMarks notes what is delivered before it is known to be stored", () => {
  const marks = new DeliveryMarks();
  marks.sending();
  marks.sending();
  assertEquals(marks.delivered("s:1"), undefined);
  assertEquals(marks.stored("s:2", hello), false);
  assertEquals(marks.stored("s:1", hello), true);
});

Deno.test("DeliveryMarks knows nothing of messages that another terminal sent", () => {
  const marks = new DeliveryMarks();
  assertEquals(marks.delivered("s:1"), undefined);
  marks.sending();
  assertEquals(marks.stored("s:1", hello), false);
});

Deno.test("DeliveryMarks forgets what was early when nothing is being sent any more", () => {
  const marks = new DeliveryMarks();
  marks.sending();
  marks.delivered("t:1");
  marks.failed();
  marks.sending();
  assertEquals(marks.stored("t:1", hello), false);
});

Deno.test("DeliveryMarks forgets the oldest of very many", () => {
  const marks = new DeliveryMarks();
  for (let n = 0; n <= MAX_UNDELIVERED; n++) {
    marks.sending();
    marks.stored(`s:${n}`, hello);
  }
  assertEquals([marks.delivered("s:0"), marks.delivered("s:1")], [undefined, hello]);
});
