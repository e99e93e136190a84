/** The answers of `thrum-server admin` as tables for people. Strangers chose the names in them. Pure. */

import { textWidth } from "../../../client/terminal/screen/text_width.ts";
import { visible } from "../../../client/terminal/screen/visible.ts";
import { counted } from "../../../protocol/counted.ts";
import type { NetworkView } from "../../../view/network_view.ts";

/** A ruling as the gateway tells it. */
export interface ToldRuling {
  readonly kind: string;
  readonly about: string;
  readonly until?: number;
  readonly why?: string;
  readonly by: string;
}

/** An invitation as the gateway tells it. */
export interface ToldInvitation {
  readonly id: string;
  readonly uses: number;
  readonly used: number;
  /** Milliseconds since 1970; `null` for ever. */
  readonly until: number | null;
  readonly state: "open" | "usedUp" | "ended";
  readonly note?: string;
  readonly by?: string;
}

/** Roles as the gateway tells them. */
export interface ToldRoles {
  readonly users: readonly {
    readonly user: string;
    readonly roles: readonly string[];
    readonly given: readonly string[];
  }[];
  readonly patterns: readonly { readonly role: string; readonly users: readonly string[] }[];
}

/** What became of an order at one server. */
export interface ToldServer {
  readonly server: string;
  readonly name: string;
  readonly done: boolean;
  readonly count?: number;
  /** Keys of the configuration: those that count now, and those that need a start. */
  readonly changed?: readonly string[];
  readonly kept?: readonly string[];
  readonly error?: string;
}

/** Times as the reader's machine has them. */
export type TimeText = (wallMs: number) => string;

/** What stands out. */
export interface Emphasis {
  bold(text: string): string;
  dim(text: string): string;
}

/** Users, one a row. */
export type UserRow = {
  readonly user: string;
  /** Names of servers. */
  readonly online: readonly string[];
  readonly waiting: number;
  readonly lastSeen: number | null;
  readonly state: readonly ToldRuling[];
};

const SHORT_ID = 8;
const KEPT_OUT: Readonly<Record<string, string>> = {
  ban: "banned",
  bannedAddress: "banned",
  disabled: "disabled",
  deleted: "deleted",
  secret: "new secret",
};

/** The users of a view with what is laid down about them; of `names` alone where there are any. */
export function userRows(
  { users, waiting, lastSeen }: Pick<NetworkView, "users" | "waiting" | "lastSeen">,
  rulings: readonly ToldRuling[],
  nameOf: (serverId: string) => string,
  names: readonly string[],
): UserRow[] {
  const about = Map.groupBy(
    rulings.filter(({ kind }) => kind !== "bannedAddress" && kind !== "secret"),
    (ruling) => ruling.about,
  );
  const known = new Set([...Object.keys(users), ...about.keys()]);
  const wanted = names.length === 0 ? [...known] : names.filter((name) => known.has(name));
  return wanted.sort().map((user) => ({
    user,
    online: (users[user] ?? []).map(nameOf),
    waiting: waiting[user] ?? 0,
    lastSeen: lastSeen[user] ?? null,
    state: about.get(user) ?? [],
  }));
}

/** The table of users. */
export function userTable(rows: readonly UserRow[], time: TimeText, emphasis: Emphasis): string[] {
  return tableOf(
    ["USER", "ONLINE AT", "WAITING", "LAST SEEN", "KEPT OUT"],
    rows.map(({ user, online, waiting, lastSeen, state }) => [
      visible(user),
      online.length === 0 ? "–" : online.join(", "),
      waiting === 0 ? "–" : String(waiting),
      online.length > 0 ? "now" : lastSeen === null ? "–" : time(lastSeen),
      state.length === 0 ? "–" : state.map((ruling) => stateText(ruling, time)).join("; "),
    ]),
    emphasis,
  );
}

/** The table of what is laid down. */
export function rulingTable(rulings: readonly ToldRuling[], time: TimeText, emphasis: Emphasis): string[] {
  return tableOf(
    ["WHO", "WHAT", "UNTIL", "WHY", "BY"],
    rulings.map(({ kind, about, until, why, by }) => [
      visible(about),
      KEPT_OUT[kind] ?? visible(kind),
      until === undefined ? "–" : time(until),
      why === undefined ? "–" : visible(why),
      by === "" ? "–" : visible(by),
    ]),
    emphasis,
  );
}

/** The beginning of the name of an invitation: enough to tell it from others. */
export function shortId(id: string): string {
  return id.slice(0, SHORT_ID);
}

/** The table of invitations. */
export function invitationTable(invitations: readonly ToldInvitation[], time: TimeText, emphasis: Emphasis): string[] {
  return tableOf(
    ["INVITATION", "USED", "UNTIL", "STATE", "NOTE", "BY"],
    invitations.map(({ id, uses, used, until, state, note, by }) => [
      ...[shortId(id), `${used} of ${uses}`, until === null ? "–" : time(until)],
      state === "usedUp" ? "used up" : state,
      note === undefined ? "–" : visible(note),
      by === undefined || by === "" ? "–" : visible(by),
    ]),
    emphasis,
  );
}

/** The table of roles: of users, and below it what the config says of names that match a pattern. */
export function roleTable({ users, patterns }: ToldRoles, emphasis: Emphasis): string[] {
  const list = (words: readonly string[]) => words.length === 0 ? "–" : words.map(visible).join(", ");
  const rows = users.map(({ user, roles, given }) => [visible(user), list(roles), list(given)]);
  const table = tableOf(["USER", "ROLES", "GIVEN BY AN OPERATOR"], rows, emphasis);
  if (patterns.length === 0) return table;
  const configured = patterns.map(({ role, users }) => [visible(role), list(users)]);
  return [...table, "", ...tableOf(["ROLE OF THE CONFIG", "NAMES"], configured, emphasis)];
}

/** The table of servers. */
export function serverTable({ servers }: Pick<NetworkView, "servers">, emphasis: Emphasis): string[] {
  return tableOf(
    ["SERVER", "ID", "STATE", "CLIENTS", "VERSION"],
    Object.entries(servers).map(([id, { name, state, load, version }]) => [
      ...[visible(name), visible(id), state === "self" ? "this one" : state, String(load), visible(version) || "–"],
    ]),
    emphasis,
  );
}

/** The table of connections; of one user where `user` says so. */
export function connectionTable(
  view: Pick<NetworkView, "connections" | "servers">,
  user: string | undefined,
  time: TimeText,
  emphasis: Emphasis,
): string[] {
  const rows = connectionsOf(view, user).map(({ server, id, ...seen }) => [
    ...[view.servers[server]?.name ?? server, id, seen.user === "" ? "–" : visible(seen.user), visible(seen.address)],
    ...[seen.kind, seen.over, time(seen.since)],
  ]);
  return tableOf(["SERVER", "CONNECTION", "USER", "ADDRESS", "KIND", "OVER", "SINCE"], rows, emphasis);
}

/** The connections of a view, each with its server. */
export function connectionsOf({ connections }: Pick<NetworkView, "connections">, user: string | undefined) {
  return Object.entries(connections).flatMap(([server, seen]) =>
    Object.entries(seen).filter(([, one]) => user === undefined || one.user === user)
      .map(([id, one]) => ({ server, id, ...one }))
  );
}

/** What became of an order at each server, a line each. */
export function outcomeLines(servers: readonly ToldServer[]): string[] {
  const width = Math.max(...servers.map(({ name }) => textWidth(name)));
  return servers.map((server) => `${server.name.padEnd(width)}  ${outcomeOf(server)}`);
}

function outcomeOf({ done, count, changed, kept, error = "" }: ToldServer): string {
  if (!done) return `not done: ${visible(error)}`;
  if (count !== undefined) return `${counted(count, "connection")} ended`;
  if (changed === undefined || kept === undefined) return "done";
  const needsStart = kept.length === 0 ? "" : `; at the next start: ${kept.map(visible).join(", ")}`;
  return `${changed.length === 0 ? "nothing changed" : `changed: ${changed.map(visible).join(", ")}`}${needsStart}`;
}

function stateText({ kind, until, why }: ToldRuling, time: TimeText): string {
  const ends = until === undefined ? "" : ` until ${time(until)}`;
  return `${KEPT_OUT[kind] ?? kind}${ends}${why === undefined ? "" : ` (${visible(why)})`}`;
}

/** Columns as wide as what is in them, two apart. */
function tableOf(heads: readonly string[], rows: readonly (readonly string[])[], { bold, dim }: Emphasis): string[] {
  if (rows.length === 0) return [dim("none")];
  const widths = heads.map((head, column) => Math.max(...[head, ...rows.map((row) => row[column]!)].map(textWidth)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) => cell + " ".repeat(widths[column]! - textWidth(cell))).join("  ").trimEnd();
  return [bold(line(heads)), ...rows.map(line)];
}
