/**
 * Values as people write them. Reads the text of a command line or of an answer into the program's units. Each reader
 * describes the allowed values in the same words everywhere, as the end of the sentence "must be …". Pure.
 */

import type { Endpoint } from "../platform/address.ts";

/** Both ends belong to the range. */
export interface Range {
  readonly least: number;
  readonly most: number;
}

/** Reads one kind of value. */
export interface Reader<T> {
  /** The allowed values in words, e.g. `"a number from 1 to 100"`. */
  readonly allowed: string;
  /** The value, or `undefined` where `text` is not allowed. */
  read(text: string): T | undefined;
}

/** 0 takes a free port. */
export const LISTENING_PORTS: Range = { least: 0, most: 65_535 };
export const CALLED_PORTS: Range = { least: 1, most: 65_535 };

/** At most a day: together with the two below it keeps every deadline within the 24 days that a timer can count. */
export const IDLE_TIMEOUT_MS: Range = { least: 1, most: 86_400_000 };
export const HEARTBEAT_INTERVAL_MS: Range = { least: 1, most: 3_600_000 };
export const HEARTBEAT_COUNT: Range = { least: 1, most: 100 };
/** Between two data messages of a client, or between two announcements of a server. */
export const SEND_INTERVAL_MS: Range = { least: 1, most: 3_600_000 };
/** How long a client may withhold its answers; 0 answers all. */
export const BLOCK_MS: Range = { least: 0, most: 86_400_000 };

/** How long a command of a client listens. */
export const LISTENING_MS: Range = { least: 1, most: 86_400_000 };
/** How many activities and messages a command of a client waits for. */
export const COUNT: Range = { least: 1, most: 1_000_000_000 };
/** How much of the past a client begins with; 0 begins with nothing. */
export const LAST: Range = { least: 0, most: 1_000_000_000 };

/** Waits between servers; 0 does not wait. */
export const WAIT_MS: Range = { least: 0, most: 3_600_000 };
/** A window in which activities are put in order. */
export const WINDOW_MS: Range = { least: 1, most: 3_600_000 };
/** How much a server takes, compared to others. */
export const WEIGHT: Range = { least: 1, most: 1_000 };

/** How long a trace may become, in mebibytes. */
export const TRACE_LIMIT_MIB: Range = { least: 1, most: 1_048_576 };
export const DURABILITIES = ["local", "replicated"] as const;
export const LOG_LEVELS = ["trace", "debug", "info", "warning", "error", "fatal"] as const;
export const LOG_FORMATS = ["text", "json"] as const;

/** A whole number. `what` names it: `"a port"`, `"milliseconds"`. */
export function wholeNumber(what: string, range: Range): Reader<number> {
  return {
    allowed: `${what} from ${range.least} to ${range.most}`,
    read: (text) => /^\d{1,15}$/.test(text) ? within(Number(text), range) : undefined,
  };
}

/** Seconds, fractions allowed, read into whole milliseconds. `range` is in milliseconds. */
export function seconds(range: Range): Reader<number> {
  return {
    allowed: `seconds from ${secondsText(range.least)} to ${secondsText(range.most)}, fractions allowed`,
    read: (text) => /^(\d+\.?\d*|\.\d+)$/.test(text) ? within(Math.round(Number(text) * 1000), range) : undefined,
  };
}

/** One of a few words. */
export function oneOf<const T extends string>(words: readonly T[]): Reader<T> {
  return { allowed: wordList(words), read: (text) => words.find((word) => word === text) };
}

/** Any text but an empty one. `what` names it: `"a file"`. */
export function text(what: string): Reader<string> {
  return { allowed: what, read: (given) => given === "" ? undefined : given };
}

/** A host name or an address. */
export const HOST: Reader<string> = {
  allowed: "a host name or an address",
  read: (given) => isHost(given) ? given : undefined,
};

/** Whether `given` can be a host name or an address. Whether it exists shows when it is used. */
export function isHost(given: string): boolean {
  return /^[\p{L}\p{N}._:%-]{1,255}$/u.test(given);
}

/** Whether `given` can be an address, of either kind, and no name. */
export function isAddress(given: string): boolean {
  return /^(?:\d{1,3}(?:\.\d{1,3}){3}|(?=.{2,45}$)[0-9a-f:.]*:[0-9a-f:.]*)$/i.test(given);
}

/** `HOST:PORT`; an IPv6 address stands in brackets. `undefined` for anything else. */
export function parseEndpoint(given: string): Endpoint | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(given) ?? [];
  const host = bracketed ?? plain ?? "";
  const port = Number(digits);
  return isHost(host) && port >= CALLED_PORTS.least && port <= CALLED_PORTS.most ? { host, port } : undefined;
}

/** An address as text: the opposite of `parseEndpoint`. */
export function endpointText({ host, port }: Endpoint): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Where an HTTP gateway is, as servers tell each other: `HOST:PORT`, and `https://HOST:PORT` with TLS. */
export function gatewayText(endpoint: Endpoint, isSecure: boolean): string {
  return `${isSecure ? SECURE : ""}${endpointText(endpoint)}`;
}

/** The opposite of `gatewayText`. `undefined` for anything else. */
export function parseGateway(given: string): { readonly endpoint: Endpoint; readonly isSecure: boolean } | undefined {
  const isSecure = given.startsWith(SECURE);
  const endpoint = parseEndpoint(isSecure ? given.slice(SECURE.length) : given);
  return endpoint && { endpoint, isSecure };
}

const SECURE = "https://";

/** A server to call: a host, and perhaps a port behind it. */
export const SERVER_ADDRESS: Reader<{ readonly host: string; readonly port?: number }> = {
  allowed: "HOST or HOST:PORT",
  read(given) {
    const endpoint = parseEndpoint(given);
    if (endpoint !== undefined) return endpoint;
    // One colon is no IPv6 address: the port behind it is none.
    const isHostAlone = isHost(given) && given.split(":").length !== 2;
    return isHostAlone ? { host: given } : undefined;
  },
};

/** The address where a gateway listens. */
export const LISTEN_ADDRESS: Reader<Endpoint> = {
  allowed: "HOST:PORT, or a port from 0 to 65535 on this machine alone",
  read: parseListenAddress,
};

/** `HOST:PORT`, or a port alone for this machine only. `undefined` for anything else. */
export function parseListenAddress(given: string): Endpoint | undefined {
  const [, bracketed, plain, digits] = /^(?:(?:\[([^\]]+)\]|([^:]+)):)?(\d{1,5})$/.exec(given) ?? [];
  const host = bracketed ?? plain ?? "127.0.0.1";
  const port = Number(digits);
  return isHost(host) && port >= LISTENING_PORTS.least && port <= LISTENING_PORTS.most ? { host, port } : undefined;
}

/**
 * The token that opens the HTTP gateway to other machines, and to changes. It has to be plain text, as it stands in a
 * header.
 */
export const TOKEN: Reader<string> = {
  allowed: "16 to 256 letters, digits or signs without spaces",
  read: (given) => isToken(given) ? given : undefined,
};

/** Whether `given` can be a token. */
export function isToken(given: string): boolean {
  return /^[!-~]{16,256}$/.test(given);
}

/** A secret of an account or of a network. */
export const SECRET: Reader<string> = {
  allowed: "1 to 256 characters, no control characters",
  read: (given) => given !== "" && isSecret(given) ? given : undefined,
};

/** Whether `given` can be a secret; an empty one stands for none. */
export function isSecret(given: string): boolean {
  return given.length <= 256 && !/\p{Cc}/u.test(given);
}

/** A span in milliseconds as people read it: `10000` is `"10"`, `250` is `"0.25"`. */
export function secondsText(spanMs: number): string {
  return String(spanMs / 1000);
}

/** `"a"`, `"a or b"`, `"a, b or c"`. */
export function wordList(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/**
 * `text` in double quotes, for a message of one line. Characters that would break the line or the terminal are escaped.
 */
export function quoted(given: string): string {
  // JSON escapes only characters below 0x20. These others move a terminal's cursor, or turn its text round.
  return JSON.stringify(given).replace(
    /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function within(value: number, range: Range): number | undefined {
  return value >= range.least && value <= range.most ? value : undefined;
}
