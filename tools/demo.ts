/**
 * `deno task demo`: the product at work, on real sockets and real processes, in a few seconds. Each step is something that was seen to happen in the
 * output of the programs themselves; one that does not happen ends the demo with exit code 1.
 */

import { styleFor } from "../platform/terminal.ts";
import { type Program, startClient, startServer } from "../tests/support/program.ts";

// Times for people who wait: a fifteenth of the defaults.
const IDLE_SECONDS = 2;
const INTERVAL_SECONDS = 0.6;
const HEARTBEATS = 3;
const MISSED = 5;

const { bold, dim, green, red } = styleFor("stdout");
const began = performance.now();
const running: Program[] = [];

/** Says that a step has happened. */
function done(who: string, what: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(2).padStart(6);
  console.log(`${dim(`${seconds} s`)}  ${green("✓")} ${bold(who.padEnd(6))}  ${what}`);
}

function client(port: string, args: readonly string[], env: Record<string, string> = {}): Program {
  const program = startClient([...args, "--no-prompt", "--port", port], { env });
  running.push(program);
  return program;
}

async function publish(port: string, activity: unknown): Promise<void> {
  const publisher = client(port, ["publish", JSON.stringify(activity)]);
  const code = await publisher.ended();
  if (code !== 0) throw new Error(`publishing ended with exit code ${code}: ${publisher.errors}`);
}

async function demo(): Promise<void> {
  const server = startServer([
    ...["--no-prompt", "--port", "0", "--ephemeral"],
    ...["--idle", String(IDLE_SECONDS), "--interval", String(INTERVAL_SECONDS), "--heartbeats", String(HEARTBEATS)],
  ]);
  running.push(server);
  const [, address, port] = await server.sees(/listening on (\S+:(\d+))/) as unknown as [string, string, string];
  done(
    "server",
    `listens on ${address}; after ${IDLE_SECONDS} s without data it sends ${HEARTBEATS} heartbeats, ${INTERVAL_SECONDS} s apart`,
  );

  // Three clients: ada has an account of her own choice, bob one that his client made for him, and the third has none.
  const secret = { THRUM_SECRET: crypto.randomUUID() };
  const registration = client(port, ["register", "-u", "ada"], secret);
  await server.tells(/registered ada/);
  done("ada", "registers");
  const ada = client(port, ["listen", "--json", "-u", "ada"], secret);
  const bob = client(port, ["listen", "--json", "-u", "bob"]);
  await server.tells(/ada logged in/);
  await ada.tells(/connected/);
  done("ada", "logs in and listens");
  await bob.tells(/secret/);
  await server.tells(/bob logged in/);
  done("bob", "is new: his client registers him, shows his secret once, logs in and listens");
  await registration.ended();

  const mute = client(port, ["exchange", "--interval", "60", "--block-heartbeat", "60"]);
  await mute.sees(/echo +Hello, there/);
  done("carl", "is anonymous, says “Hello, there” and gets his own echo");
  await Promise.all([ada.sees(/"Hello, there"/), bob.sees(/"Hello, there"/)]);
  done("all", "ada and bob have received it too, each once");

  await server.tells(/heartbeat answered by ada/);
  const [, milliseconds] = await server.tells(/heartbeat answered by ada \S+ after ([\d.]+) ms/);
  done("ada", `has nothing to say: asked by a heartbeat, she answered in ${milliseconds} ms and stays`);

  // From here two things go on at once: carl answers no heartbeat, and bob's process stands still.
  bob.signal("SIGSTOP");
  done("bob", "stands still: his process is stopped");
  for (let n = 1; n <= HEARTBEATS; n++) await mute.sees(new RegExp(`heartbeat +${n}, not answered`));
  done("carl", `answers none of his ${HEARTBEATS} heartbeats`);
  const code = await mute.ended();
  if (code !== 4) throw new Error(`carl's process ended with exit code ${code}, not 4`);
  await server.tells(/closed by server anonymous .*HEARTBEAT_TIMEOUT/);
  done("carl", "is sent END_CONNECTION (HEARTBEAT_TIMEOUT); his process has ended with exit code 4");

  await server.tells(/closed by server bob .*HEARTBEAT_TIMEOUT/);
  done("bob", "has lost his connection for the same reason");
  const lines = Array.from({ length: MISSED }, (_, index) => ({ news: index + 1 }));
  for (const line of lines.slice(0, 1)) await publish(port, line);
  const publisher = client(port, ["publish"]);
  await publisher.type(lines.slice(1).map((line) => `${JSON.stringify(line)}\n`).join(""));
  await publisher.endInput();
  if (await publisher.ended() !== 0) throw new Error(`publishing failed: ${publisher.errors}`);
  await ada.sees(new RegExp(`"news":${MISSED}\\b`));
  done("ada", `receives ${MISSED} activities that bob misses`);
  bob.signal("SIGCONT");
  await bob.sees(new RegExp(`"news":${MISSED}\\b`));
  const news = [...bob.output.matchAll(/"news":(\d+)/g)].map(([, n]) => Number(n));
  if (news.join() !== lines.map(({ news }) => news).join()) throw new Error(`bob received ${news.join()}`);
  done("bob", `goes on, comes back by himself, and has caught up: ${news.join(", ")}, each once and in order`);

  server.signal("SIGTERM");
  const end = await server.ended();
  if (end !== 0) throw new Error(`the server ended with exit code ${end}: ${server.errors}`);
  done("server", "is asked to stop, tells everybody, and has ended with exit code 0");
}

console.log(`\n${bold("thrum")} in a few seconds: a server and three clients, each a process of its own\n`);
let exitCode = 0;
try {
  await demo();
  console.log(`\n${green("Everything happened.")} Next: deno task server, and deno task client in another terminal.\n`);
} catch (error) {
  console.error(`\n${red("A step did not happen:")} ${(error as Error).message}\n`);
  exitCode = 1;
} finally {
  for (const program of running) await program[Symbol.asyncDispose]();
}
Deno.exit(exitCode);
