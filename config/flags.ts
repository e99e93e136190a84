/**
 * Command lines. A table of flags says what a program takes; the parser and `--help` both use it. `server_arguments.ts`
 * and `client_arguments.ts` have the flags of the two programs. Pure.
 */

import { parseArgs } from "@std/cli/parse-args";
import { nearest } from "./nearest.ts";
import { quoted, type Reader, wordList } from "./values.ts";

/** What a shell offers in some place: the names of users, as a server knows them, files, or words. */
export type Completed = "users" | "files" | readonly string[];

/** One flag. `T` is the type of its value. A switch has no value; it is `true` if given. */
export interface Flag<T> {
  /** Begins a group of flags in `--help`, with this heading. */
  readonly heading?: string;
  /** The name of the value in `--help`, e.g. `"PORT"`. A switch has none. */
  readonly value?: string;
  /** Reads the value. A switch has none. */
  readonly reader?: Reader<T>;
  /** Other names, with their single dash: `"-lp"`. */
  readonly short?: readonly string[];
  readonly help: string;
  /** The flag may be given several times. Its reader gives a list, and the value is all of them together. */
  readonly repeatable?: boolean;
  /** The empty text is a value, too, where it is written out: `--flag ''`. */
  readonly takesEmpty?: boolean;
  /** The value without the flag, for `--help`. */
  readonly default?: string;
  /** The commands that take the flag; all commands if absent. */
  readonly only?: readonly string[];
  /** No message may repeat the value. */
  readonly secret?: boolean;
  /** What a shell offers for the value; nothing if absent. */
  readonly completes?: Completed;
}

/** By long name, without its dashes. */
export type Flags = Readonly<Record<string, Flag<unknown>>>;

/** The given values, by long name. */
export type FlagValues<F extends Flags> = { readonly [Name in keyof F]?: F[Name] extends Flag<infer T> ? T : never };

/** A program's command line. */
export interface Program<F extends Flags = Flags> {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** Command lines, without the program's name. */
  readonly usage: readonly string[];
  /**
   * Words that may come first, each with a line of help. The one with the empty name says what happens without a word.
   */
  readonly commands: Readonly<Record<string, string>>;
  readonly flags: F;
  /** Command lines without the program's name, each with an explanation. */
  readonly examples: readonly (readonly [string, string])[];
  readonly environment: readonly (readonly [string, string])[];
  readonly exitCodes: readonly (readonly [number, string])[];
  /** For `--help` of one command, which `command_help.ts` writes. By the command's name. */
  readonly about?: Readonly<Record<string, CommandAbout>>;
  /** What a shell offers for the word behind a command, by the command's name. */
  readonly completes?: Readonly<Record<string, Completed>>;
}

/** What the help of one command has beside its flags. */
export interface CommandAbout {
  /** Command lines, without the program's name. */
  readonly usage: readonly string[];
  /** Command lines that need no explanation, without the program's name. One that begins with "…" stands as it is. */
  readonly examples: readonly string[];
  /** `false` when the flags of every command mean nothing to it. */
  readonly takesShared?: boolean;
}

/** The content of a command line. */
export interface ParsedCommandLine<F extends Flags> {
  /** The first word, if the program knows commands; else `""`. */
  readonly command: string;
  /** Further words. */
  readonly words: readonly string[];
  readonly values: FlagValues<F>;
  /** The flags that were given, each as it was typed first: `-lp`, `--port`. */
  readonly typed: readonly string[];
}

/** The width that every terminal has. */
export const HELP_COLUMNS = 80;
/** A flag with a longer name gets its own line in `--help`, so that it does not push the text of all others aside. */
export const LABEL_COLUMNS = 26;

/** The command line is wrong. The message is one sentence with the given and the allowed value. */
export class UsageError extends Error {
  override name = "UsageError";
}

/**
 * Reads `line` by the program's table.
 * @throws {UsageError} for an unknown flag or command, a missing value, one that is not allowed, two that differ, or a
 * flag of another command.
 */
export function parseCommandLine<F extends Flags>(program: Program<F>, line: readonly string[]): ParsedCommandLine<F> {
  const { flags, commands } = program;
  const args = withEmptyValues(flags, line);
  const spelling = new Map<string, string>();
  const unknown: string[] = [];
  const names = Object.keys(flags);
  const parsed = parseArgs(translated(flags, args, spelling), {
    boolean: names.filter((name) => isSwitch(flags[name]!)),
    // "_" too, so that words like 007 stay unchanged.
    string: [...names.filter((name) => !isSwitch(flags[name]!)), "_"],
    collect: names.filter((name) => !isSwitch(flags[name]!)),
    unknown: (argument, key) => {
      if (key === undefined) return true;
      unknown.push(argument);
      return false;
    },
  });

  const given = names.filter((name) => [parsed[name]].flat().some((value) => value !== false));
  const values = given.map((name) => {
    const typed = spelling.get(name)!;
    const texts = [parsed[name]].flat().map(String);
    const next = args[args.indexOf(typed) + 1];
    if (flags[name]!.repeatable) {
      const written = args.filter((arg) => flags[name]!.takesEmpty && arg === `--${name}=`).length;
      const isMissing = texts.filter((text) => text === "").length > written;
      return [
        name,
        texts.flatMap((text) => readFlag(flags[name]!, typed, text, next, isMissing)),
      ] as const;
    }
    if (texts.some((text) => text !== texts[0])) {
      throw new UsageError(`--${name} is given twice, with different values`);
    }
    return [name, readFlag(flags[name]!, typed, texts[0]!, next)] as const;
  });
  // After the values: in `--interval -5` the wrong thing is the interval, not an unknown flag -5.
  if (unknown.length > 0) throw unknownFlag(flags, unknown[0]!);
  const words = parsed._.map(String);
  const command = Object.keys(commands).length === 0 ? "" : words.shift() ?? "";
  if (command !== "" && !Object.hasOwn(commands, command)) throw unknownCommand(commands, command);
  for (const name of given) {
    const { only } = flags[name]!;
    if (only?.includes(command) === false) {
      throw new UsageError(
        `${spelling.get(name)} belongs to ${wordList(only.map((name) => name || "the client without a command"))} only`,
      );
    }
  }
  return { command, words, values: Object.fromEntries(values) as FlagValues<F>, typed: [...spelling.values()] };
}

/** `--help`. `heading` may make its headings stand out on a terminal. */
export function helpText(program: Program, version: string, heading: (text: string) => string = String): string {
  const groups: { title: string; rows: [string, string][] }[] = [];
  for (const [name, flag] of Object.entries(program.flags)) {
    if (flag.heading !== undefined) groups.push({ title: flag.heading, rows: [] });
    groups.at(-1)!.rows.push([flagLabel(name, flag), flagHelp(flag)]);
  }
  const commands = Object.entries(program.commands).map(([name, help]) => [name || "(no command)", help] as const);
  const usage = program.usage.map((line) => `${program.name} ${line}`.trimEnd());
  // One column for all flags, so that the eye runs down one line.
  const labels = [...commands, ...groups.flatMap((group) => group.rows)].map(([label]) => label.length);
  const width = Math.max(...labels.filter((length) => length <= LABEL_COLUMNS));
  return [
    `${heading(`${program.name} ${version}`)}  ${program.summary}`,
    block("Usage", usage),
    ...(commands.length > 0 ? [block("Commands", aligned(commands, width))] : []),
    ...groups.map((group) => block(group.title, aligned(group.rows, width))),
    block("Environment", aligned(program.environment, width)),
    block("Examples", program.examples.flatMap(([line, does]) => [`${program.name} ${line}`.trimEnd(), `    ${does}`])),
    block("Exit codes", aligned(program.exitCodes.map(([code, means]) => [String(code), means] as const), 1)),
  ].join("\n\n") + "\n";

  function block(title: string, lines: readonly string[]): string {
    return [heading(title), ...lines.map((line) => `  ${line}`)].join("\n");
  }
}

/** `args` with long names for the short ones. `spelling` keeps the form in which the person typed each flag first. */
function translated(flags: Flags, args: readonly string[], spelling: Map<string, string>): string[] {
  const long = new Map(
    Object.entries(flags).flatMap(([name, flag]) => flag.short?.map((short) => [short, name]) ?? []),
  );
  const end = args.indexOf("--");
  return args.map((argument, index) => {
    if (end >= 0 && index >= end) return argument;
    const [, typed, value] = argument.match(/^(-[^=]+)(=.*)?$/s) ?? [];
    if (typed === undefined) return argument;
    const name = long.get(typed) ?? (typed.startsWith("--") ? typed.slice(2) : "");
    const flag = Object.hasOwn(flags, name) ? flags[name]! : undefined;
    if (flag === undefined) return argument;
    if (isSwitch(flag) && value !== undefined) throw new UsageError(`${typed} is a switch and takes no value`);
    if (!spelling.has(name)) spelling.set(name, typed);
    return `--${name}${value ?? ""}`;
  });
}

/** `args`, in which an empty text is part of its flag: the parser takes it for no value, and for a word. */
function withEmptyValues(flags: Flags, args: readonly string[]): string[] {
  const takesEmpty = (arg: string | undefined) => {
    return arg?.startsWith("--") && Object.hasOwn(flags, arg.slice(2)) && flags[arg.slice(2)]!.takesEmpty === true;
  };
  const end = args.indexOf("--");
  const isInFlags = (index: number) => end === -1 || index < end;
  return args.flatMap((arg, index) => {
    if (!isInFlags(index)) return [arg];
    if (arg === "" && takesEmpty(args[index - 1])) return [];
    return takesEmpty(arg) && args[index + 1] === "" ? [`${arg}=`] : [arg];
  });
}

/**
 * `next` is the word behind the flag. It is not the flag's value if it begins with a dash. `isMissing`: an empty text
 * is no value.
 */
function readFlag(
  flag: Flag<unknown>,
  typed: string,
  given: string,
  next: string | undefined,
  isMissing = true,
): unknown {
  const { reader } = flag;
  if (reader === undefined) return true;
  if (given === "" && isMissing) {
    const hint = next?.startsWith("-") ? `; one that begins with "-" is written ${typed}=…` : "";
    throw new UsageError(`${typed} needs a value, ${reader.allowed}${hint}`);
  }
  const value = reader.read(given);
  if (value === undefined) {
    throw new UsageError(`${typed} must be ${reader.allowed}${flag.secret ? "" : `, not ${quoted(given)}`}`);
  }
  return value;
}

function unknownFlag(flags: Flags, argument: string): UsageError {
  // Without the value: under a mistyped name it may be a secret.
  const typed = argument.replace(/=.*$/s, "");
  const name = typed.replace(/^-+/, "");
  // One or two letters are near to everything.
  const near = name.length > 2 ? nearest(name, Object.keys(flags)) : undefined;
  return new UsageError(`Unknown flag ${quoted(typed)}${near === undefined ? "" : `; did you mean --${near}?`}`);
}

/** That there is no such command; names the nearest one. */
export function unknownCommand(commands: Readonly<Record<string, string>>, given: string): UsageError {
  const known = Object.keys(commands).filter((name) => name !== "");
  const near = nearest(given, known);
  const hint = near === undefined ? `it must be ${wordList(known)}` : `did you mean ${near}?`;
  return new UsageError(`Unknown command ${quoted(given)}; ${hint}`);
}

/** The names of a flag and of its value, for `--help`. */
export function flagLabel(name: string, flag: Flag<unknown>): string {
  const names = [`--${name}`, ...flag.short ?? []].join(", ");
  return flag.value === undefined ? names : `${names} ${flag.value}`;
}

/** The text of a flag for `--help`, with its default. */
export function flagHelp(flag: Flag<unknown>): string {
  return flag.default === undefined ? flag.help : `${flag.help} (default ${flag.default})`;
}

/**
 * Two columns, the first one `width` wide. The text of the second is broken so that it fits a terminal of the usual
 * width.
 */
export function aligned(rows: readonly (readonly [string, string])[], width: number): string[] {
  return rows.flatMap(([label, text]) => {
    const lines = wrapped(text, HELP_COLUMNS - width - 4).map((line) => " ".repeat(width + 2) + line);
    return label.length > width ? [label, ...lines] : [label + lines[0]!.slice(label.length), ...lines.slice(1)];
  });
}

/** `text` in lines of up to `columns`, broken between words. */
export function wrapped(text: string, columns: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = `${lines.at(-1)} ${word}`.trimStart();
    if (line.length <= columns) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines;
}

function isSwitch(flag: Flag<unknown>): boolean {
  return flag.reader === undefined;
}
