/** Somebody in the simulator who asks a server who is online, and goes. */

import { Process } from "./process.ts";
import { SERVER_PORT } from "./sim_server.ts";
import type { Surroundings } from "./surroundings.ts";

const GIVE_UP_MS = 2_000;
/** So often one that is not to be sent on says that it was. */
const REDIRECTS = 3;
const MACHINE = "asker";

/** Calls `server`, and tells `answered` the names. Without an answer it is not called. */
export function askWhoIsOnline(
  server: string,
  { clock, network }: Surroundings,
  answered: (users: readonly string[]) => void,
): void {
  const process = new Process(MACHINE, clock);
  const end = () => {
    if (process.isDead) return;
    process.die();
    network.died(process);
  };
  process.after(GIVE_UP_MS, end);
  network.transport(process, 262_144).dial({ host: server, port: SERVER_PORT, timeoutMs: GIVE_UP_MS }).then((link) => {
    const say = (message: unknown) => link.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
    const decoder = new TextDecoder();
    let text = "";
    link.attach({
      onData: (bytes) => {
        const lines = (text + decoder.decode(bytes, { stream: true })).split("\n");
        text = lines.pop()!;
        for (const line of lines) {
          const { command, users } = JSON.parse(line);
          if (command === "LOGIN_SUCCESS") say({ command: "LIST_USERS", scope: "online" });
          else if (command === "USER_LIST") {
            answered(users);
            end();
          }
        }
      },
      onDrain: () => {},
      onFinish: () => link.end(500),
      onEnd: end,
    });
    say({ command: "LOGIN", username: "anonymous", features: ["ack"], redirects: REDIRECTS });
  }, end);
}
