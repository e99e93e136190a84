/**
 * How a person comes into the chat: the server, the name, whether the name is new, and the password. The values of the
 * last time are offered. A person who names an account is asked for its password at once. A wrong password or an
 * unknown name does not start everything over.
 */

import { ask } from "../../../config/prompts.ts";
import { endpointText, parseEndpoint } from "../../../config/values.ts";
import { ANONYMOUS, secretProblem } from "../../../protocol/names.ts";
import { RefusedError } from "../../errors.ts";
import type { Client } from "../../options.ts";
import { type CommandParts, enter, type EnterParts } from "../command.ts";
import { styleNotice } from "../notices.ts";
import { askHidden, askYesNo } from "../screen/hidden_prompt.ts";
import { askNewSecret, askUsername, type Identity, NOBODY, settleIdentity, tellIfUnknown } from "../identity.ts";
import { isSame, type Remembered, rememberedText, secretFor, toKeep } from "./remembered_login.ts";

/** The step after a refusal: another question, or the end. */
export interface AfterRefusal {
  readonly next: "name" | "password" | "end";
  /** For the person. */
  readonly info: string;
}

/** After this many wrong passwords the session ends. */
export const MAX_WRONG_PASSWORDS = 3;

/**
 * The step after a refusal for `reason`, after `wrong` wrong passwords with this one; `undefined` if no typed answer
 * would help.
 */
export function afterRefusal(reason: string | undefined, wrong: number): AfterRefusal | undefined {
  switch (reason) {
    case "UNKNOWN_USER":
      return { next: "name", info: "User not found. Try another name or register as a new user." };
    case "NAME_TAKEN":
      return { next: "name", info: "That name is taken. Try another one, or log in with its password." };
    case "LOOKS_ALIKE":
      return { next: "name", info: "That name looks like one that exists. Try another one." };
    case "NOT_ALLOWED":
      return { next: "name", info: "That name is not allowed here. Try another one." };
    case "WRONG_SECRET":
      return wrong < MAX_WRONG_PASSWORDS
        ? { next: "password", info: "Wrong password. Try again." }
        : { next: "end", info: "Wrong password." };
  }
  return undefined;
}

/** Offers the last server if nobody named one. Returns the parts for the chosen server. */
export async function settleServer(parts: CommandParts, kept: Remembered | undefined): Promise<CommandParts> {
  const { args, server, stdio, reach } = parts;
  const { host, port } = args.layer.server ?? {};
  const isSaid = host !== undefined || port !== undefined || args.configFile !== undefined;
  if (isSaid || !args.mayAsk || !stdio.canAsk || kept === undefined || isSame(kept.server, server)) return parts;
  const chosen = await ask({
    text: "Server",
    reader: { allowed: "HOST:PORT", read: parseEndpoint },
    fallback: kept.server,
    shown: endpointText(kept.server),
  }, stdio.terminal);
  const { askName } = parts;
  return {
    ...parts,
    server: chosen,
    reach: () => reach(chosen),
    ...(askName && { askName: (username: string) => askName(username, chosen) }),
  };
}

/** The wishes of a chat for its login. */
export interface ChatLoginParts extends EnterParts {
  /** Called with each secret that is tried, before it is: the chat keeps none of them in its history. */
  readonly onSecret?: (secret: string) => void;
}

/**
 * Logs in, asks for everything unknown, and keeps the answers for the next time.
 * @throws {NoAnswer} when the person does not want to answer.
 * @throws the errors of `enter`, and after the third wrong password its refusal.
 */
export async function logIn(
  parts: CommandParts,
  kept: Remembered | undefined,
  { onSecret, ...options }: ChatLoginParts,
): Promise<Client> {
  const { args, secret, stdio } = parts;
  const quiet = { ...options, isTold: () => false, tellsRegistered: false };
  if (!args.mayAsk || !stdio.canAsk || args.username !== undefined && secret !== undefined) {
    const identity = await settleIdentity({ ...parts, ...args, secret, command: "interactive" }, stdio);
    if (identity.secret !== undefined) onSecret?.(identity.secret);
    return await entered(parts, kept, identity, quiet);
  }
  await parts.reach();
  let username = args.username;
  let wrong = 0;
  // A name that was refused may be a slip of the hand: the next one is asked for in full.
  let isFirstName = true;
  // The kept password may be tried once. After that it is known to be wrong.
  let mayUseKept = true;
  for (;;) {
    // A name of the command line was meant, and may be that of another server or case.
    username ??= await askUsername(args.username ?? kept?.username ?? parts.systemUser, stdio);
    const isAtOnce = isFirstName && (username === args.username || username === kept?.username);
    const question = wrong > 0 ? "password" : isAtOnce ? "passwordUnlessNew" : "isNew";
    const identity = await askRest(parts, username, mayUseKept ? kept : undefined, question);
    if (identity.secret !== undefined) onSecret?.(identity.secret);
    try {
      return await entered(parts, kept, identity, quiet);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      const wasTyped = !mayUseKept || identity.secret !== kept?.secret;
      mayUseKept = false;
      if (error.reason === "WRONG_SECRET" && wasTyped) wrong++;
      const after = afterRefusal(error.reason, wrong);
      if (after === undefined) throw error;
      stdio.terminal.write(`${styleNotice({ tone: "warning", text: after.info }, stdio.out)}\n`);
      if (after.next === "end") throw error;
      if (after.next === "name") [username, wrong, isFirstName] = [undefined, 0, false];
    }
  }
}

/** Whether the name is new, and the password. A password that was kept is not asked for. */
async function askRest(
  parts: CommandParts,
  username: string,
  kept: Remembered | undefined,
  question: "isNew" | "passwordUnlessNew" | "password",
): Promise<Identity> {
  if (username === ANONYMOUS) return NOBODY;
  const { stdio, makeSecret, server } = parts;
  const keptSecret = secretFor(kept, username, server);
  if (keptSecret !== undefined) return { ...NOBODY, username, secret: keptSecret };
  if (question !== "password") await tellIfUnknown(parts, username, stdio);
  const register = () => askNewSecret("  New password (Enter makes one):", "  ", username, makeSecret, stdio);
  if (question === "isNew" && await askYesNo("Are you a new user (Y/N)?", stdio)) return await register();
  for (;;) {
    const mayBeNew = question === "passwordUnlessNew";
    const secret = await askHidden(mayBeNew ? "  Password (Enter if you are new):" : "  Password:", stdio);
    if (mayBeNew && secret === "") return await register();
    const problem = secretProblem(secret);
    if (problem === undefined) return { ...NOBODY, username, secret };
    stdio.terminal.write(`  ${problem}\n`);
  }
}

async function entered(
  parts: CommandParts,
  kept: Remembered | undefined,
  identity: Identity,
  options: EnterParts,
): Promise<Client> {
  const { stdio, server, args } = parts;
  const client = await enter(parts, identity, options);
  const { terminal, out } = stdio;
  const { username, secret } = identity;
  if (username === undefined) terminal.write(`You are ${ANONYMOUS}.\n`);
  else if (client.registered) terminal.write(out.green("You have been registered. You are logged in.\n"));
  else terminal.write(`You are logged in as ${out.bold(username)}.\n`);
  if (stdio.canAsk) terminal.write(out.dim("help says what you can type; Ctrl-D leaves.\n"));
  if (username !== undefined && secret !== undefined) {
    await keep(parts, toKeep(kept, { username, server, secret }, args.remember));
  }
  return client;
}

/** A failure to keep the login is not worth the chat. */
async function keep({ stateFile, stdio }: CommandParts, remembered: Remembered | undefined): Promise<void> {
  if (remembered === undefined) return;
  try {
    await stateFile?.write(rememberedText(remembered));
  } catch (error) {
    stdio.terminal.write(`${styleNotice({ tone: "warning", text: (error as Error).message }, stdio.out)}\n`);
  }
}
