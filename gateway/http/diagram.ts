/** The space-time diagram of what happened a moment ago, as a picture for a page. However many look, it is drawn once a second. */

import type { Clock } from "../../platform/clock.ts";
import type { SecretCrypto } from "../../platform/crypto.ts";
import { DIAGRAM_STYLE } from "../../trace/diagram_style.ts";
import { liveDiagram } from "../../trace/live_diagram.ts";
import type { GatewayNode } from "./gateway_node.ts";

/** How long a picture is good for. */
const FRESH_MS = 1_000;
/** Pictures that are kept: one for each span and server that somebody looks at. */
const MAX_PICTURES = 16;
/** More than one can take in, and much more than one can wait for. */
const MAX_EVENTS = 400;

/** Draws what one node knows of the network. */
export class LiveDiagram {
  readonly #node: Pick<GatewayNode, "diagram">;
  readonly #clock: Pick<Clock, "nowMs" | "wallMs">;
  readonly #pictures = new Map<string, { readonly svg: string; readonly drawnAt: number }>();

  constructor(node: Pick<GatewayNode, "diagram">, clock: Pick<Clock, "nowMs" | "wallMs">) {
    this.#node = node;
    this.#clock = clock;
  }

  /** The last `seconds`; only what the server or user `only` had to do with, where one is given. */
  draw(seconds: number, only: string | undefined): string {
    const key = `${seconds} ${only ?? ""}`;
    const now = this.#clock.nowMs();
    const known = this.#pictures.get(key);
    if (known !== undefined && now - known.drawnAt < FRESH_MS) return known.svg;
    const svg = liveDiagram(this.#node.diagram(seconds), {
      nowMs: this.#clock.wallMs(),
      seconds,
      maxEvents: MAX_EVENTS,
      ...(only === undefined ? {} : { only }),
    });
    this.#pictures.delete(key);
    this.#pictures.set(key, { svg, drawnAt: now });
    if (this.#pictures.size > MAX_PICTURES) this.#pictures.delete(this.#pictures.keys().next().value!);
    return svg;
  }
}

/** What allows the diagram's own style in a Content-Security-Policy: `sha256-…`. */
export function diagramStyleHash(crypto: Pick<SecretCrypto, "digest">): string {
  const bytes = crypto.digest(DIAGRAM_STYLE).match(/../g)!.map((pair) => parseInt(pair, 16));
  return `sha256-${btoa(String.fromCharCode(...bytes))}`;
}
