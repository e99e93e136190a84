/**
 * `thrum-server admin`: asks a server, through its HTTP gateway, for what an operator wants of the whole network. The
 * caller hands in everything that this needs, and has the token.
 */

import { endpointText } from "../../../config/values.ts";
import type { Endpoint } from "../../../platform/address.ts";
import type { HttpAnswer, HttpQuestion } from "../../../platform/http/http_client.ts";
import { counted } from "../../../protocol/counted.ts";
import type { NetworkView } from "../../../view/network_view.ts";
import { FORMER_SECRET_MS } from "../../node/order.ts";
import type { AdminTask } from "./admin_task.ts";
import {
  connectionsOf,
  connectionTable,
  type Emphasis,
  invitationTable,
  outcomeLines,
  roleTable,
  rulingTable,
  serverTable,
  shortId,
  type TimeText,
  type ToldInvitation,
  type ToldRoles,
  type ToldRuling,
  type ToldServer,
  userRows,
  userTable,
} from "./admin_text.ts";

/** What the command is run with. */
export interface AdminParts {
  readonly at: Endpoint;
  readonly token: string;
  readonly json: boolean;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly ask: (question: HttpQuestion) => Promise<HttpAnswer>;
  readonly time: TimeText;
  readonly emphasis: Emphasis;
  /** Gives the network's new secret, from a file or a person. Only called for the task `secret`. */
  newSecret(): Promise<string>;
}

/** How it ended. `lines` are for standard output. */
export type AdminEnd =
  | { readonly kind: "done"; readonly lines: readonly string[] }
  /** The order was given, and some servers have not carried it out. */
  | { readonly kind: "partly"; readonly lines: readonly string[]; readonly sentence: string }
  | { readonly kind: "refused"; readonly sentence: string }
  | { readonly kind: "unreachable"; readonly sentence: string };

/** A server waits five seconds for another one. */
const ANSWER_MS = 15_000;

/** The server said no. */
class Refusal extends Error {}

/** Nobody answers, or nobody who could. */
class Silence extends Error {}

/** Does `task`. */
export async function administer(task: AdminTask, parts: AdminParts): Promise<AdminEnd> {
  try {
    return await carryOut(task, parts);
  } catch (error) {
    if (error instanceof Refusal) return { kind: "refused", sentence: error.message };
    if (error instanceof Silence) return { kind: "unreachable", sentence: error.message };
    throw error;
  }
}

async function carryOut(task: AdminTask, parts: AdminParts): Promise<AdminEnd> {
  const { json, time, emphasis } = parts;
  const shown = (value: unknown, lines: () => readonly string[]): AdminEnd => ({
    kind: "done",
    lines: json ? [JSON.stringify(value)] : lines(),
  });
  switch (task.kind) {
    case "users": {
      const view = await asked(parts, "GET", "/api/network?only=users") as NetworkView;
      const { servers } = await asked(parts, "GET", "/api/network?only=servers") as NetworkView;
      const { rulings } = await asked(parts, "GET", "/api/rulings") as { rulings: readonly ToldRuling[] };
      const rows = userRows(view, rulings, (id) => servers[id]?.name ?? id, task.names);
      refuseUnknown(task.names, rows);
      return shown(rows, () => userTable(rows, time, emphasis));
    }
    case "bans": {
      const { rulings } = await asked(parts, "GET", "/api/rulings") as { rulings: readonly ToldRuling[] };
      return shown(rulings, () => rulingTable(rulings, time, emphasis));
    }
    case "servers": {
      const view = await asked(parts, "GET", "/api/network?only=servers") as NetworkView;
      return shown(view.servers, () => serverTable(view, emphasis));
    }
    case "connections": {
      const view = await asked(parts, "GET", "/api/network") as NetworkView;
      return shown(connectionsOf(view, task.user), () => connectionTable(view, task.user, time, emphasis));
    }
    case "rule": {
      const { rule: kind, about, lifts, lastsMs, why } = task;
      const until = lastsMs === undefined ? {} : { until: Math.ceil(parts.nowMs + lastsMs) };
      const body = { kind, about, ...(lifts ? { lifts } : {}), ...until, ...(why === undefined ? {} : { why }) };
      const said = await asked(parts, "POST", "/api/rule", body) as { about: string };
      return shown(said, () => [ruleText(task, said.about, "until" in until ? time(until.until!) : undefined)]);
    }
    case "reset": {
      const said = await asked(parts, "POST", "/api/reset", { user: task.user }) as { secret: string };
      return shown(said, () => [
        `The new secret of ${task.user} is ${emphasis.bold(said.secret)}`,
        emphasis.dim("It is shown this once, and kept nowhere. All its connections are closed."),
      ]);
    }
    case "invitations": {
      const said = await asked(parts, "GET", "/api/invitations") as { invitations: readonly ToldInvitation[] };
      return shown(said.invitations, () => invitationTable(said.invitations, time, emphasis));
    }
    case "invite": {
      const { uses, lastsMs, note } = task;
      const until = lastsMs === undefined ? undefined : Math.ceil(parts.nowMs + lastsMs);
      const body = { uses, ...(until === undefined ? {} : { until }), ...(note === undefined ? {} : { note }) };
      const said = await asked(parts, "POST", "/api/invite", body) as { code: string; id: string };
      const ends = until === undefined ? "" : `, until ${time(until)}`;
      return shown(said, () => [
        `The code is ${emphasis.bold(said.code)}`,
        emphasis.dim(`It is for ${counted(uses, "registration")}${ends}. It is shown this once.`),
        emphasis.dim(`withdraw ${shortId(said.id)} takes it back.`),
      ]);
    }
    case "withdraw": {
      const { invitation } = task;
      const said = await asked(parts, "POST", "/api/withdraw", { invitation }) as { id: string };
      return shown(said, () => [`Nobody registers with the invitation ${shortId(said.id)} any more`]);
    }
    case "roles": {
      const said = await asked(parts, "GET", "/api/roles") as ToldRoles;
      const users = task.names.length === 0 ? said.users : said.users.filter(({ user }) => task.names.includes(user));
      const missing = task.names.filter((name) => !users.some(({ user }) => user === name));
      if (missing.length > 0) {
        throw new Refusal(`Neither an operator nor the config, by name, gives a role to ${quotedNames(missing)}`);
      }
      const shownRoles = task.names.length === 0 ? said : { users, patterns: [] };
      return shown(shownRoles, () => roleTable(shownRoles, emphasis));
    }
    case "role": {
      const { user, roles } = task;
      const said = await asked(parts, "POST", "/api/role", { user, roles }) as { roles: readonly string[] };
      return shown(said, () => [`The roles of ${user} are ${said.roles.join(", ")}`]);
    }
    case "token": {
      const { role, ends } = task;
      const said = await asked(parts, "POST", "/api/token", { role, ...(ends ? { ends } : {}) }) as { token?: string };
      const may = role === "look" ? "look" : "look and act";
      return shown(said, () =>
        ends ? [`No token of the network lets its owner ${role} any more`] : [
          `Whoever has ${emphasis.bold(said.token ?? "")} may ${may}, at every server`,
          emphasis.dim("It is shown this once, and kept nowhere. The one before counts no more."),
        ]);
    }
    case "reload": {
      const { server } = task;
      const view = server === undefined
        ? undefined
        : await asked(parts, "GET", "/api/network?only=servers") as NetworkView;
      const body = view === undefined ? {} : { server: serverIn(view, server!) };
      return everywhere(parts, await asked(parts, "POST", "/api/reload", body));
    }
    case "secret": {
      const { lastsMs } = task;
      const body = { secret: await parts.newSecret(), ...(lastsMs === undefined ? {} : { lastsMs }) };
      const { dim } = emphasis;
      return everywhere(parts, await asked(parts, "POST", "/api/network-secret", body), [
        dim(`The former secret counts until ${time(Math.ceil(parts.nowMs + (lastsMs ?? FORMER_SECRET_MS)))}.`),
        dim("Where a config file or THRUM_SECRET has it, put the new one there: until then each start warns."),
      ]);
    }
    case "close":
      return everywhere(parts, await asked(parts, "POST", "/api/close", task.of));
    case "logLevel":
      return everywhere(parts, await asked(parts, "POST", "/api/log-level", { level: task.level }));
    case "closeOne": {
      const view = await asked(parts, "GET", "/api/network") as NetworkView;
      const found = connectionsOf(view, undefined).find(({ server, id }) =>
        id === task.connection && (server === task.server || view.servers[server]?.name === task.server)
      );
      if (found === undefined) throw new Refusal(`${task.server} has no connection ${task.connection}`);
      const { server, id: connection, since } = found;
      const said = await asked(parts, "POST", "/api/disconnect", { server, connection, since });
      return shown(said, () => [`Connection ${connection} of ${task.server} has ended`]);
    }
  }
}

/** What became of an order at each server, and `more` lines for people. */
function everywhere({ json }: AdminParts, said: unknown, more: readonly string[] = []): AdminEnd {
  const { servers } = said as { readonly servers: readonly ToldServer[] };
  const lines = json ? [JSON.stringify(servers)] : [...outcomeLines(servers), ...more];
  const missing = servers.filter(({ done }) => !done);
  if (missing.length === 0) return { kind: "done", lines };
  return { kind: "partly", lines, sentence: `Not done at ${missing.map(({ name }) => name).join(", ")}` };
}

/** The id of the server that is called so, or `HOST:PORT`. @throws {Refusal} when there is none. */
function serverIn({ servers }: Pick<NetworkView, "servers">, named: string): string {
  const found = Object.entries(servers).find(([id, { name }]) => id === named || name === named);
  if (found === undefined) throw new Refusal(`There is no server ${JSON.stringify(named)}`);
  return found[0];
}

/** @throws {Refusal} when one of `names` is in no row. */
function refuseUnknown(names: readonly string[], rows: readonly { readonly user: string }[]): void {
  const missing = names.filter((name) => !rows.some(({ user }) => user === name));
  if (missing.length > 0) throw new Refusal(`There is no user ${quotedNames(missing)}`);
}

function quotedNames(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(", ");
}

function ruleText(
  { rule, lifts }: Extract<AdminTask, { kind: "rule" }>,
  about: string,
  until: string | undefined,
): string {
  switch (rule) {
    case "ban":
      return lifts ? `${about} may come in again` : `${about} is banned${until === undefined ? "" : ` until ${until}`}`;
    case "bannedAddress":
      return lifts
        ? `Whoever comes from ${about} may come in again`
        : `Nobody comes in from ${about}${until === undefined ? "" : ` until ${until}`}`;
    case "disabled":
      return lifts ? `The account ${about} can be used again` : `The account ${about} is disabled`;
    case "deleted":
      return `The account ${about} is deleted. Nobody gets its name`;
  }
}

/** The answer of the gateway, as what its JSON says. @throws {Refusal | Silence} */
async function asked(
  { at, token, ask }: AdminParts,
  method: "GET" | "POST",
  path: string,
  body?: unknown,
): Promise<unknown> {
  const where = endpointText(at);
  let answer: HttpAnswer;
  try {
    answer = await ask({
      ...at,
      ...{ method, path, timeoutMs: ANSWER_MS },
      headers: { host: where, authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    const { code = (error as Error).message } = error as { code?: string };
    const why = code === "ECONNREFUSED" ? "nothing listens there" : code === "ETIMEDOUT" ? "no answer came" : code;
    throw new Silence(`No server answers at ${where}: ${why}`);
  }
  let said: { readonly error?: unknown };
  try {
    said = JSON.parse(answer.text);
  } catch {
    throw new Silence(`The program at ${where} is no HTTP gateway of a thrum server`);
  }
  if (answer.status === 200) return said;
  const why = typeof said?.error === "string" ? said.error : `status ${answer.status}`;
  // A server that does not know the path is of an earlier version.
  if (answer.status === 404 && why === "there is nothing here") {
    throw new Refusal(`The server at ${where} is of an earlier version, and cannot do this`);
  }
  throw new Refusal(`The server at ${where} refuses: ${why}`);
}
