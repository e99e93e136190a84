/**
 * What servers tell each other of whole origins, beside the log: as types, and how they are read. Servers of older versions pass over these commands. Field meanings
 * are in docs/protocol.md, section 4.9.
 */

import { FieldProblem, type Fields, integerField, optionalStringField, stringField } from "./fields.ts";
import { isServerId } from "./server_id.ts";

/** Entries `first` to `last` of `origin` were given out twice, as an old copy of its data was put back. Clients may have seen others under these ids than the log has. */
export interface RetractedMessage {
  readonly command: "RETRACTED";
  readonly origin: string;
  readonly first: number;
  readonly last: number;
}

/** The receiver runs on a copy of a data folder whose server is in the network. Followed by the end of the link. */
export interface ClonedMessage {
  readonly command: "CLONED";
  readonly info: string;
}

/** All of them. */
export type OriginMessage = RetractedMessage | ClonedMessage;

/** Reads one; `undefined` for another command. @throws {FieldProblem} */
export function readOriginMessage(command: string, fields: Fields): OriginMessage | undefined {
  switch (command) {
    case "RETRACTED": {
      const first = integerField(fields.first, "first", 1, Number.MAX_SAFE_INTEGER);
      const last = integerField(fields.last, "last", first, Number.MAX_SAFE_INTEGER);
      return { command, origin: originField(fields.origin), first, last };
    }
    case "CLONED":
      return { command, info: optionalStringField(fields.info, "info") ?? "" };
  }
  return undefined;
}

function originField(value: unknown): string {
  const origin = stringField(value, "origin");
  if (!isServerId(origin)) throw new FieldProblem('"origin" is not the name of a server');
  return origin;
}
