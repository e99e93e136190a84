/**
 * Finds two servers that run on copies of one data folder. They would give out the same ids. The server that joined
 * later ends; `incarnation.ts` decides which one that is. They meet when a server has a link to one of them and the
 * other one comes. They also meet when another server names one of them with another incarnation.
 */

import { getLogger } from "@logtape/logtape";
import { CloneError } from "../../backplane/clone_error.ts";
import type { Incarnation } from "../../journal/origins/incarnation.ts";
import { isCopy, kinshipOf, type SeenIncarnation } from "./incarnation.ts";
import { RecentMap } from "../../../log/recent.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { WireIncarnation } from "../../../protocol/message.ts";
import type { PeerIdentity, WireMember } from "../../../protocol/peer/peer_message.ts";
import type { PeerLink } from "../peer_link.ts";

/** What it works with. */
export interface CopiedFoldersParts {
  readonly clock: Clock;
  /** This start of this server. */
  readonly incarnation: Incarnation;
  readonly named: { readonly serverId: string };
  /** The link that counts for this server. */
  link(serverId: string): PeerLink | undefined;
  /** This server is the copy. */
  isClone(error: CloneError): void;
}

/** What another server tells may be old by so much: longer than a dead link stays unnoticed. */
const STALE_MS = 12_000;
/** Differences that are watched at once: more than a network has servers. */
const MAX_WATCHED = 1_024;
const logger = getLogger(["thrum", "mesh"]);

/** One server's watch. */
export class CopiedFolders {
  readonly #parts: CopiedFoldersParts;
  readonly #startedAtMs: number;
  #joinedAtMs: number | undefined;
  /** Since when a server is said to be another incarnation than the one that is linked, by its name and that one's. */
  readonly #differsSince = new RecentMap<string, number>(MAX_WATCHED);
  /** When incarnations that are linked joined. */
  readonly #seen = new WeakMap<PeerLink, SeenIncarnation>();

  constructor(parts: CopiedFoldersParts) {
    this.#parts = parts;
    this.#startedAtMs = parts.clock.nowMs();
  }

  /** What this server says of itself. */
  get own(): WireIncarnation {
    return this.#wire(this.#ownSeen());
  }

  /** What it says of the server at the other end of `link`. */
  of(link: PeerLink): WireIncarnation | undefined {
    const seen = this.#seen.get(link);
    return seen && this.#wire(seen);
  }

  /**
   * Whether the server at the other end of a link that has greeted may be taken: not when it is a copy, nor when an
   * earlier start of it is linked too.
   */
  mayLink(link: PeerLink, { serverId, incarnation, host, port }: PeerIdentity): boolean {
    const { named, link: linkOf } = this.#parts;
    const met = incarnation && this.#read(incarnation);
    const isOwn = serverId === named.serverId;
    if (met !== undefined) this.#seen.set(link, met);
    const known = isOwn ? undefined : linkOf(serverId);
    const linked = isOwn ? this.#ownSeen() : known && this.#seen.get(known);
    if (met === undefined || linked === undefined) return !isOwn;
    const kinship = kinshipOf(met, linked);
    if (kinship === "same") return !isOwn;
    // It was started anew, and its former link is not known to be dead yet.
    if (kinship === "later" && !isOwn) return true;
    // What was under way when it was started anew can come late; whoever goes on calling lives.
    if (kinship === "earlier" && !isOwn && !this.#differsForLong(serverId, met.id)) {
      link.end("DUPLICATE_LINK", "a later start of this server is linked", "duplicate");
      return false;
    }
    if (isCopy(met, linked)) {
      this.#refuse(link, host, port);
      return false;
    }
    if (isOwn) {
      this.#isClone(`${host}:${port}`);
      return false;
    }
    this.#refuse(known!, known!.peer.host, known!.peer.port);
    return true;
  }

  /** A link is up. */
  linked(): void {
    this.#joinedAtMs ??= this.#parts.clock.nowMs();
  }

  /** Another server is linked with these. */
  told(members: readonly WireMember[]): void {
    for (const { serverId, incarnation, host, port } of members) {
      if (incarnation === undefined) continue;
      const { named, link: linkOf } = this.#parts;
      const met = this.#read(incarnation);
      const known = linkOf(serverId);
      const isOwn = serverId === named.serverId;
      const linked = isOwn ? this.#ownSeen() : known && this.#seen.get(known);
      if (linked === undefined || kinshipOf(met, linked) === "same") continue;
      if (!this.#differsForLong(serverId, met.id) || isCopy(met, linked)) continue;
      if (isOwn) this.#isClone(`${host}:${port}`);
      else this.#refuse(known!, known!.peer.host, known!.peer.port);
    }
  }

  /** Another server says that this one is the copy. */
  found(info: string): void {
    this.#parts.isClone(new CloneError(sentenceOf(info)));
  }

  /** Whether the server is said to be this other incarnation for longer than old news take. */
  #differsForLong(serverId: string, id: string): boolean {
    const key = `${serverId} ${id}`;
    const nowMs = this.#parts.clock.nowMs();
    const since = this.#differsSince.get(key);
    if (since !== undefined) return nowMs - since >= STALE_MS;
    this.#differsSince.set(key, nowMs);
    return false;
  }

  #refuse(link: PeerLink, host: string, port: number): void {
    const { serverId } = link;
    logger.error(
      "refused the server at {host}:{port}: it runs on a copy of the data folder of {serverId}, and {serverId} joined earlier",
      { host, port, serverId },
    );
    const info =
      `the server ${serverId} was in the network before, on the same data folder or the one that it was copied from`;
    link.send({ command: "CLONED", info });
    link.end("DUPLICATE_LINK", info, "refused");
  }

  #isClone(where: string): void {
    this.found(`it is at ${where}, and was there before`);
  }

  #ownSeen(): SeenIncarnation {
    const { incarnation, clock } = this.#parts;
    return { ...incarnation, startedAtMs: this.#startedAtMs, joinedAtMs: this.#joinedAtMs ?? clock.nowMs() };
  }

  #read({ id, before, runningMs, joinedMs }: WireIncarnation): SeenIncarnation {
    const nowMs = this.#parts.clock.nowMs();
    return { id, before, startedAtMs: nowMs - runningMs, joinedAtMs: nowMs - joinedMs };
  }

  #wire({ id, before, startedAtMs, joinedAtMs }: SeenIncarnation): WireIncarnation {
    const nowMs = this.#parts.clock.nowMs();
    const runningMs = Math.max(0, Math.floor(nowMs - startedAtMs));
    return { id, before, runningMs, joinedMs: Math.min(runningMs, Math.max(0, Math.floor(nowMs - joinedAtMs))) };
  }
}

function sentenceOf(info: string): string {
  return `This data folder is a copy, and the server that it was copied from is in the network (${info}): two servers with one name would give out the same ids. ` +
    "Start this one with an empty data folder";
}
