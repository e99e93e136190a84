/** Somebody in the simulator who registers a name, and does nothing else. */

import { Process } from "./process.ts";
import type { Action } from "./schedule.ts";
import { SERVER_PORT } from "./sim_server.ts";
import type { Surroundings } from "./surroundings.ts";

const GIVE_UP_MS = 5_000;

/** Calls the server, says REGISTER, and goes with the answer. */
export function claim(step: Extract<Action, { kind: "claim" }>, { clock, network, history }: Surroundings): void {
  const { client, server, username, secret } = step;
  const process = new Process(client, clock);
  const end = () => {
    process.die();
    network.died(process);
  };
  const transport = network.transport(process, 262_144);
  process.after(GIVE_UP_MS, end);
  transport.dial({ host: server, port: SERVER_PORT, timeoutMs: 2_000 }).then((link) => {
    link.attach({
      onData: (bytes) => {
        const { command } = JSON.parse(new TextDecoder().decode(bytes).split("\n")[0]!);
        if (command === "REGISTER_SUCCESS") history.add(client, { what: "registered", username, secret, server });
        end();
      },
      onDrain: () => {},
      onFinish: () => link.end(500),
      onEnd: end,
    });
    link.write(new TextEncoder().encode(`${JSON.stringify({ command: "REGISTER", username, secret })}\n`));
  }, end);
}
