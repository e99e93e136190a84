/**
 * `deno task compile`: makes `dist/thrum-server` and `dist/thrum-client`, each one file that runs on a machine without
 * Deno, with only the permissions that it uses, and tries each. Beside each is its manual page (`man ./NAME.1`). The
 * runtime under them is Deno's own `denort`: downloaded, or the one that DENORT_BIN names.
 */

import { CLIENT_PROGRAM } from "../config/client_arguments.ts";
import type { Flags, Program } from "../config/flags.ts";
import { manualPage } from "../config/manual_page.ts";
import { SERVER_PROGRAM } from "../config/server_arguments.ts";
import { VERSION } from "../protocol/version.ts";
import { LOCKED } from "./locked.ts";
import { CLIENT_PERMISSIONS, SERVER_PERMISSIONS } from "./permissions.ts";

/** A program to make. */
interface Target {
  readonly name: string;
  /** What it tells of itself. */
  readonly program: Program<Flags>;
  readonly entry: string;
  /** Files and folders that it has inside. */
  readonly include: readonly string[];
  /** What it may do; everything else is refused, whoever asks from inside. */
  readonly permissions: readonly string[];
}

/** Why it did not work out, for a person. */
class CompileError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

const TARGETS: readonly Target[] = [
  {
    name: SERVER_PROGRAM.name,
    program: SERVER_PROGRAM,
    entry: "server.ts",
    // The last by name, as no import leads there (server/gateway/tls/load_init.ts).
    include: ["config.json", "dashboard", "server/gateway/tls/tls_init.ts"],
    permissions: SERVER_PERMISSIONS,
  },
  {
    name: CLIENT_PROGRAM.name,
    program: CLIENT_PROGRAM,
    entry: "client.ts",
    include: ["config.json"],
    permissions: CLIENT_PERMISSIONS,
  },
];

/** In bytes. With its usual stack Deno 2.5 does not survive reading `bintrees`, which `prom-client` brings. */
const COMPILER_STACK = "16777216";
const EXIT_FAILED = 1;
/** Its own code, so that a script can tell "could not be tried here" from "does not work". */
const EXIT_NO_RUNTIME = 3;

const root = new URL("../", import.meta.url);

async function compile({ name, entry, include, permissions }: Target): Promise<string> {
  const path = `dist/${name}${Deno.build.os === "windows" ? ".exe" : ""}`;
  const args = [
    "compile",
    LOCKED,
    "--quiet",
    ...permissions,
    "--no-prompt",
    ...include.flatMap((file) => ["--include", file]),
    "--output",
    path,
    entry,
  ];
  const { success, stderr } = await run(Deno.execPath(), args, { env: { RUST_MIN_STACK: COMPILER_STACK } });
  if (!success) throw describeFailure(entry, stderr.split("\nStack backtrace")[0]!);
  return path;
}

function describeFailure(entry: string, stderr: string): CompileError {
  const noRuntime = /denort|dl\.deno\.land/.test(stderr);
  if (!noRuntime) return new CompileError(`Cannot compile ${entry}:\n${stderr}`, EXIT_FAILED);
  return new CompileError(
    `Cannot compile ${entry}: Deno's compile runtime (denort ${Deno.version.deno}) is not here and cannot be downloaded.\n` +
      `Let this machine reach https://dl.deno.land, or set DENORT_BIN to the path of a denort ${Deno.version.deno}.\n\n${stderr}`,
    EXIT_NO_RUNTIME,
  );
}

/** Runs a program as a stranger would: in an empty folder, with nothing in its environment. */
async function tryOut(name: string, path: string): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "thrum-compile-" });
  try {
    const options = { cwd: folder, clearEnv: true };
    const program = new URL(path, root);
    const version = await run(program, ["--version"], options);
    if (version.stdout !== `${name} ${VERSION}\n`) throw misbehaved(path, "--version", version);
    const help = await run(program, ["--help"], options);
    if (!help.success || !help.stdout.includes("Exit codes")) throw misbehaved(path, "--help", help);
    const wrong = await run(program, ["--nonsense"], options);
    if (wrong.success || !wrong.stderr.includes("--nonsense")) throw misbehaved(path, "--nonsense", wrong);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function misbehaved(path: string, args: string, { stdout, stderr }: RunResult): CompileError {
  const hint = stderr.includes("standalone binary section")
    ? `\nDENORT_BIN is of another version than this Deno, ${Deno.version.deno}`
    : "";
  return new CompileError(`${path} ${args} does not do what it should:\n${stdout}${stderr}${hint}`, EXIT_FAILED);
}

interface RunResult {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  program: string | URL,
  args: readonly string[],
  options: { cwd?: string; clearEnv?: boolean; env?: Record<string, string> },
): Promise<RunResult> {
  const command = new Deno.Command(program, { args: [...args], cwd: root, stdin: "null", ...options });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

if (import.meta.main) {
  try {
    for (const target of TARGETS) {
      const path = await compile(target);
      await tryOut(target.name, path);
      await Deno.writeTextFile(new URL(`dist/${target.name}.1`, root), manualPage(target.program, VERSION));
      const { size } = await Deno.stat(new URL(path, root));
      console.log(`${path.padEnd(20)} ${(size / 1e6).toFixed(1).padStart(6)} MB  ${target.permissions.join(" ")}`);
    }
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    console.error(error.message);
    Deno.exit(error.exitCode);
  }
}
