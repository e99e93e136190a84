/** `passwd` and `forget`: a user changes its secret, or deletes its account. */

import { UsageError } from "../../config/flags.ts";
import { ANONYMOUS, secretProblem, usernameProblem } from "../../protocol/names.ts";
import { ConnectError } from "../errors.ts";
import type { Client } from "../options.ts";
import { readRemembered, type Remembered, rememberedText, secretFor } from "./chat/remembered_login.ts";
import type { CommandParts } from "./command.ts";
import { askNewSecret } from "./identity.ts";
import { askHidden } from "./screen/hidden_prompt.ts";
import { visible } from "./screen/visible.ts";

/** Whose account it is. */
interface Owner {
  readonly username: string;
  readonly secret: string;
}

/**
 * Changes the secret. A new one that this program has made goes to standard output, so that a script can keep it.
 * @throws {UsageError} when something is missing, and there is nobody to ask.
 * @throws {NoAnswer} when the person does not want to answer.
 * @throws the errors of `connect` and of `Client.changeSecret`.
 */
export async function passwd(parts: CommandParts): Promise<void> {
  const { stdio, args, makeSecret } = parts;
  const owner = await settleOwner(parts, "passwd");
  const { username } = owner;
  const question = `New secret for ${visible(username)} (Enter makes one):`;
  const asked = canAsk(parts) ? await askNewSecret(question, "", username, makeSecret, stdio) : undefined;
  const newSecret = asked?.secret ?? makeSecret();
  const isMade = asked?.isMade ?? true;
  try {
    await withClient(parts, owner, (client) => client.changeSecret(newSecret));
  } catch (error) {
    // Without an answer nobody knows which of the two holds, and nobody else has the new one.
    if (isMade && error instanceof ConnectError) {
      stdio.tell(`If the secret was changed all the same, it is: ${newSecret}\n`);
    }
    throw error;
  }
  await keepInstead(parts, owner, newSecret);
  stdio.tell(`The secret of ${visible(username)} is changed. Log in again everywhere with the new one.\n`);
  if (!args.json && !isMade) return;
  if (!args.json) stdio.tell(stdio.err.dim("the new secret, shown this once:\n"));
  const line = args.json ? JSON.stringify({ username, ...(isMade ? { secret: newSecret } : {}) }) : newSecret;
  let isTaken = false;
  try {
    isTaken = await stdio.write(`${line}\n`);
  } finally {
    // Nobody else has the secret, and nobody reads standard output.
    if (!isTaken && isMade) stdio.tell(`${newSecret}\n`);
  }
}

/**
 * Deletes the account, when the person has typed its name once more.
 * @throws as `passwd`.
 */
export async function forget(parts: CommandParts): Promise<void> {
  const { stdio, args } = parts;
  if (!args.isSure && !canAsk(parts)) throw new UsageError("forget deletes the account: say --yes if that is meant");
  const owner = await settleOwner(parts, "forget");
  const name = visible(owner.username);
  if (!args.isSure) {
    const { write, readLine } = stdio.terminal;
    write(`This deletes the account of ${name}, and the messages that wait for it. Nobody can have the name again.\n`);
    write(`Type the name to do it: `);
    if (await readLine() !== owner.username) {
      stdio.tell("Nothing was deleted.\n");
      return;
    }
  }
  await withClient(parts, owner, (client) => client.forget());
  await keepInstead(parts, owner, undefined);
  stdio.tell(`The account of ${name} is deleted.\n`);
}

async function settleOwner(parts: CommandParts, command: "passwd" | "forget"): Promise<Owner> {
  const { args: { username }, secret, stdio, reach } = parts;
  if (username === undefined || username === ANONYMOUS) throw new UsageError(`${command} needs a username: -u NAME`);
  const problem = usernameProblem(username) ?? (secret === undefined ? undefined : secretProblem(secret));
  if (problem !== undefined) throw new UsageError(`Cannot log in: ${problem}`);
  if (secret !== undefined) return { username, secret };
  if (!canAsk(parts)) {
    throw new UsageError(`${command} needs the secret of ${visible(username)}: give it in THRUM_SECRET`);
  }
  // Nobody should answer questions and then learn that there is no server.
  await reach();
  return { username, secret: await askHidden(`Secret of ${visible(username)}:`, stdio) };
}

async function withClient({ connect, server }: CommandParts, owner: Owner, act: (client: Client) => Promise<void>) {
  // With the old secret: a wrong one is told before anything is changed.
  await using client = await connect({ ...server, ...owner, receive: "none", reads: false, reconnect: false });
  await act(client);
}

/** A secret that the person had asked to keep is replaced, or goes with the account. */
async function keepInstead(
  { stateFile, server, stdio }: CommandParts,
  { username, secret }: Owner,
  newSecret: string | undefined,
): Promise<void> {
  const kept = await readRemembered(stateFile);
  if (secretFor(kept, username, server) !== secret) return;
  const { secret: _, ...without } = kept!;
  const instead: Remembered = newSecret === undefined ? without : { ...without, secret: newSecret };
  try {
    await stateFile!.write(rememberedText(instead));
  } catch (error) {
    stdio.tell(`The secret that was kept for the next time could not be replaced: ${(error as Error).message}\n`);
  }
}

function canAsk({ args, stdio }: CommandParts): boolean {
  return args.mayAsk && stdio.canAsk;
}
