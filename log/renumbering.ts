/** What becomes of entries whose numbers were given out twice. Pure. */

/** Numbers that were given out twice, and what becomes of what stood under them here. */
export interface Renumbering {
  /** What it had, under its former name: everything after `after`. */
  readonly origin: string;
  readonly after: number;
  /** How it is called now, and the numbers there of the former ones; `undefined` where it is gone. */
  readonly now?: { readonly origin: string; readonly numbers: ReadonlyMap<number, number> };
}
