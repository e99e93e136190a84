/** What the words behind `thrum-server admin` mean. Pure. */

import { parseAddressRange } from "../../../config/address_range.ts";
import { UsageError } from "../../../config/flags.ts";
import { parseSince } from "../../../config/since.ts";
import { LOG_LEVELS, quoted, wordList } from "../../../config/values.ts";

/** A question to the server that is asked, or something that it does. */
export type AdminTask =
  | { readonly kind: "users"; readonly names: readonly string[] }
  | { readonly kind: "bans" }
  | { readonly kind: "connections"; readonly user: string | undefined }
  | { readonly kind: "servers" }
  | {
    readonly kind: "rule";
    readonly rule: "ban" | "bannedAddress" | "disabled" | "deleted";
    readonly about: string;
    readonly lifts: boolean;
    /** For how long, in milliseconds. */
    readonly lastsMs?: number;
    readonly why?: string;
  }
  | { readonly kind: "reset"; readonly user: string }
  | { readonly kind: "close"; readonly of: { readonly user: string } | { readonly address: string } }
  | { readonly kind: "closeOne"; readonly server: string; readonly connection: string }
  | { readonly kind: "logLevel"; readonly level: string }
  | { readonly kind: "invitations" }
  | { readonly kind: "invite"; readonly uses: number; readonly lastsMs?: number; readonly note?: string }
  | { readonly kind: "withdraw"; readonly invitation: string }
  /** Roles, of `names` alone where there are any. */
  | { readonly kind: "roles"; readonly names: readonly string[] }
  /** Roles that a user is given in place of those of before. */
  | { readonly kind: "role"; readonly user: string; readonly roles: readonly string[] }
  /** Servers read their configurations anew; `server` alone where one is named. */
  | { readonly kind: "reload"; readonly server: string | undefined }
  /** Another secret for the network; the former one counts for so long. */
  | { readonly kind: "secret"; readonly lastsMs?: number }
  | { readonly kind: "token"; readonly role: string; readonly ends: boolean };

/** Flags that say more of a task. */
export interface AdminTerms {
  readonly for?: string | undefined;
  readonly why?: string | undefined;
  readonly note?: string | undefined;
}

/** The tasks: what is written behind each, and what it does. In the order of the help. */
export const ADMIN_TASKS: Readonly<Record<string, { readonly takes: string; readonly does: string }>> = {
  users: { takes: "[NAME…]", does: "who is registered or online, where, and who is kept out" },
  ban: { takes: "NAME", does: "let NAME in nowhere; with --for SPAN until then, with --why TEXT for a reason" },
  unban: { takes: "NAME", does: "let NAME in again" },
  "ban-address": { takes: "RANGE", does: "let nobody in from an address, or a range such as 10.0.0.0/8" },
  "unban-address": { takes: "RANGE", does: "let them in again" },
  bans: { takes: "", does: "what is laid down: bans, disabled and deleted accounts, new secrets" },
  disable: { takes: "NAME", does: "let nobody use the account, until enable" },
  enable: { takes: "NAME", does: "let it be used again" },
  delete: { takes: "NAME", does: "delete the account for good; nobody else gets the name" },
  reset: { takes: "NAME", does: "give the account a new secret, and show it once" },
  connections: { takes: "[NAME]", does: "all connections, or those of NAME" },
  close: { takes: "NAME", does: "end all connections of NAME, who may come back" },
  "close-address": { takes: "RANGE", does: "the same for an address, or a range" },
  "close-one": { takes: "SERVER CONNECTION", does: "end one connection, as connections names it" },
  "log-level": { takes: "LEVEL", does: `how much all servers write into their logs: ${wordList(LOG_LEVELS)}` },
  invite: {
    takes: "[USES]",
    does: "make a code with which somebody may register, once or USES times; --for says how long, --note what for",
  },
  invitations: { takes: "", does: "the invitations, how often each was used, and until when it is good" },
  withdraw: { takes: "INVITATION", does: "take one back: its name as invitations shows it, or its code" },
  roles: { takes: "[NAME…]", does: "who has which role, by the config or by an operator" },
  role: { takes: "NAME [ROLE…]", does: "give NAME these roles in place of those given before; none takes them all" },
  token: { takes: "ROLE", does: "make a token that counts at every server, to look or to act, and show it once" },
  "end-token": { takes: "ROLE", does: "let that token count no more" },
  reload: {
    takes: "[SERVER]",
    does: "let all servers read their own config files anew, or SERVER alone, and say what counts from now on",
  },
  secret: {
    takes: "",
    does:
      "give the network another secret, typed or from --secret-file; the former one counts for a day, or --for SPAN",
  },
  servers: { takes: "", does: "the servers of the network" },
};

/**
 * The task in `words`.
 * @throws {UsageError} when it is none, or the words behind it are others than it takes.
 */
export function readAdminTask(words: readonly string[], { for: span, why, note }: AdminTerms = {}): AdminTask {
  const [name, ...rest] = words;
  if (name === undefined) throw new UsageError(`admin needs a task: ${wordList(Object.keys(ADMIN_TASKS))}`);
  if (!Object.hasOwn(ADMIN_TASKS, name)) {
    throw new UsageError(`${quoted(name)} is no task of admin. There are ${wordList(Object.keys(ADMIN_TASKS))}`);
  }
  const { takes } = ADMIN_TASKS[name]!;
  const taken = takes === "" ? [] : takes.split(" ");
  const most = takes.endsWith("…]") ? Infinity : taken.length;
  const least = taken.filter((word) => !word.startsWith("[")).length;
  if (rest.length < least || rest.length > most) {
    throw new UsageError(`admin ${name} takes ${takes === "" ? "nothing more" : takes}`);
  }
  const [first = "", second = ""] = rest;
  const mayEnd = name === "invite" || name === "secret";
  const isBan = name === "ban" || name === "ban-address";
  if (span !== undefined && !isBan && !mayEnd) {
    throw new UsageError("--for says how long a ban, an invitation or a former secret lasts: it means nothing here");
  }
  if (why !== undefined && !isBan && name !== "disable" && name !== "delete") {
    throw new UsageError("--why says why somebody is kept out: it means nothing here");
  }
  if (note !== undefined && name !== "invite") {
    throw new UsageError("--note says what an invitation is for: it means nothing here");
  }
  if (name.endsWith("-address") && parseAddressRange(first) === undefined) {
    throw new UsageError(`${quoted(first)} is no address and no range such as 10.0.0.0/8`);
  }
  const terms = { ...(span === undefined ? {} : { lastsMs: spanOf(span) }), ...(why === undefined ? {} : { why }) };
  const rule = (rule: Extract<AdminTask, { kind: "rule" }>["rule"], lifts = false): AdminTask => ({
    ...{ kind: "rule", rule, about: first, lifts },
    ...terms,
  });
  switch (name) {
    case "users":
      return { kind: "users", names: rest };
    case "roles":
      return { kind: "roles", names: rest };
    case "role":
      return { kind: "role", user: first, roles: rest.slice(1) };
    case "reload":
      return { kind: "reload", server: rest[0] };
    case "secret":
      return { kind: "secret", ...terms };
    case "withdraw":
      return { kind: "withdraw", invitation: first };
    case "bans":
    case "servers":
    case "invitations":
      return { kind: name };
    case "connections":
      return { kind: "connections", user: rest[0] };
    case "ban":
      return rule("ban");
    case "unban":
      return rule("ban", true);
    case "ban-address":
      return rule("bannedAddress");
    case "unban-address":
      return rule("bannedAddress", true);
    case "disable":
      return rule("disabled");
    case "enable":
      return rule("disabled", true);
    case "delete":
      return rule("deleted");
    case "reset":
      return { kind: "reset", user: first };
    case "close":
      return { kind: "close", of: { user: first } };
    case "close-address":
      return { kind: "close", of: { address: first } };
    case "invite": {
      if (rest[0] !== undefined && !/^[1-9]\d{0,5}$/.test(first)) {
        throw new UsageError(`USES must be a number from 1 on, not ${quoted(first)}`);
      }
      return { kind: "invite", uses: Number(rest[0] ?? "1"), ...terms, ...(note === undefined ? {} : { note }) };
    }
    case "token":
    case "end-token":
      if (first !== "look" && first !== "act") {
        throw new UsageError(`The role must be look or act, not ${quoted(first)}`);
      }
      return { kind: "token", role: first, ends: name === "end-token" };
    case "close-one":
      return { kind: "closeOne", server: first, connection: second };
    default: {
      if (!(LOG_LEVELS as readonly string[]).includes(first)) {
        throw new UsageError(`The level must be ${wordList(LOG_LEVELS)}, not ${quoted(first)}`);
      }
      return { kind: "logLevel", level: first };
    }
  }
}

/** What `admin --help` says. `heading` may make its headings stand out. */
export function adminHelpText(program: string, heading: (text: string) => string): string {
  const rows = Object.entries(ADMIN_TASKS).map(([name, { takes, does }]) =>
    [`${name} ${takes}`.trimEnd(), does] as const
  );
  const width = Math.max(...rows.map(([label]) => label.length));
  return [
    `${heading("Usage")}  ${program} admin TASK … [flags]`,
    "",
    "Does at any server what an operator wants of all servers of the network.",
    "",
    heading("Tasks"),
    ...rows.map(([label, does]) => `  ${label.padEnd(width)}  ${does}`),
    "",
    heading("Flags"),
    "  --http [HOST:]PORT   the HTTP gateway of the server that is asked",
    "  --data DIR, --port   where that server keeps its token, if it is on this machine",
    "  --token-file FILE    read the token from FILE, which only you should be able to read",
    "  --for SPAN           how long a ban, an invitation or a former secret lasts: 30m, 2h, 7d",
    "  --why TEXT           what the one who is kept out reads",
    "  --note TEXT          what an invitation is for, for the list of them",
    "  --secret-file FILE   read the network's new secret from FILE (secret only)",
    "  --json               answers as JSON",
    "",
    "The token is taken from --token-file, THRUM_HTTP_TOKEN, the config file or the",
    "data folder, or asked for on a terminal. No flag takes it: every user of the",
    "machine can read command lines. The same holds for the network's secret.",
    "",
  ].join("\n");
}

function spanOf(given: string): number {
  const span = parseSince(given);
  if (span?.kind !== "span" || span.ms <= 0) {
    throw new UsageError(`--for must be a time span such as 30m, 2h or 7d, not ${quoted(given)}`);
  }
  return span.ms;
}
