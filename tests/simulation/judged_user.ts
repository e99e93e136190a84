/**
 * A user of the simulator whom operators judge: it wants to be logged in, and calls one server after the other until it
 * is. It is a client of lines that knows no features.
 */

import { Process } from "./process.ts";
import { SERVER_PORT } from "./sim_server.ts";
import type { Surroundings } from "./surroundings.ts";

const CALL_AGAIN_MS = 700;
const KEEP_ALIVE_MS = 2_000;
/** Without an answer for so long it calls somebody else. */
const PATIENCE_MS = 5_000;
const THIEF = "thief";

/** One of them. */
export class JudgedUser {
  readonly username: string;
  readonly #around: Surroundings;
  readonly #process: Process;
  /** All that it was ever told: operators may reset it at several servers. */
  readonly #secrets: string[];
  #tries = 0;
  #logins = 0;
  #isRegistered = false;
  #server: string | undefined;

  constructor(username: string, around: Surroundings) {
    this.username = username;
    this.#around = around;
    this.#secrets = [`secret of ${username}`];
    this.#process = new Process(username, around.clock);
  }

  /** Whether it is logged in, as far as it knows. */
  get isIn(): boolean {
    return this.#server !== undefined;
  }

  /** Calls, from now on. */
  begin(): void {
    this.#call();
  }

  /** An operator hands it another secret. */
  takeSecret(secret: string): void {
    this.#secrets.push(secret);
  }

  tellEnd(): void {
    this.#around.history.add(this.username, {
      what: "judged user is",
      username: this.username,
      ...(this.#server === undefined ? {} : { server: this.#server }),
    });
  }

  #call(): void {
    const { servers } = this.#around;
    const server = servers[this.#tries % servers.length]!;
    this.#tries++;
    const secret = this.#isRegistered ? this.#secrets[this.#logins++ % this.#secrets.length]! : this.#secrets[0]!;
    const again = () => {
      this.#server = undefined;
      this.#process.after(CALL_AGAIN_MS, () => this.#call());
    };
    const { username } = this;
    sayTo(server, this.#process, this.#around, {
      greeting: { command: this.#isRegistered ? "LOGIN" : "REGISTER", username, secret },
      answered: ({ command, reason }, say) => {
        // By this user itself, when the answer did not come; logging in tells.
        if (command === "REGISTER_SUCCESS" || command === "REGISTER_FAILED") this.#isRegistered = true;
        if (command === "REGISTER_SUCCESS") say({ command: "LOGIN", username, secret });
        if (command === "LOGIN_SUCCESS") this.#server = server;
        // A server may have lost the account.
        if (command === "LOGIN_FAILED" && reason === "UNKNOWN_USER") this.#isRegistered = false;
      },
      isWaiting: () => this.#server === undefined,
      over: again,
    });
  }
}

/** Somebody else tries to register `username` at `server`. */
export function tryName(username: string, server: string, around: Surroundings): void {
  const process = new Process(THIEF, around.clock);
  sayTo(server, process, around, {
    greeting: { command: "REGISTER", username, secret: THIEF },
    answered: ({ command }) => {
      if (command === "REGISTER_SUCCESS") around.history.add(server, { what: "gave a name away", username });
      process.die();
      around.network.died(process);
    },
    isWaiting: () => true,
    over: () => {},
  });
}

/** A line of the wire, as far as it matters. */
interface Message {
  readonly command: string;
  readonly reason?: string;
  readonly username?: string;
  readonly secret?: string;
}

interface Talk {
  readonly greeting: Message;
  answered(message: Message, say: (message: Message) => void): void;
  /** Whether it goes when nothing has come for long. */
  isWaiting(): boolean;
  /** The connection is over, or there was none. */
  over(): void;
}

function sayTo(server: string, process: Process, { network }: Surroundings, talk: Talk): void {
  let isOver = false;
  const over = () => {
    if (isOver || process.isDead) return;
    isOver = true;
    talk.over();
  };
  const transport = network.transport(process, 262_144);
  transport.dial({ host: server, port: SERVER_PORT, timeoutMs: 2_000 }).then((link) => {
    const say = (message: Message) => link.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
    const decoder = new TextDecoder();
    let text = "";
    link.keepAlive(KEEP_ALIVE_MS);
    link.attach({
      onData: (bytes) => {
        const lines = (text + decoder.decode(bytes, { stream: true })).split("\n");
        text = lines.pop()!;
        for (const line of lines) talk.answered(JSON.parse(line), say);
      },
      onDrain: () => {},
      onFinish: () => link.end(500),
      onEnd: over,
    });
    process.after(PATIENCE_MS, () => {
      if (isOver || !talk.isWaiting()) return;
      link.destroy();
      over();
    });
    say(talk.greeting);
  }, over);
}
