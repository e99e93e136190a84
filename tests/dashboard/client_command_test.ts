import { assertEquals } from "@std/assert";
import { parseClientArguments } from "../../config/client_arguments.ts";
import { DEFAULT_CONFIG } from "../../config/config.ts";
import { clientCommand } from "../../dashboard/client_command.js";

const PUBLISH = `publish '{"text":"hello"}'`;

Deno.test("clientCommand() names what the client would not call by itself", () => {
  const { server } = DEFAULT_CONFIG;
  assertEquals(clientCommand("-u ada", server).text, "thrum-client -u ada");
  assertEquals(clientCommand("-u ada", { ...server, port: 8100 }).text, "thrum-client -u ada --port 8100");
  const far = { host: "10.0.0.7", port: 8100 };
  assertEquals(clientCommand("-u ada", far).fromSource, "deno task client -u ada --host 10.0.0.7 --port 8100");
  assertEquals(clientCommand("-u ada", undefined).text, "thrum-client -u ada");
  assertEquals(clientCommand("-u ada", { host: "x; reboot", port: 8000 }).text, "thrum-client -u ada");
});

Deno.test("the client program takes what clientCommand() says", () => {
  const { text } = clientCommand(PUBLISH, { host: "10.0.0.7", port: 8100 });
  const [program, ...args] = text.split(" ").map((word) => word.replaceAll("'", ""));
  assertEquals(program, "thrum-client");
  const { action, activity, layer } = parseClientArguments(args);
  assertEquals<unknown>([action, activity], ["publish", '{"text":"hello"}']);
  assertEquals<unknown>(layer, { server: { host: "10.0.0.7", port: 8100 } });
});
