/**
 * Somebody in the simulator who has the secret of the network, is taken for a server, says something that no
 * server says, and goes.
 */

import { nodeCrypto } from "../../platform/crypto.ts";
import { callerProof, linkKeys } from "../../server/mesh/linking/link_proof.ts";
import { sealLines } from "../../server/mesh/linking/sealed_lines.ts";
import { Process } from "./process.ts";
import type { Action } from "./schedule.ts";
import { SECRET, SERVER_PORT } from "./sim_server.ts";
import type { Surroundings } from "./surroundings.ts";

/** A message of the wire. */
type Message = Readonly<Record<string, unknown>>;
type Lie = Extract<Action, { kind: "lie" }>;

const NAME_LIE = "an account that was claimed first of all";
export const HOLE_LIE = "that entries are forgotten";
/** A server that was there before the network, all that some clients have of it, and what is left of it for others. */
export const GONE = "gone";
export const GONE_VECTOR: Readonly<Record<string, number>> = { [GONE]: 5 };
const GONE_REST = [6, 7];
const STAYS_MS = 4_000;
const FAR = 2 ** 53 - 1;

/** What can be lied about, and how that is said by the server `me`. */
const LIES = {
  "a kind that nobody knows": (me) => entries(me, "everyone", { command: "SHOUT", lamport: 5, id: `${me}:1` }),
  "a redirect as an entry": (me) =>
    entries(me, "everyone", { command: "REDIRECT", hostname: "evil.example", port: 1, lamport: 5, id: `${me}:1` }),
  "an activity that is none": (me) => entries(me, "everyone", { ...activity(me), activity: null }),
  "an activity of nobody": (me) => entries(me, "everyone", { ...activity(me), activity: { n: 1 } }),
  "a time that is none": (me) => entries(me, "everyone", { ...activity(me), sentAt: "x" }),
  "an account for clients": (me) => entries(me, "everyone", account(me, "nobody", 6)),
  [NAME_LIE]: (me, username) => entries(me, "servers", account(me, username, 0)),
  "a bad entry of somebody else": (me) => {
    const origin = `${me}-before`;
    const header = { command: "ENTRIES", origin, first: 1, last: 1, after: 0, to: "everyone" };
    return [header, { ...activity(origin), activity: [] }];
  },
  "a clock at its end": (me) => [
    { command: "ONLINE_CHANGE", username: "nobody", event: "left", lamport: FAR },
    { ...announcement(me), lamport: FAR },
  ],
  "a thousand servers": (me) => [{
    ...announcement(me),
    members: Array.from(
      { length: 1_000 },
      (_, n) => ({ serverId: `${me}-${n}`, host: `${me}-${n}`, port: 1, load: 0 }),
    ),
  }],
  "a lock for somebody else": () => [{ command: "LOCK_REQUEST", username: "nobody", lamport: 0, origin: "nobody" }],
  "a lock for ever": (me) => [{ command: "LOCK_REQUEST", username: "nobody", lamport: 0, origin: me }],
  [HOLE_LIE]: () => {
    const header = { command: "ENTRIES", origin: GONE, first: GONE_REST[0], last: GONE_REST.at(-1), after: 0 };
    return [{ ...header, to: "everyone" }, ...GONE_REST.map((n) => activity(GONE, n, { s: GONE, n }))];
  },
  "more lines than there are": (me) => [
    { command: "ENTRIES", origin: me, first: 1, last: FAR, after: 0, to: "everyone" },
  ],
} as const satisfies Record<string, (me: string, username: string) => readonly Message[]>;

/** The name of a lie. */
export type LieName = keyof typeof LIES;

/** All that need nothing but a server to hear them. */
export const LIE_NAMES: readonly LieName[] = (Object.keys(LIES) as LieName[]).filter((name) => name !== HOLE_LIE);

/** Calls the server, and lies to it. It answers heartbeats, and no questions. */
export function lie({ server, what, number }: Lie, { clock, network }: Surroundings): void {
  const me = `liar-${number}`;
  const process = new Process(me, clock);
  const end = () => {
    if (process.isDead) return;
    process.die();
    network.died(process);
  };
  process.after(STAYS_MS, end);
  network.transport(process, 262_144).dial({ host: server, port: SERVER_PORT, timeoutMs: 2_000 }).then((link) => {
    let sealKey: string | undefined;
    const say = (...messages: readonly Message[]) => {
      const lines = messages.map((message) => `${JSON.stringify(message)}\n`).join("");
      link.write(new TextEncoder().encode(sealKey === undefined ? lines : sealLines(lines, sealKey, nodeCrypto)));
    };
    const { hmac } = nodeCrypto;
    const callerNonce = String(number).padStart(48, "0");
    let calledNonce = "";
    const decoder = new TextDecoder();
    let text = "";
    let hasLied = false;
    link.attach({
      onData: (bytes) => {
        const lines = (text + decoder.decode(bytes, { stream: true })).split("\n");
        text = lines.pop()!;
        for (const line of lines) {
          const { command, sequence, username, nonce, serverId } = JSON.parse(line);
          if (command === "PEER_CHALLENGE") {
            calledNonce = nonce;
            const proof = callerProof(SECRET, { callerId: me, callerNonce, calledNonce, endPoint: "" }, hmac);
            say({ command: "AUTHENTICATE", proof, ...greeting });
          } else if (command === "AUTHENTICATION_SUCC") {
            sealKey = linkKeys(SECRET, { callerId: me, callerNonce, calledNonce, endPoint: "" }, serverId, hmac).caller;
          }
          if (command === "HEARTBEAT") say({ command: "HEARTBEAT_ACK", sequence });
          // A name that is free is taken as anybody takes one: this is about one that is not.
          const isTime = command === (what === NAME_LIE ? "ACCOUNT" : "AUTHENTICATION_SUCC");
          if (!isTime || hasLied) continue;
          hasLied = true;
          say(...LIES[what](me, username));
        }
      },
      onDrain: () => {},
      onFinish: () => link.end(500),
      onEnd: end,
    });
    const features = ["thrum/1", "thrum/2"];
    const greeting = { serverId: me, host: me, port: SERVER_PORT, vector: {}, lamport: 1, features };
    say({ command: "AUTHENTICATE", serverId: me, nonce: callerNonce, features });
  }, end);
}

function entries(origin: string, to: string, line: Message): Message[] {
  return [{ command: "ENTRIES", origin, first: 1, last: 1, after: 0, to }, line];
}

function activity(origin: string, sequence = 1, facts: Message = { n: 1 }): Message {
  const activity = { ...facts, authenticated_user: "nobody" };
  return { command: "ACTIVITY_BROADCAST", activity, id: `${origin}:${sequence}`, lamport: 5, sentAt: 1 };
}

function account(origin: string, username: string, claim: number): Message {
  return {
    command: "ACCOUNT",
    username,
    verifier: "scrypt$16384$aa$bb",
    claim,
    id: `${origin}:1`,
    lamport: 7,
    sentAt: 1,
  };
}

function announcement(serverId: string): Message {
  const where = { serverId, host: serverId, port: SERVER_PORT };
  return { command: "SERVER_ANNOUNCE", ...where, load: 0, online: false, vector: {}, lamport: 5, members: [] };
}
