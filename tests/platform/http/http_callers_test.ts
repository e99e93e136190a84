/** How many connections an HTTP server has at once. */

import { assertEquals } from "@std/assert";
import { EventEmitter } from "node:events";
import { HttpCallers } from "../../../platform/http/http_callers.ts";

class Caller extends EventEmitter {
  readonly #name: string;
  readonly #destroyed: string[];

  constructor(name: string, destroyed: string[]) {
    super();
    this.#name = name;
    this.#destroyed = destroyed;
  }

  destroy(): this {
    this.#destroyed.push(this.#name);
    this.emit("close");
    return this;
  }
}

Deno.test("when there are too many callers the oldest goes; who has gone or became something else is not counted", () => {
  const destroyed: string[] = [];
  const callers = new HttpCallers<Caller>(3);
  const [one, two, three, four, five, six, seven] = ["1", "2", "3", "4", "5", "6", "7"].map((name) =>
    new Caller(name, destroyed)
  ) as [Caller, Caller, Caller, Caller, Caller, Caller, Caller];
  for (const caller of [one, two, three]) callers.add(caller);
  assertEquals(destroyed, []);
  callers.add(four);
  assertEquals(destroyed, ["1"]);
  callers.release(two);
  callers.add(five);
  assertEquals(destroyed, ["1"]);
  three.emit("close");
  callers.add(six);
  assertEquals(destroyed, ["1"]);
  callers.add(seven);
  assertEquals(destroyed, ["1", "4"]);
});
