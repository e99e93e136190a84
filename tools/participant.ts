/**
 * `deno task participant --port 1111`: a Chitty-Chat participant in the terminal. What is typed is published, what
 * BroadCast brings is shown, and nothing else: its own messages too. It says itself that it comes and that it goes.
 * When its server goes, it waits, and comes again.
 */

import { EXIT_CODE, type ExitCode } from "../config/exit_code.ts";
import { type Flags, helpText, parseCommandLine, type Program, UsageError } from "../config/flags.ts";
import { CALLED_PORTS, endpointText, parseEndpoint, type Reader, wholeNumber } from "../config/values.ts";
import { visible } from "../client/terminal/screen/visible.ts";
import type { BroadCastRequest } from "../server/gateway/grpc/messages.ts";
import { messageProblem } from "../server/gateway/grpc/rules.ts";
import { GRPC_STATUS, GrpcError } from "../server/gateway/grpc/unary_call.ts";
import type { Endpoint } from "../platform/address.ts";
import { realClock } from "../platform/real_clock.ts";
import { onStopSignal } from "../platform/signals.ts";
import { styleFor, writeAll } from "../platform/terminal.ts";
import { VERSION } from "../protocol/version.ts";
import { ChittyParticipant } from "./chitty_participant.ts";

/** Why it comes to an end, for a person. */
class ParticipantError extends Error {
  constructor(message: string, readonly exitCode: ExitCode) {
    super(message);
  }
}

/** The server has ended the connection, where it was reached before. */
class ServerGone extends ParticipantError {}

const DEFAULT_SERVER = "127.0.0.1:7080";
const LEAVE = "/leave";
/** The waits before a server that is gone is called again: the first, and the longest. */
const AGAIN = { firstMs: 200, mostMs: 5_000 };

const SERVER: Reader<Endpoint> = { allowed: "HOST:PORT", read: parseEndpoint };

const FLAGS = {
  port: {
    heading: "Flags",
    value: "PORT",
    reader: wholeNumber("a port", CALLED_PORTS),
    help: "port to listen on, which is also the participant's name",
  },
  server: {
    value: "HOST:PORT",
    reader: SERVER,
    help: "the server's Chitty-Chat door",
    default: DEFAULT_SERVER,
  },
  help: { short: ["-h"], help: "show this" },
} satisfies Flags;

const PROGRAM: Program<typeof FLAGS> = {
  name: "deno task participant",
  summary: "a Chitty-Chat participant in the terminal",
  usage: ["--port PORT [--server HOST:PORT]"],
  commands: {},
  flags: FLAGS,
  environment: [["NO_COLOR", "any value: no colours"]],
  examples: [
    ["--port 1111", `the participant 1111, at the server that was started with --grpc 7080; ${LEAVE} or Ctrl-C leaves`],
  ],
  exitCodes: [
    [EXIT_CODE.done, "left"],
    [EXIT_CODE.usage, "the command line is wrong"],
    [EXIT_CODE.unreachable, "the port is taken, or the server cannot be reached"],
    [EXIT_CODE.refused, "the server refuses"],
    [EXIT_CODE.ended, "the server does not answer"],
  ],
};

const err = styleFor("stderr");

/** What BroadCast brings, as a line. Others wrote it. */
export function broadCastLine({ participantID, message }: BroadCastRequest): string {
  const author = visible(participantID);
  if (message === undefined) return `${author} said nothing`;
  const text = visible(message.message);
  if (!message.isJoin && !message.isLeave) return `${author} said: ${text}, lamport time: ${message.lamportTime}`;
  // The words are the participant's own, and must not pass for those of somebody else.
  return text.startsWith(`Participant ${author} `) ? text : `${author} says of itself: ${text}`;
}

async function main(args: readonly string[]): Promise<ExitCode> {
  const { words, values } = parseCommandLine(PROGRAM, args);
  if (values.help) {
    writeAll("stdout", helpText(PROGRAM, VERSION, styleFor("stdout").bold));
    return EXIT_CODE.done;
  }
  if (words.length > 0) throw new UsageError(`There is nothing that ${JSON.stringify(words[0])} could mean`);
  if (values.port === undefined) throw new UsageError("--port is needed: the port to listen on, such as 1111");
  const server = values.server ?? parseEndpoint(DEFAULT_SERVER)!;
  const participant = await listen(values.port, server);
  const stop = Promise.withResolvers<"left">();
  using _signals = onStopSignal(() => stop.resolve("left"));
  const stay = new Stay(participant, server);
  try {
    // Where it was let in and the server went at once, it comes back as later.
    await stay.come().catch((error) => {
      if (!(error instanceof ServerGone)) throw error;
    });
    if (Deno.stdin.isTerminal()) {
      writeAll("stderr", err.dim(`You are ${values.port}. What you type is said to everyone; ${LEAVE} leaves.\n`));
    }
    await Promise.race([publishLines(participant, stay), stop.promise, stay.again()]);
    await stay.leave();
    return EXIT_CODE.done;
  } finally {
    stay.end();
    await participant.close();
  }
}

/** Keeps a participant at its server: joins, and joins again when the server was gone and is back. */
class Stay {
  readonly #participant: ChittyParticipant;
  readonly #server: Endpoint;
  /** Resolves when the participant is at the server. */
  #here: PromiseWithResolvers<void> = Promise.withResolvers();
  #isHere = false;
  #isOver = false;

  constructor(participant: ChittyParticipant, server: Endpoint) {
    this.#participant = participant;
    this.#server = server;
  }

  /** Resolves when the server is there, at once if it is. */
  get here(): Promise<void> {
    return this.#here.promise;
  }

  /** Joins. @throws {ParticipantError} */
  async come(): Promise<void> {
    await attempt(this.#server, async () => {
      await this.#participant.join();
      await this.#participant.announce("joined");
    });
    this.#isHere = true;
    this.#here.resolve();
  }

  /** Comes again, whenever the server was gone. @throws {ParticipantError} when the server does not let it in. */
  async again(): Promise<never> {
    for (;;) {
      await this.#participant.serverGone();
      if (this.#isOver) return await new Promise(() => {});
      this.#isHere = false;
      this.#here = Promise.withResolvers();
      writeAll("stderr", err.yellow(`${goneError(this.#server).message}; waiting until it is back\n`));
      for (let waitMs = AGAIN.firstMs; !this.#isHere; waitMs = Math.min(2 * waitMs, AGAIN.mostMs)) {
        await pause(waitMs);
        if (this.#isOver) return await new Promise(() => {});
        await this.come().catch((error) => {
          if (!(error instanceof ParticipantError) || error.exitCode === EXIT_CODE.refused) throw error;
        });
      }
      writeAll("stderr", err.green(`The server at ${endpointText(this.#server)} is back\n`));
    }
  }

  /** Says that it goes, if there is somebody to say it to. */
  async leave(): Promise<void> {
    if (!this.#isHere) return;
    await attempt(this.#server, async () => {
      await this.#participant.announce("left");
      await this.#participant.leave();
    });
  }

  /** No server is waited for any more. */
  end(): void {
    this.#isOver = true;
  }
}

function pause(spanMs: number): Promise<void> {
  return new Promise((resolve) => realClock.after(spanMs, resolve));
}

async function listen(port: number, server: Endpoint): Promise<ChittyParticipant> {
  try {
    return await ChittyParticipant.listen({
      port,
      server,
      onBroadCast: (request) => writeAll("stdout", `${broadCastLine(request)}\n`),
    });
  } catch {
    throw new ParticipantError(
      `Cannot listen on 127.0.0.1:${port}: the port is taken, or not allowed`,
      EXIT_CODE.unreachable,
    );
  }
}

/** Publishes what is typed, until there is no more of it or it says so. A line waits while there is no server. */
async function publishLines(participant: ChittyParticipant, stay: Stay): Promise<"left"> {
  for await (const line of lines(Deno.stdin.readable)) {
    if (line.trim() === LEAVE) return "left";
    if (line.trim() === "") continue;
    const problem = messageProblem(line);
    if (problem === undefined) await say(line, participant, stay);
    else writeAll("stderr", err.yellow(`${problem.sentence}: it was not sent\n`));
  }
  return "left";
}

/** Says `line` once. What may have been said is not said again. @throws {ParticipantError} */
async function say(line: string, participant: ChittyParticipant, stay: Stay): Promise<void> {
  for (;;) {
    await stay.here;
    try {
      await participant.say(line);
      return;
    } catch (error) {
      if (!(error instanceof GrpcError)) throw error;
      const isGone = error.code === GRPC_STATUS.UNAVAILABLE || error.code === GRPC_STATUS.DEADLINE_EXCEEDED;
      if (!isGone) {
        throw new ParticipantError(`The server refuses: ${visible(error.message)}`, EXIT_CODE.refused);
      }
      if (!isUnreached(error)) {
        return writeAll("stderr", err.yellow(`Nobody knows whether this was said: ${visible(line)}\n`));
      }
      // It is noticed elsewhere that the server is gone; until then it is called again.
      await pause(AGAIN.firstMs);
    }
  }
}

/** Whether the server cannot have got the call. */
function isUnreached({ message }: GrpcError): boolean {
  return message.includes("onnection refused") || message.includes("client error (Connect)");
}

/** @throws {ParticipantError} */
async function attempt<T>(server: Endpoint, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof GrpcError)) throw error;
    if (error.code === GRPC_STATUS.UNAVAILABLE) throw goneError(server, error.message);
    if (error.code === GRPC_STATUS.DEADLINE_EXCEEDED) {
      throw new ParticipantError(`The server at ${endpointText(server)} does not answer`, EXIT_CODE.ended);
    }
    throw new ParticipantError(`The server refuses: ${visible(error.message)}`, EXIT_CODE.refused);
  }
}

function goneError(server: Endpoint, why?: string): ParticipantError {
  if (why?.includes("onnection refused")) {
    return new ParticipantError(`No server can be reached at ${endpointText(server)}`, EXIT_CODE.unreachable);
  }
  return new ServerGone(`The server at ${endpointText(server)} is gone`, EXIT_CODE.ended);
}

async function* lines(input: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let unfinished = "";
  for await (const text of input.pipeThrough(new TextDecoderStream())) {
    const parts = (unfinished + text).split("\n");
    unfinished = parts.pop()!;
    for (const part of parts) yield part.replace(/\r$/, "");
  }
  if (unfinished !== "") yield unfinished;
}

if (import.meta.main) {
  let exitCode: ExitCode;
  try {
    exitCode = await main(Deno.args);
  } catch (error) {
    if (error instanceof UsageError) {
      writeAll("stderr", `${err.red("error:")} ${error.message}\n`);
      exitCode = EXIT_CODE.usage;
    } else if (error instanceof ParticipantError) {
      writeAll("stderr", `${err.red("error:")} ${error.message}\n`);
      exitCode = error.exitCode;
    } else throw error;
  }
  // Standard input may still be waited for.
  Deno.exit(exitCode);
}
