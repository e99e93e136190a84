/**
 * Who at this server is told what its backplane says, and in which order. Nothing is decided here. The places of users
 * are noted before anybody hears who is online.
 */

import type { AuditTalk } from "./audit_talk.ts";
import type { Balancer } from "../balance/balancer.ts";
import type { Passes } from "../accounts/passes.ts";
import type { Announced, Backplane, BackplaneOwner, Talk } from "../backplane/backplane.ts";
import type { CloneError } from "../backplane/clone_error.ts";
import type { Renumbering } from "../../log/renumbering.ts";
import type { Vector } from "../../log/vector.ts";
import type { Observatory } from "../observe/observatory.ts";
import type { Operator } from "./operator.ts";
import type { OperatorRecords } from "./operator_records.ts";
import type { SecretOffice } from "./secret_office.ts";
import type { PlaceTalk } from "../places/place_talk.ts";
import type { PresenceBoard } from "../presence/presence_board.ts";
import type { ReaderBoard } from "../presence/reader_board.ts";

/** Who is told. The first eight are functions, as these parts are made later. */
export interface NetworkNewsParts {
  backplane(): Pick<Backplane, "say">;
  balancer(): Pick<Balancer, "membersChanged">;
  presence(): Pick<PresenceBoard, "here" | "heard" | "serverGone">;
  readers(): Pick<ReaderBoard, "met" | "heard" | "serverGone">;
  operator(): Pick<Operator, "heard" | "gone">;
  operatorRecords(): Pick<OperatorRecords, "met">;
  secretOffice(): Pick<SecretOffice, "met">;
  passes(): Pick<Passes, "heard" | "spent">;
  audits(): Pick<AuditTalk, "met" | "heard">;
  isClosing(): boolean;
  readonly places: ToldPlaces;
  readonly observatory: Pick<Observatory, "soon" | "met" | "gone" | "onObserve" | "onObserved">;
  /** See `BackplaneOwner`. */
  forgotten(vector: Vector): boolean;
  renamed(renumbering: Renumbering): void;
  cutBack(renumbering: Renumbering): void;
  isClone(error: CloneError): void;
}

/** The part of the news that is about places. */
type ToldPlaces = Pick<
  PlaceTalk,
  "met" | "tellSessions" | "gone" | "heard" | "heardOnline" | "announced" | "announcesNext" | "joined" | "renamed"
>;

/** Of one server. */
export class NetworkNews implements BackplaneOwner {
  readonly #parts: NetworkNewsParts;

  constructor(parts: NetworkNewsParts) {
    this.#parts = parts;
  }

  membersChanged(announced: string | undefined): void {
    const { balancer, observatory } = this.#parts;
    balancer().membersChanged(announced);
    if (announced === undefined) observatory.soon();
  }

  met(serverId: string): void {
    const { backplane, presence, places, observatory, passes, audits } = this.#parts;
    // Who is behind what this server has greeted with has to be known before who is here.
    places.met(serverId);
    this.#parts.operatorRecords().met(serverId);
    this.#parts.secretOffice().met(serverId);
    backplane().say(presence().here, serverId);
    places.tellSessions(serverId);
    this.#parts.readers().met(serverId);
    const { spent } = passes();
    if (spent !== undefined) backplane().say(spent, serverId);
    audits().met(serverId);
    observatory.met(serverId);
  }

  startedAnew(serverId: string): void {
    this.#parts.places.gone(serverId);
  }

  gone(serverId: string): void {
    const { presence, places, observatory, operator, isClosing } = this.#parts;
    // A server that ends its links itself has lost nobody.
    if (!isClosing()) places.gone(serverId);
    presence().serverGone(serverId);
    this.#parts.readers().serverGone(serverId);
    observatory.gone(serverId);
    operator().gone(serverId);
  }

  said(serverId: string, message: Talk): void {
    const { presence, places, observatory, operator, passes, audits } = this.#parts;
    switch (message.command) {
      case "ONLINE":
      case "ONLINE_CHANGE":
        places.heardOnline(serverId, message);
        return presence().heard(serverId, message);
      case "CHANNEL_WATCH":
      case "CHANNEL_READERS":
      case "CHANNEL_READER":
        return this.#parts.readers().heard(serverId, message);
      case "OBSERVE":
        return observatory.onObserve(serverId, message);
      case "OBSERVED":
        return observatory.onObserved(serverId, message);
      case "OPERATE":
      case "OPERATED":
        return operator().heard(serverId, message);
      case "PASS_SPENT":
        return passes().heard(message);
      case "AUDIT_END":
      case "AUDIT_KEPT":
        return audits().heard(serverId, message);
      default:
        return places.heard(serverId, message);
    }
  }

  announced(serverId: string, said: Announced): void {
    this.#parts.places.announced(serverId, said);
  }

  announcesNext(): boolean {
    return this.#parts.places.announcesNext();
  }

  joined(told: () => void): void {
    this.#parts.places.joined(told);
  }

  forgotten(vector: Vector): boolean {
    return this.#parts.forgotten(vector);
  }

  renumbered(former: string, numbers: ReadonlyMap<number, number>): void {
    this.#parts.places.renamed(former, numbers);
  }

  renamed(renumbering: Renumbering): void {
    this.#parts.renamed(renumbering);
  }

  cutBack(renumbering: Renumbering): void {
    this.#parts.cutBack(renumbering);
  }

  isClone(error: CloneError): void {
    this.#parts.isClone(error);
  }
}
