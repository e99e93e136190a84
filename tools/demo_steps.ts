/**
 * The steps of `demo.ts`: the product at work, on real sockets and real processes, in a few seconds. Each step is
 * something that was seen to happen in the output of the programs themselves; one that does not happen ends the
 * demo with exit code 1.
 */

import { styleFor } from "../platform/terminal.ts";
import { loadTlsInit } from "../server/gateway/tls/load_init.ts";
import { CLIENT_PERMISSIONS, fromSources, SERVER_PERMISSIONS } from "./permissions.ts";
import { type Program, startClient, startServer } from "../tests/support/program.ts";

// Times for people who wait: a fifteenth of the defaults.
const IDLE_SECONDS = 2;
const INTERVAL_SECONDS = 0.6;
const HEARTBEATS = 3;
const MISSED = 5;
// As the tasks and the compiled programs have it.
const SERVER = fromSources(SERVER_PERMISSIONS);
const CLIENT = fromSources(CLIENT_PERMISSIONS);

const { bold, dim, green, red } = styleFor("stdout");
const began = performance.now();
const running: Program[] = [];
const data = await Deno.makeTempDir({ prefix: "thrum-demo-" });
const networkSecret = crypto.randomUUID();

/** Says that a step has happened. */
function done(who: string, what: string): void {
  say(green("✓"), who, what);
}

/** Says that a step is left out, and why. */
function leftOut(who: string, why: string): void {
  say(dim("–"), who, `is left out: ${why}`);
}

function say(mark: string, who: string, what: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(2).padStart(6);
  console.log(`${dim(`${seconds} s`)}  ${mark} ${bold(who.padEnd(6))}  ${what}`);
}

function client(port: string, args: readonly string[], env: Record<string, string> = {}): Program {
  const program = startClient([...args, "--no-prompt", "--port", port], { env, permissions: CLIENT });
  running.push(program);
  return program;
}

async function publish(port: string, activity: unknown): Promise<void> {
  const publisher = client(port, ["publish", JSON.stringify(activity)]);
  const code = await publisher.ended();
  if (code !== 0) throw new Error(`publishing ended with exit code ${code}: ${publisher.errors}`);
}

/** What one server and its clients are handed on as. */
interface One {
  readonly server: Program;
  readonly port: string;
  readonly ada: Program;
  readonly bob: Program;
  /** Ada's, as a client takes it. */
  readonly secret: Readonly<Record<string, string>>;
  readonly east: East;
}

/** A server with a certificate, the authority that has signed it, and another one. */
interface East {
  readonly server: Program;
  readonly ca: string;
  readonly foreignCa: string;
}

/** A server with a data folder of its own. */
function serverAt(folder: string, args: readonly string[]): Program {
  const program = startServer([
    // Nobody is moved but who comes or is lost: on a busy machine ada might be elsewhere before her server is killed.
    ...["--no-prompt", "--no-rebalance", "--data", `${data}/${folder}`],
    ...["--idle", String(IDLE_SECONDS), "--interval", String(INTERVAL_SECONDS), "--heartbeats", String(HEARTBEATS)],
    ...args,
  ], { env: { THRUM_SECRET: networkSecret }, permissions: SERVER });
  running.push(program);
  return program;
}

function another(folder: string, port: string): Program {
  return serverAt(folder, ["--port", "0", "--join", `127.0.0.1:${port}`]);
}

/** A server of its own. It need not listen yet. */
async function startEast(): Promise<East> {
  const { tlsInit } = await loadTlsInit();
  const files = async (name: string) => {
    const folder = `${data}/${name}-tls`;
    return await tlsInit({ folder, name: "server", for: "server", hosts: ["localhost"] }, Date.now(), name);
  };
  const [own, foreign] = [await files("east"), await files("other")];
  const { file: cert, keyFile: key } = own.certificate;
  const config = `${data}/east.json`;
  await Deno.writeTextFile(config, JSON.stringify({ tls: { cert, key } }));
  const server = serverAt("east", ["--port", "0", "--config", config]);
  return { server, ca: own.authority.file, foreignCa: foreign.authority.file };
}

async function portOf(server: Program): Promise<string> {
  const [, port] = await server.sees(/listening on \S+:(\d+)/);
  return port!;
}

/** One server: who is alive, who is not, and who comes back. */
async function demoServer(): Promise<One> {
  const server = serverAt("first", ["--port", "0"]);
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
  await server.tells(/ada connected from/);
  await ada.tells(/connected/);
  done("ada", "logs in and listens");
  await bob.tells(/secret/);
  await server.tells(/bob connected from/);
  done("bob", "is new: his client registers him, shows his secret once, logs in and listens");
  await registration.ended();

  const mute = client(port, ["exchange", "--interval", "60", "--block-heartbeat", "60"]);
  await mute.sees(/echo +Hello, there/);
  done("carl", "is anonymous, says “Hello, there” and gets his own echo");
  await Promise.all([ada.sees(/"Hello, there"/), bob.sees(/"Hello, there"/)]);
  done("all", "ada and bob have received it too, each once");

  // For later: now everybody is silent, and nothing is waited for but time.
  const east = await startEast();

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

  return { server, port, ada, bob, secret, east };
}

/** Two servers more: clients are spread, a server is killed, its clients go on elsewhere, and it comes back. */
async function demoNetwork({ server, port, ada, bob, secret, east }: One): Promise<void> {
  const south = another("south", port);
  const west = another("west", port);
  const [southPort, westPort] = [await portOf(south), await portOf(west)];
  await Promise.all([south, west].map((one) => one.tells(/joined/)));
  await server.tells(/linked with [^]*linked with/);
  done("south", `and west join: servers listen on ${port}, ${southPort} and ${westPort}, each linked to each`);

  const guests = ["dora", "emil", "fay", "gus"];
  for (const name of guests) {
    const guest = client(port, ["listen", "--json", "-u", name]);
    await guest.tells(/connected/);
  }
  await server.tells(/(?:was sent to 127[^]*){4}/);
  done("guests", `${guests.length} more log in at the first server, which sends them on: 2 clients at each`);

  await publish(southPort, { greeting: "from the south" });
  await Promise.all([ada.sees(/from the south/), bob.sees(/from the south/)]);
  done("all", "what somebody publishes at south, ada and bob receive at the first server");

  server.signal("SIGKILL");
  await server.ended();
  done("server", "the first one is killed (kill -9)");
  await Promise.all([ada, bob].map((one) => one.tells(/connected again, to \S+/)));
  done("ada", "and bob are logged in again elsewhere, by themselves");
  for (let n = 1; n <= MISSED; n++) await publish(westPort, { meanwhile: n });
  await Promise.all([ada, bob].map((one) => one.sees(new RegExp(`"meanwhile":${MISSED}\\b`))));
  done("all", `${MISSED} activities are published at west: ada and bob receive them`);

  const again = serverAt("first", ["--port", port]);
  const [, taken] = await again.tells(/joined; servers linked: 2, entries taken from them: (\d+)/);
  done("server", `comes back, finds the others in its data folder, and has taken ${taken} entries from them`);
  for (const one of [ada, bob]) {
    const lines = [...one.output.matchAll(/"(?:news|meanwhile)":(\d+)/g)].map(([, n]) => n).join();
    const all = Array.from({ length: MISSED }, (_, index) => index + 1).join();
    if (lines !== `${all},${all}`) throw new Error(`somebody received ${lines}`);
  }
  done("all", "ada and bob have each activity once, and in order");

  await demoSecret(ada, secret, southPort, westPort);
  const hasTls = await demoCertificate(east);

  const servers = [south, west, again, ...(hasTls ? [east.server] : [])];
  for (const one of servers) one.signal("SIGTERM");
  const ends = await Promise.all(servers.map((one) => one.ended()));
  if (ends.some((end) => end !== 0)) throw new Error(`the servers ended with exit codes ${ends.join(", ")}`);
  done("server", `all ${servers.length} are asked to stop, tell everybody, and have ended with exit code 0`);
}

/** A secret is changed at one server, and counts at all. */
async function demoSecret(
  ada: Program,
  secret: Readonly<Record<string, string>>,
  southPort: string,
  westPort: string,
): Promise<void> {
  const change = client(southPort, ["passwd", "-u", "ada"], secret);
  const [fresh = ""] = await change.sees(/^\S+(?=\n)/);
  if (await change.ended() !== 0) throw new Error(`the secret was not changed: ${change.errors}`);
  await ada.tells(/the account has another secret now/);
  done("ada", "changes her secret at south: her client that listens with the old one is sent away");

  const tried = (THRUM_SECRET: string) => client(westPort, ["publish", "{}", "-u", "ada"], { THRUM_SECRET });
  const [old, renewed] = [tried(secret.THRUM_SECRET!), tried(fresh)];
  await old.tells(/the secret is not the one/);
  const codes = [await old.ended(), await renewed.ended()].join();
  if (codes !== "3,0") throw new Error(`with both secrets the exit codes are ${codes}: ${renewed.errors}`);
  done("ada", "is refused at west with the old secret, and publishes there with the new one");
}

/** Clients by TLS, one of which believes the wrong authority. Returns whether there is TLS to be shown. */
async function demoCertificate({ server, ca, foreignCa }: East): Promise<boolean> {
  let port: string;
  try {
    port = await portOf(server);
  } catch (error) {
    // The server says so itself, and nobody else knows: it may be a compiled program, with any Deno inside.
    if (!server.errors.includes('"tls.port" has to be given')) throw error;
    leftOut("east", "a server that takes TLS on its one port needs Deno 2.8");
    return false;
  }
  done("east", `is a server with a certificate, and listens on ${port}, by TLS and without`);
  const publishing = (ca: string) => client(port, ["publish", "{}", "--tls", "--ca", ca]);
  const [wrong, right] = [publishing(foreignCa), publishing(ca)];
  await wrong.tells(/its certificate is signed by nobody that is believed here/);
  const codes = [await wrong.ended(), await right.ended()].join();
  if (codes !== "2,0") throw new Error(`by TLS the exit codes are ${codes}: ${right.errors}`);
  done("hal", "believes another authority: his client refuses the certificate, and ends with exit code 2");
  done("ines", "believes the one that has signed it, and publishes by TLS");
  return true;
}

let exitCode = 0;
try {
  await demoNetwork(await demoServer());
  console.log(
    `\n${
      green("Everything happened.")
    } Next: deno task server, and deno task client in another terminal; deno task cluster 3 for a network.\n`,
  );
} catch (error) {
  console.error(`\n${red("A step did not happen:")} ${(error as Error).message}\n`);
  exitCode = 1;
} finally {
  for (const program of running) await program[Symbol.asyncDispose]();
  await Deno.remove(data, { recursive: true });
}
Deno.exit(exitCode);
