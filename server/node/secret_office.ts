/**
 * Where an operator gives the network another secret while its servers run. Each server writes it down, calls others
 * with it from then on, and takes the former ones for a while. A server that was away is told when it is back: it comes
 * in with a former one. `server/backplane/network_secrets.ts` decides what counts.
 */

import { getLogger } from "@logtape/logtape";
import { isSecret } from "../../config/values.ts";
import type { Clock } from "../../platform/clock.ts";
import { fromHex, toHex } from "../../platform/hex.ts";
import { utcText } from "../../platform/local_time.ts";
import { SECRETS_FEATURE } from "../../protocol/peer/operate_message.ts";
import type { Auditor } from "../audit/audit_event.ts";
import type { Backplane } from "../backplane/backplane.ts";
import type { KeptSecrets, NetworkSecrets } from "../backplane/network_secrets.ts";
import type { Operator } from "./operator.ts";
import { type Refused, refused } from "./operator_records.ts";
import type { OrderResult, SecretOrder, SharedResult } from "./order.ts";

/** What it is made with. */
export interface SecretOfficeParts {
  readonly secrets: NetworkSecrets;
  readonly clock: Pick<Clock, "wallMs">;
  readonly backplane: Pick<Backplane, "routes" | "say">;
  readonly auditor: Auditor;
  /** Made later. */
  operator(): Pick<Operator, "everywhere">;
  /** Writes them down, where nobody else reads them; absent where a server keeps nothing. Rejects with the reason. */
  readonly keep?: ((secrets: KeptSecrets) => Promise<void>) | undefined;
}

/** What became of another secret. */
export type SecretResult = { readonly ok: true; readonly servers: readonly SharedResult[] } | Refused;

/** The shortest secret that is taken: shorter ones are guessed from a recorded link. */
export const MIN_SECRET_LENGTH = 16;
/** No server needs longer to come back. */
const MAX_FORMER_MS = 90 * 86_400_000;
/** Answers to this are expected by nobody. */
const NO_ASK = 0;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const logger = getLogger(["thrum", "server"]);

/** One server's. */
export class SecretOffice {
  readonly #parts: SecretOfficeParts;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: SecretOfficeParts) {
    this.#parts = parts;
  }

  /**
   * Gives the network `secret`; former ones count for `lastsMs`. `by` is where the operator comes from. Tells what
   * became of it at each server. Never rejects.
   */
  async change(secret: string, lastsMs: number, by: string): Promise<SecretResult> {
    const { secrets, clock, operator } = this.#parts;
    const problem = this.#problem(secret, lastsMs);
    if (problem !== undefined) return problem;
    const until = Math.ceil(clock.wallMs() + lastsMs);
    const order = { networkSecret: toHex(encoder.encode(secret)), number: secrets.nextNumber, until };
    // Here first: a server that cannot write it down gives it to nobody.
    const here = await this.take(order, by, true);
    if (!here.ok) return refused("NOT_KEPT", here.info ?? "this server could not take it");
    if (secrets.current !== secret) return refused("SEVERAL", "the network was given another secret at the same time");
    return { ok: true, servers: await operator().everywhere({ kind: "networkSecret", ...order }, by) };
  }

  /**
   * Takes the secret of an order, for whoever `from` names. Where it cannot be written down it counts all the same, as
   * the others have it; with `isFirst` it does not. Never rejects.
   */
  take(order: SecretOrder, from: string, isFirst = false): Promise<OrderResult> {
    const taken = this.#last.then(() => this.#take(order, from, isFirst));
    this.#last = taken;
    return taken;
  }

  /** There is a way to this server. It may have been away. */
  met(serverId: string): void {
    const { secrets: { change }, backplane } = this.#parts;
    if (change === undefined) return;
    const route = [...backplane.routes].find((route) => route.serverId === serverId);
    if (route === undefined || !route.features.includes(SECRETS_FEATURE)) return;
    const { secret, number, until } = change;
    const networkSecret = toHex(encoder.encode(secret));
    backplane.say(
      { command: "OPERATE", ask: NO_ASK, action: "networkSecret", networkSecret, number, until, by: "the network" },
      serverId,
    );
  }

  async #take({ networkSecret, number, until }: SecretOrder, from: string, isFirst: boolean): Promise<OrderResult> {
    const { secrets, auditor, keep } = this.#parts;
    const secret = decoder.decode(fromHex(networkSecret));
    if (secret === "" || !isSecret(secret)) return { ok: false, problem: "REFUSED", info: "this is no secret" };
    const after = secrets.after({ number, secret, until });
    if (after === undefined) return { ok: true };
    let fault: string | undefined;
    try {
      await keep?.(after);
    } catch (error) {
      fault = (error as Error).message;
      logger.error("{fault}. The network has another secret: this server does not know it after its next start", {
        fault,
      });
      if (isFirst) return { ok: false, problem: "REFUSED", info: fault };
    }
    secrets.take(after);
    logger.info("the network has another secret, as {from} wants; former ones count until {until}", {
      from,
      until: utcText(until),
    });
    auditor.audit({ what: "networkSecretChanged", by: "operator", from, more: { number, until } });
    if (fault === undefined) return { ok: true };
    return { ok: false, problem: "REFUSED", info: `that server has it, and not after its next start: ${fault}` };
  }

  /** Why the secret cannot be changed so. */
  #problem(secret: string, lastsMs: number): Refused | undefined {
    const { secrets, backplane } = this.#parts;
    if (!isSecret(secret) || secret.length < MIN_SECRET_LENGTH) {
      return refused(
        "WRONG",
        `the secret of a network has ${MIN_SECRET_LENGTH} to 256 characters, and no control characters`,
      );
    }
    if (!(lastsMs > 0 && lastsMs <= MAX_FORMER_MS)) {
      return refused("WRONG", "the former secret counts for a while: for 90 days at most");
    }
    if (!secrets.isSet) return refused("WRONG", "this server has no secret of a network");
    if (secret === secrets.current) return refused("WRONG", "this is the secret of the network already");
    const older = [...backplane.routes].filter(({ features }) => !features.includes(SECRETS_FEATURE));
    if (older.length === 0) return undefined;
    const names = older.map(({ serverId }) => serverId).join(", ");
    return refused("OLDER_VERSION", `not every server of the network can follow this: ${names}`);
  }
}
