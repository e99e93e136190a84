/**
 * A network between servers that are processes, which can be cut: with a network namespace for each server and one
 * between them that routes, where that is permitted; else with a proxy in front of each server, which forwards what
 * clients send, and what servers send while they are not cut off.
 */

import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import type { Endpoint } from "../../platform/address.ts";

/** Where the servers of a test are, by their number from 0 on. */
export interface SplitNetwork extends AsyncDisposable {
  /** For people: how it is made. */
  readonly kind: string;
  /** Where clients and other servers find server `index`. */
  endpoint(index: number): Endpoint;
  /** What server `index` has to be told to be found there. */
  flags(index: number): readonly string[];
  /** What server `index` is started through. */
  through(index: number): readonly string[];
  /** From now on nothing goes between server `index` and the others, and nobody is told. Clients notice nothing. */
  cut(index: number): Promise<void>;
  /** All of it goes again. */
  heal(): Promise<void>;
}

/** For the benchmarking of networks (RFC 2544): nobody has these addresses. */
const BLOCK = "198.18";
const PORT = 8000;
const ATTEMPTS = 3;
const NEWLINE = 0x0a;

/**
 * A network for `count` servers; a sentence that says why there is none. With `THRUM_TEST_NETWORK=proxy` in the
 * environment it is made of proxies, also where namespaces are permitted.
 */
export async function splitNetwork(count: number): Promise<SplitNetwork | string> {
  let problem = "THRUM_TEST_NETWORK asks for them";
  if (Deno.env.get("THRUM_TEST_NETWORK") !== "proxy") {
    try {
      return await NamespaceNetwork.make(count);
    } catch (error) {
      problem = `no namespaces: ${(error as Error).message}`;
    }
  }
  try {
    return await ProxyNetwork.make(count, `proxies (${problem})`);
  } catch (error) {
    return `${problem}; no proxies: ${(error as Error).message}`;
  }
}

/** `hub` routes between all others; server `index` is in a namespace of its own. Every link is a /30 of one /24. */
class NamespaceNetwork implements SplitNetwork {
  readonly kind = "network namespaces";
  readonly #name: string;
  readonly #net: string;
  readonly #count: number;
  readonly #cuts: string[] = [];

  private constructor(count: number) {
    this.#count = count;
    const [number] = crypto.getRandomValues(new Uint32Array(1));
    this.#name = `thr${number!.toString(36)}`;
    this.#net = `${BLOCK}.${number! % 256}`;
  }

  static async make(count: number): Promise<NamespaceNetwork> {
    for (let attempt = 1;; attempt++) {
      const network = new NamespaceNetwork(count);
      try {
        await network.#make();
        return network;
      } catch (error) {
        await network[Symbol.asyncDispose]();
        // Another test may have the same addresses.
        if (attempt === ATTEMPTS) throw error;
      }
    }
  }

  endpoint(index: number): Endpoint {
    return { host: this.#address(index + 1, 2), port: PORT };
  }

  flags(index: number): readonly string[] {
    return ["--host", this.endpoint(index).host, "--port", String(PORT)];
  }

  through(index: number): readonly string[] {
    return ["ip", "netns", "exec", this.#space(index + 1)];
  }

  async cut(index: number): Promise<void> {
    const rules = [];
    for (let other = 0; other < this.#count; other++) {
      if (other === index) continue;
      rules.push(`iif v${index + 1} to ${this.endpoint(other).host} blackhole`);
      rules.push(`iif v${other + 1} to ${this.endpoint(index).host} blackhole`);
    }
    this.#cuts.push(...rules);
    await ip(["-n", this.#space(0), "-batch", "-"], rules.map((rule) => `rule add ${rule}\n`).join(""));
  }

  async heal(): Promise<void> {
    const rules = this.#cuts.splice(0);
    await ip(["-n", this.#space(0), "-batch", "-"], rules.map((rule) => `rule del ${rule}\n`).join(""));
  }

  /** Removes the namespaces; what is in them goes with them. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (let space = 0; space <= this.#count; space++) {
      // Where making failed it may not be there.
      await ip(["netns", "del", this.#space(space)]).catch(() => {});
    }
  }

  async #make(): Promise<void> {
    const hub = this.#space(0);
    for (let space = 0; space <= this.#count; space++) await ip(["netns", "add", this.#space(space)]);
    await ip(["link", "add", "name", this.#name, "type", "veth", "peer", "name", "v0", "netns", hub]);
    // The machine's end has no address: a new one makes every browser of the machine drop what it is loading. The
    // machine calls from an address that it has already.
    await ip(["link", "set", this.#name, "addrgenmode", "none"]).catch(() => {});
    await ip(["link", "set", this.#name, "up"]);
    const address = this.#address(0, 2);
    await ip(["-n", hub, "-batch", "-"], `addr add ${address}/32 dev v0\nlink set v0 up\nroute add default dev v0\n`);
    await ip(["route", "add", `${this.#net}.0/24`, "via", address, "dev", this.#name, "onlink"]);
    await run(["ip", "netns", "exec", hub, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
    for (let space = 1; space <= this.#count; space++) {
      const own = this.#space(space);
      await ip(["-n", hub, "link", "add", "name", `v${space}`, "type", "veth", "peer", "name", "v", "netns", own]);
      await ip(
        ["-n", hub, "-batch", "-"],
        `addr add ${this.#address(space, 1)}/30 dev v${space}\nlink set v${space} up\n`,
      );
      const rest = [`addr add ${this.#address(space, 2)}/30 dev v`, "link set v up", "link set lo up"];
      await ip(
        ["-n", own, "-batch", "-"],
        `${rest.join("\n")}\nroute add default via ${this.#address(space, 1)}\n`,
      );
    }
  }

  #space(number: number): string {
    return `${this.#name}-${number}`;
  }

  /** Of the link of namespace `space`: side 1 is towards the middle for servers, and towards the test for the hub. */
  #address(space: number, side: 1 | 2): string {
    return `${this.#net}.${4 * space + side}`;
  }
}

/**
 * Each server listens on 127.0.0.1, and is called at another address of this machine, where its proxy
 * listens at the same port.
 */
class ProxyNetwork implements SplitNetwork {
  readonly kind: string;
  readonly #proxies: Server[] = [];
  readonly #routes = new Set<Route>();
  readonly #isCut = new Set<number>();

  private constructor(kind: string) {
    this.kind = kind;
  }

  static async make(count: number, kind: string): Promise<ProxyNetwork> {
    const network = new ProxyNetwork(kind);
    try {
      for (let index = 0; index < count; index++) await network.#listen(index);
      return network;
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  endpoint(index: number): Endpoint {
    return { host: hostOf(index), port: (this.#proxies[index]!.address() as AddressInfo).port };
  }

  flags(index: number): readonly string[] {
    return ["--host", "127.0.0.1", "--port", String(this.endpoint(index).port), "--advertise", hostOf(index)];
  }

  through(): readonly string[] {
    return [];
  }

  cut(index: number): Promise<void> {
    this.#isCut.add(index);
    for (const route of this.#routes) route.look();
    return Promise.resolve();
  }

  heal(): Promise<void> {
    this.#isCut.clear();
    for (const route of this.#routes) route.look();
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const route of this.#routes) route.end();
    await Promise.all(this.#proxies.map((proxy) => new Promise<void>((resolve) => proxy.close(() => resolve()))));
  }

  async #listen(index: number): Promise<void> {
    const proxy = createServer((caller) => {
      const route = new Route(caller, this.endpoint(index).port, (callerPort) => this.#isOpen(index, callerPort));
      this.#routes.add(route);
      caller.on("close", () => this.#routes.delete(route));
    });
    await new Promise<void>((resolve, reject) => {
      proxy.once("error", reject);
      proxy.listen({ host: hostOf(index), port: 0 }, resolve);
    });
    this.#proxies.push(proxy);
  }

  /** Whether what the server that listens at `callerPort` says reaches server `index`. */
  #isOpen(index: number, callerPort: number): boolean {
    const caller = this.#proxies.findIndex((_, other) => this.endpoint(other).port === callerPort);
    return !this.#isCut.has(index) && !this.#isCut.has(caller);
  }
}

/**
 * A connection through a proxy. Its first line says whether a server has made it. Which one it is stands in that line,
 * or in the next one that the server says, with its proof.
 */
class Route {
  readonly #caller: Socket;
  readonly #port: number;
  readonly #isOpen: (callerPort: number) => boolean;
  #callerPort: number | undefined;
  #first: Uint8Array = new Uint8Array();
  #isServer = false;
  /** What came while it was not known whether it goes on. */
  #held: Uint8Array[] = [];
  #server: Socket | undefined;

  constructor(caller: Socket, port: number, isOpen: (callerPort: number) => boolean) {
    this.#caller = caller;
    this.#port = port;
    this.#isOpen = isOpen;
    caller.setNoDelay(true);
    caller.on("error", () => {});
    const onData = (bytes: Uint8Array) => {
      this.#first = Uint8Array.from([...this.#first, ...bytes]);
      if (!bytes.includes(NEWLINE)) return;
      caller.off("data", onData);
      caller.pause();
      const text = new TextDecoder().decode(this.#first);
      this.#isServer = text.startsWith('{"command":"AUTHENTICATE"');
      this.#learn(text);
      this.look();
    };
    caller.on("data", onData);
  }

  /** Goes on, or stops, as it is now. */
  look(): void {
    if (this.#isShut) {
      this.#caller.pause();
      this.#server?.pause();
    } else if (this.#server !== undefined) {
      for (const bytes of this.#held.splice(0)) this.#server.write(bytes);
      this.#caller.resume();
      this.#server.resume();
    } else if (this.#caller.isPaused() && !this.#caller.destroyed) this.#forward();
  }

  end(): void {
    this.#caller.destroy();
    this.#server?.destroy();
  }

  get #isShut(): boolean {
    return this.#callerPort !== undefined && !this.#isOpen(this.#callerPort);
  }

  /** Which server it is, if `text` says so. */
  #learn(text: string): void {
    const port = this.#isServer && this.#callerPort === undefined ? /"port":(\d+)/.exec(text)?.[1] : undefined;
    if (port !== undefined) this.#callerPort = Number(port);
  }

  #forward(): void {
    const caller = this.#caller;
    const server = connect({ host: "127.0.0.1", port: this.#port });
    this.#server = server;
    server.setNoDelay(true);
    server.write(this.#first);
    // Without `pipe`, which would go on by itself after a pause. What a test sends is little: nothing need wait.
    caller.on("data", (bytes: Uint8Array) => {
      if (this.#isServer && this.#callerPort === undefined) this.#learn(new TextDecoder().decode(bytes));
      this.#held.push(bytes);
      this.look();
    });
    server.on("data", (bytes: Uint8Array) => void caller.write(bytes));
    caller.on("end", () => server.end());
    server.on("end", () => caller.end());
    server.on("error", () => {});
    caller.on("close", () => server.destroy());
    server.on("close", () => caller.destroy());
    caller.resume();
  }
}

/** In 127.0.0.0/8, where each address is this machine. */
function hostOf(index: number): string {
  return `127.0.1.${index + 1}`;
}

function ip(args: readonly string[], input = ""): Promise<void> {
  return run(["ip", ...args], input);
}

async function run(command: readonly string[], input = ""): Promise<void> {
  const [program, ...args] = command;
  const child = new Deno.Command(program!, { args, stdin: "piped", stdout: "null", stderr: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stderr } = await child.output();
  if (!success) throw new Error(`"${command.join(" ")}": ${new TextDecoder().decode(stderr).trim()}`);
}
