/** The identity of an entry: `"<origin>:<sequence>"`. Pure. */

/** One entry of one origin. */
export interface EntryId {
  readonly origin: string;
  readonly sequence: number;
}

/** As the wire carries it. */
export function formatEntryId({ origin, sequence }: EntryId): string {
  return `${origin}:${sequence}`;
}

/** `undefined` for what is no identity. */
export function parseEntryId(text: string): EntryId | undefined {
  const colon = text.lastIndexOf(":");
  const sequence = Number(text.slice(colon + 1));
  return colon > 0 && Number.isSafeInteger(sequence) && sequence > 0
    ? { origin: text.slice(0, colon), sequence }
    : undefined;
}
