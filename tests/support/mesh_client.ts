/** Clients of bytes for the servers of `mesh_world.ts`: what they say, and what came to them. */

import type { Received } from "./line_client.ts";
import { FakeLineClient } from "./node_world.ts";

/** A LOGIN with everything that our own client asks for. */
export function loginOf(username: string, more: Received = {}): Received {
  return {
    command: "LOGIN",
    username,
    ...(username === "anonymous" ? {} : { secret: username }),
    features: ["ack", "resume"],
    ...more,
  };
}

/** A client of bytes. */
export class MeshClient extends FakeLineClient {
  /** Whether it says at once that it has taken each direct message that comes. */
  takesMessages = false;
  #sent = 0;

  override onData(bytes: Uint8Array): void {
    const before = this.received.length;
    super.onData(bytes);
    if (this.takesMessages && this.received.slice(before).some(isMessage)) this.take();
  }

  /** Says that it has taken all direct messages that came. */
  take(): void {
    this.send({ command: "ACK", vector: vectorOf(this.received.filter(isMessage)) });
  }

  /** Sends a direct message; under a `messageId` where one is given. */
  tell(to: string, text: string, messageId?: string): void {
    this.send({ command: "DIRECT_MESSAGE", to, text, ...(messageId === undefined ? {} : { messageId }) });
  }

  /** The texts of the direct messages that came, in order. */
  get messages(): string[] {
    return this.received.filter(isMessage).map(({ text }) => text);
  }

  /** The same for a client that knows none, with who sent them. */
  get plainMessages(): string[] {
    return this.all("ACTIVITY_BROADCAST").filter(({ activity }) => Object.hasOwn(activity, "direct_message"))
      .map(({ activity }) => `${activity.authenticated_user}: ${activity.direct_message}`);
  }

  /** What became of its messages, as `messageId state`, in order. */
  get receipts(): string[] {
    return this.all("RECEIPT").map(({ messageId, state }) => `${messageId} ${state}`);
  }

  /** Who came and went, as `user event`, in order. */
  get presence(): string[] {
    return this.all("PRESENCE").map(({ username, event }) => `${username} ${event}`);
  }

  /** All that came and has a place in the log, on top of what the login was answered with. */
  get vector(): Record<string, number> {
    const { vector } = this.last("CAUGHT_UP") ?? this.last("LOGIN_SUCCESS")!.resume;
    return vectorOf(this.received.filter(({ id, offline }) => id !== undefined && offline !== true), vector);
  }

  /** Publishes an activity; under a `messageId` where one is given. */
  publish(n: unknown, messageId?: string): void {
    this.#sent++;
    this.send({ command: "ACTIVITY_MESSAGE", activity: { n }, ...(messageId === undefined ? {} : { messageId }) });
  }

  /** What came with this command. */
  all(command: string): Received[] {
    return this.received.filter((one) => one.command === command);
  }

  /** What came last with this command. */
  last(command: string): Received | undefined {
    return this.received.findLast((one) => one.command === command);
  }

  /** The activities that came, in order. */
  get activities(): unknown[] {
    return this.all("ACTIVITY_BROADCAST").map(({ activity }) => activity.n);
  }
}

function isMessage({ command }: Received): boolean {
  return command === "DIRECT_MESSAGE";
}

/** What somebody has who has these lines, and all before them. */
function vectorOf(lines: readonly Received[], from: Record<string, number> = {}): Record<string, number> {
  const vector = { ...from };
  for (const { id } of lines) {
    const [origin, sequence] = id.split(":");
    vector[origin] = Math.max(vector[origin] ?? 0, Number(sequence));
  }
  return vector;
}
