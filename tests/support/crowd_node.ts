/**
 * A server for the HTTP gateway of which nothing is real but the door: it shows a view that a test has made. For crowds
 * that are larger than a test should really connect, and for names that no real server would have.
 */

import { DEFAULT_CONFIG } from "../../config/config.ts";
import { layered } from "../../config/load.ts";
import type { Order, OrderResult, SharedOrder } from "../../server/node/order.ts";
import type { AskedRuling } from "../../server/node/ruling_office.ts";
import { TOKEN_RECORD, tokenDigest } from "../../server/accounts/operator_tokens.ts";
import type { Ruling } from "../../server/accounts/ruling.ts";
import type { Door } from "../../server/gateway/door.ts";
import { NO_AUDIT } from "../../server/audit/audit_event.ts";
import type { InvitationState } from "../../server/rights/invitations.ts";
import { Records } from "../../server/rights/records.ts";
import { RefusalLog } from "../../server/accounts/refusal_log.ts";
import { openHttpDoor } from "../../server/gateway/http/http_door.ts";
import type { GatewayNode } from "../../server/gateway/http/gateway_node.ts";
import { nodeCrypto } from "../../platform/crypto.ts";
import { realClock } from "../../platform/real_clock.ts";
import { applyPatch } from "../../view/merge_patch.ts";
import type { NetworkChange, NetworkView } from "../../view/network_view.ts";

/** Servers tell once a second whether or not something has changed; pages take longer silence for the end. */
const BEAT_MS = 500;
/** What its door asks of whoever wants to change something. */
export const CROWD_TOKEN = "the-token-of-a-crowd";
/** With this one may look, and change nothing. */
export const CROWD_LOOK_TOKEN = "the-token-of-who-looks";
/** The secret that each reset makes. */
export const MADE_SECRET = "abcd-efgh-jkmn-pqrs";

/** The view that is shown, with the door through which it is seen. `await using` closes that. */
export class CrowdNode implements AsyncDisposable {
  readonly #observers = new Set<{ changed(change: NetworkChange): void }>();
  /** The gateways of other servers, `HOST:PORT`: set before a page is opened that is to go there. */
  gateways: readonly string[] = [];
  /** What operators wanted, and what becomes of it. */
  readonly orders: Order[] = [];
  /** What operators have laid down. */
  readonly rules: Omit<AskedRuling, "by">[] = [];
  /** What was to be done at all servers. */
  readonly sharedOrders: SharedOrder[] = [];
  /** What is shown as laid down. */
  rulings: readonly Ruling[] = [];
  /** Who is shown as invited. */
  invited: InvitationState[] = [];
  becomes: OrderResult = { ok: true };
  #view: NetworkView;
  #door!: Door;
  readonly #beat = setInterval(() => this.change({}), BEAT_MS);

  private constructor(view: NetworkView) {
    this.#view = view;
  }

  static async open(view: NetworkView): Promise<CrowdNode> {
    const crowd = new CrowdNode(view);
    const config = layered(DEFAULT_CONFIG, { gateway: { http: { token: CROWD_TOKEN } } });
    const parts = { node: crowd.#node(), config, clock: realClock, crypto: nodeCrypto };
    crowd.#door = await openHttpDoor(parts, { host: "127.0.0.1", port: 0 });
    return crowd;
  }

  /** Where the page is. */
  get address(): string {
    return `http://127.0.0.1:${this.#door.port}/`;
  }

  get view(): NetworkView {
    return this.#view;
  }

  /** `HOST:PORT` of its door. */
  get gateway(): string {
    return `127.0.0.1:${this.#door.port}`;
  }

  /** Pages that look. */
  get observerCount(): number {
    return this.#observers.size;
  }

  /** Changes the view, and tells whoever looks. */
  change(fields: Partial<NetworkChange>): void {
    const change = { at: Date.now(), patch: {}, ends: [], activities: [], skipped: 0, ...fields };
    this.#view = {
      ...applyPatch(this.#view, change.patch) as NetworkView,
      at: change.at,
      ends: [...this.#view.ends, ...change.ends],
      activities: [...this.#view.activities, ...change.activities],
    };
    for (const observer of this.#observers) observer.changed(change);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#beat);
    await this.#door.close();
  }

  #node(): GatewayNode {
    const unasked = (what: string) => (): never => {
      throw new Error(`No test asks a crowd for ${what}`);
    };
    const view = () => this.#view;
    const gateways = () => this.gateways;
    const rulings = () => this.rulings;
    const invited = () => this.invited;
    const all = new Records();
    const digest = tokenDigest(CROWD_LOOK_TOKEN, (text) => nodeCrypto.digest(text));
    all.take({
      ...{ of: TOKEN_RECORD, key: "look", value: { digest, by: "a test" } },
      ...{ lamport: 1, origin: this.#view.from, keptAt: this.#view.from },
    });
    return {
      serverId: this.#view.from,
      state: "ready",
      accept: unasked("connections"),
      observe: (observer) => {
        this.#observers.add(observer);
        return {
          get view() {
            return view();
          },
          end: () => void this.#observers.delete(observer),
        };
      },
      look: () => Promise.resolve(this.#view),
      get gateways() {
        return gateways();
      },
      diagram: () => [],
      recordedSinceMs: undefined,
      operate: (order) => {
        this.orders.push(order);
        return Promise.resolve(this.becomes);
      },
      metrics: unasked("metrics"),
      refusals: new RefusalLog(realClock),
      auditor: NO_AUDIT,
      ticketKeyOf: () => undefined,
      get rulings() {
        return rulings();
      },
      tokens: { set: unasked("it") },
      networkSecret: { change: unasked("it") },
      invitations: {
        get all() {
          return invited();
        },
        make: unasked("it"),
        withdraw: unasked("it"),
      },
      roles: { users: [], patterns: [], of: unasked("it"), give: unasked("it") },
      records: { set: unasked("it"), all },
      rule: ({ by: _, ...rule }) => {
        this.rules.push(rule);
        return Promise.resolve({ ok: true, ruling: { kind: rule.kind, about: rule.about, terms: undefined } });
      },
      resetSecret: () => Promise.resolve({ ok: true, secret: MADE_SECRET }),
      operateEverywhere: (order) => {
        this.sharedOrders.push(order);
        return Promise.resolve([{ serverId: this.#view.from, name: "one", result: { ok: true, count: 1 } }]);
      },
    };
  }
}
