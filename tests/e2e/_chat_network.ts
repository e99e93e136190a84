/** People who talk to each other, each on a real terminal, at servers of one network. */

import { clientCommand, type Program, startServer } from "../support/program.ts";
import { NO_TMUX, Screen } from "../support/tmux.ts";

if (NO_TMUX !== undefined) console.log(`SKIPPED the chat on terminals: ${NO_TMUX}`);

const SECRET = "of the network";

/** Servers of one network, and people at them. */
export class Network implements AsyncDisposable {
  readonly servers: Program[] = [];
  readonly ports: string[] = [];
  readonly #things = new AsyncDisposableStack();
  #folders = 0;

  async addServer(): Promise<void> {
    const join = this.ports.length === 0 ? [] : ["--join", `127.0.0.1:${this.ports[0]}`];
    const server = startServer(["--no-prompt", "--no-rebalance", "--port", "0", "--ephemeral", "-s", SECRET, ...join]);
    this.#things.use(server);
    const [, port] = await server.sees(/listening on 127\.0\.0\.1:(\d+)/);
    this.servers.push(server);
    this.ports.push(port!);
    if (join.length > 0) await server.tells(/linked|peer/i);
  }

  /** A person's screen, with a client that calls a server. Whoever has no folder yet gets one. */
  async sit(name: string, server: number, { columns = 80, env = {} } = {}): Promise<Screen> {
    const folder = await Deno.makeTempDir({ prefix: `chat-${++this.#folders}` });
    this.#things.defer(() => Deno.remove(folder, { recursive: true }));
    const screen = await Screen.start([...clientCommand(), "-u", name, "--port", this.ports[server]!], {
      columns,
      env: { THRUM_SECRET: "", XDG_CONFIG_HOME: folder, ...env },
    });
    this.#things.use(screen);
    return screen;
  }

  /** The same, registered and ready. */
  async register(name: string, server: number, options = {}): Promise<Screen> {
    const screen = await this.sit(name, server, options);
    await screen.sees(/Password \(Enter if you are new\):$/);
    await screen.type("Enter");
    await screen.sees(/New password/);
    await screen.type(`pw-of-${name}`, "Enter");
    await screen.sees(/The same again/);
    await screen.type(`pw-of-${name}`, "Enter");
    await screen.sees(/^You have been registered\. You are logged/);
    await screen.shows(">");
    return screen;
  }

  /** The same, of somebody who was here before. */
  async return(name: string, server: number, options = {}): Promise<Screen> {
    const screen = await this.sit(name, server, options);
    await screen.sees(/Password/);
    await screen.type(`pw-of-${name}`, "Enter");
    await screen.shows(">");
    return screen;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#things.disposeAsync();
  }
}

/** A test with so many servers. */
export function inNetwork(servers: number, name: string, test: (network: Network) => Promise<void>): void {
  Deno.test({
    name,
    ignore: NO_TMUX !== undefined,
    async fn() {
      await using network = new Network();
      for (let n = 0; n < servers; n++) await network.addServer();
      await test(network);
    },
  });
}
