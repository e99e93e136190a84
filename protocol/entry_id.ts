/** The identity of an entry: `"<origin>:<sequence>"`. Pure. */

/** One entry of one origin. */
export interface EntryId {
  readonly origin: string;
  readonly sequence: number;
}

/** The identity as the wire carries it. */
export function formatEntryId({ origin, sequence }: EntryId): string {
  return `${origin}:${sequence}`;
}

/** The identity in `text`; `undefined` if there is none. */
export function parseEntryId(text: string): EntryId | undefined {
  const colon = text.lastIndexOf(":");
  const sequence = Number(text.slice(colon + 1));
  return colon > 0 && Number.isSafeInteger(sequence) && sequence > 0
    ? { origin: text.slice(0, colon), sequence }
    : undefined;
}
