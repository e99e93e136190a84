/**
 * The space-time diagram of the last moments, as a picture for a page. It is drawn once a second for any number of
 * viewers.
 */

import { RecentMap } from "../../../log/recent.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { SecretCrypto } from "../../../platform/crypto.ts";
import { DIAGRAM_STYLE } from "../../../diagram/diagram_style.ts";
import { liveDiagram } from "../../../diagram/live_diagram.ts";
import { atOffset, UTC } from "../../../diagram/wall_time.ts";
import type { GatewayNode } from "./gateway_node.ts";

/** Which picture is asked for. */
export interface DiagramRequest {
  /** How far back. */
  readonly seconds: number;
  /** Only what this server or user had to do with. */
  readonly server: string | undefined;
  /** How far the viewer's clock is ahead of UTC; times are in UTC if absent. */
  readonly offsetMinutes: number | undefined;
}

/** The part of a server that this needs. */
export type DrawnNode = Pick<GatewayNode, "diagram" | "observe" | "recordedSinceMs" | "deliveredWithin">;

/** How long a picture is good for. */
const FRESH_MS = 1_000;
/** The most pictures in the cache: one for each span, server and time zone. */
const MAX_PICTURES = 16;
/** More than one can take in, and much more than one can wait for. */
const MAX_EVENTS = 400;

/** Draws the events that one node knows of the network. */
export class LiveDiagram {
  readonly #node: DrawnNode;
  readonly #clock: Pick<Clock, "nowMs" | "wallMs">;
  readonly #pictures = new RecentMap<string, { readonly svg: string; readonly drawnAt: number }>(MAX_PICTURES);

  constructor(node: DrawnNode, clock: Pick<Clock, "nowMs" | "wallMs">) {
    this.#node = node;
    this.#clock = clock;
  }

  /** The picture. Asking for it counts as looking: for a moment from now on, events are recorded. */
  draw({ seconds, server, offsetMinutes }: DiagramRequest): string {
    const observation = this.#node.observe({ changed: () => {} });
    observation.end();
    const key = `${seconds} ${offsetMinutes ?? "UTC"} ${server ?? ""}`;
    const now = this.#clock.nowMs();
    const known = this.#pictures.get(key);
    if (known !== undefined && now - known.drawnAt < FRESH_MS) return known.svg;
    const since = this.#node.recordedSinceMs;
    const entries = this.#node.deliveredWithin?.(seconds);
    const svg = liveDiagram(this.#node.diagram(seconds), {
      nowMs: this.#clock.wallMs(),
      seconds,
      maxEvents: MAX_EVENTS,
      ...(entries === undefined ? {} : { entries }),
      servers: Object.entries(observation.view.servers)
        .map(([id, { name, state }]) => ({ id, name, state }))
        .toSorted((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
      wallTime: offsetMinutes === undefined ? UTC : atOffset(offsetMinutes),
      ...(server === undefined ? {} : { only: server }),
      ...(since === undefined ? {} : { recordedSinceMs: since }),
    });
    this.#pictures.renew(key, { svg, drawnAt: now });
    return svg;
  }
}

/** Allows the diagram's own style in a Content-Security-Policy: `sha256-…`. */
export function diagramStyleHash(crypto: Pick<SecretCrypto, "digest">): string {
  const bytes = crypto.digest(DIAGRAM_STYLE).match(/../g)!.map((pair) => parseInt(pair, 16));
  return `sha256-${btoa(String.fromCharCode(...bytes))}`;
}
