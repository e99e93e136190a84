/**
 * The door through which the clients of a test come. A test file that is imported as it is tests TCP; with
 * `?over=websocket` behind its name all of its tests run once more, over WebSockets
 * (tests/server/gateway/http/websocket_suite_test.ts).
 */

import { serve, type ServeOptions, type Server } from "../../mod.ts";
import { LineClient, type Received } from "./line_client.ts";

/** How clients reach a server. */
export interface TestDoor {
  readonly over: "tcp" | "websocket";
  /** Starts a server that has such a door, on a port of its own, and with nothing on the disk. */
  start(options?: ServeOptions): Promise<Server>;
  connect(server: Server): Promise<LineClient>;
  loggedIn(server: Server, login?: Received): Promise<LineClient>;
}

/** The door for the tests of the file with this `import.meta.url`. */
export function doorOf(url: string): TestDoor {
  return new URL(url).searchParams.get("over") === "websocket" ? WEBSOCKET : TCP;
}

const TCP: TestDoor = {
  over: "tcp",
  start: (options) => startWith({}, options),
  connect: ({ port }) => LineClient.connect(port),
  loggedIn: ({ port }, login) => LineClient.loggedIn(port, login),
};

const WEBSOCKET: TestDoor = {
  over: "websocket",
  start: (options) => startWith({ gateway: { http: { listen: "0" } } }, options),
  connect: ({ http }) => LineClient.connectWebSocket(http!.port),
  loggedIn: async (server, login) => await (await WEBSOCKET.connect(server)).loggedIn(login),
};

function startWith(ofDoor: ServeOptions, options: ServeOptions = {}): Promise<Server> {
  const store = { ephemeral: true, ...options.store };
  return serve({ ...ofDoor, ...options, server: { host: "127.0.0.1", port: 0 }, store });
}
