/**
 * `thrum-server drain`: asks a server, through its HTTP gateway, to hand its clients to others and to stop. Reports the
 * progress until the server has stopped. The caller hands in everything that this needs.
 */

import { counted } from "../../../protocol/counted.ts";
import { endpointText } from "../../../config/values.ts";
import type { Endpoint } from "../../../platform/address.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { HttpAnswer, HttpQuestion } from "../../../platform/http/http_client.ts";
import type { NetworkView, ServerView } from "../../../view/network_view.ts";

/** How it ended. */
export type DrainEnd =
  | { readonly kind: "stopped" }
  /** Nobody answers, or the answer is not a server's. */
  | { readonly kind: "unreachable"; readonly sentence: string }
  | { readonly kind: "refused"; readonly sentence: string };

/** What the command is run with. */
export interface DrainParts {
  readonly at: Endpoint;
  readonly token: string;
  readonly clock: Pick<Clock, "after">;
  readonly ask: (question: HttpQuestion) => Promise<HttpAnswer>;
  /** Takes a line for the person who waits. */
  readonly tell: (line: string) => void;
}

/** Between two looks. */
const LOOK_MS = 500;
/** A server that is busy handing over thousands of clients takes a while. */
const ANSWER_MS = 10_000;
/** After this many looks in a row without an answer, something else is wrong. */
const MAX_UNANSWERED = 3;

/** Asks the server to drain, and waits until it has stopped. */
export async function drainServer({ at, token, clock, ask, tell }: DrainParts): Promise<DrainEnd> {
  const where = endpointText(at);
  const asked = (method: "GET" | "POST", path: string, body?: string) =>
    ask({
      ...at,
      ...{ method, path, timeoutMs: ANSWER_MS },
      headers: { host: where, authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body }),
    });
  try {
    const { status, text } = await asked("POST", "/api/drain", "{}");
    if (status !== 202) return refusal(where, status, text);
  } catch (error) {
    return { kind: "unreachable", sentence: `No server answers at ${where}: ${reasonOf(error)}` };
  }
  tell(`${where} drains`);
  const stopped = (): DrainEnd => {
    tell(`${where} has stopped`);
    return { kind: "stopped" };
  };
  let told = "";
  let startedAt: number | null | undefined;
  for (let unanswered = 0; unanswered < MAX_UNANSWERED;) {
    try {
      const { status, text } = await asked("GET", "/api/network");
      // A server with another token, or with a fault, says nothing about the drained one.
      unanswered = status === 200 ? 0 : unanswered + 1;
      const self = status === 200 ? selfOf(text) : undefined;
      startedAt ??= self?.startedAt;
      // A service manager has started it again already.
      if (self !== undefined && self.startedAt !== startedAt) return stopped();
      const line = self && progressOf(self);
      if (line !== undefined && line !== told) tell(told = line);
    } catch (error) {
      if (codeOf(error) !== "ETIMEDOUT") return stopped();
      unanswered++;
    }
    await new Promise<void>((resolve) => clock.after(LOOK_MS, resolve));
  }
  return {
    kind: "unreachable",
    sentence: `${where} no longer answers, and its gateway is still open`,
  };
}

/** What the server that answers says of itself. */
function selfOf(text: string): ServerView | undefined {
  let view: NetworkView;
  try {
    view = JSON.parse(text);
  } catch {
    // Cut off as the server stopped: the next look finds no server.
    return undefined;
  }
  return view.servers?.[view.from];
}

/** How far the server is, in words; `undefined` while there is nothing to say. */
function progressOf({ draining }: ServerView): string | undefined {
  if (draining === null || draining === undefined) return undefined;
  const { total, left } = draining;
  if (left > 0) return `${left} of ${counted(total, "client")} left`;
  return total === 1 ? "1 client is handed over" : `all ${total} clients are handed over`;
}

function refusal(where: string, status: number, text: string): DrainEnd {
  if (status === 401 || status === 403 || status === 429) {
    return { kind: "refused", sentence: `The server at ${where} refuses: ${errorOf(text) ?? `status ${status}`}` };
  }
  return { kind: "unreachable", sentence: `The program at ${where} is no HTTP gateway of a thrum server` };
}

function errorOf(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text);
    return typeof error === "string" ? error : undefined;
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string }).code;
}

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (code === "ECONNREFUSED") return "nothing listens there";
  if (code === "ETIMEDOUT") return "no answer within ten seconds";
  if (code === "ENOTFOUND") return "no such host is known";
  return code ?? (error as Error).message;
}
