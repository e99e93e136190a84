/**
 * The numbers of a server that no other server can know or reckon. The server tells them, others pass them on, and
 * pages show them. Everything between the server and the page goes by this list. Pure.
 */

/**
 * Each number, with the value that stands for a missing or wrong one: `null` where the number is unknown then, 0 where
 * nothing counts as none.
 */
export const SERVER_NUMBERS = {
  /** Entries that the server has accepted since its start. */
  published: null,
  /** The memory of its process. */
  memoryBytes: null,
  /** When the first of its certificates ends, in milliseconds since 1970; `null` without TLS, too. */
  certificateEndsAt: null,
} as const satisfies Readonly<Record<string, 0 | null>>;

/** Their names. */
type Name = keyof typeof SERVER_NUMBERS;

/** The numbers of one server. */
export type ServerNumbers = {
  readonly [Key in Name]: typeof SERVER_NUMBERS[Key] extends 0 ? number : number | null;
};

/** The same, where a server may not know one of its own numbers. */
export type OwnNumbers = { readonly [Key in Name]: number | undefined };

/** The numbers among `facts`. */
export function serverNumbers(facts: OwnNumbers): ServerNumbers {
  const names = Object.keys(SERVER_NUMBERS) as Name[];
  return Object.fromEntries(names.map((name) => [name, facts[name] ?? SERVER_NUMBERS[name]])) as ServerNumbers;
}
