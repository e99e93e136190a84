/** The manual page of a program, for `man`: the table that `--help` is made of, as roff. Pure. */

import { type Flag, flagHelp, type Flags, type Program } from "./flags.ts";

/** The page, as `man ./thrum-client.1` shows it. */
export function manualPage(program: Program<Flags>, version: string): string {
  const { name, summary, usage, commands, flags, environment, examples, exitCodes } = program;
  const named = Object.entries(commands).filter(([command]) => command !== "");
  return [
    `.TH ${roff(name.toUpperCase())} 1 "" ${roffQuoted(`${name} ${version}`)} ""`,
    ".SH NAME",
    `${roff(name)} \\- ${roff(summary)}`,
    ".SH SYNOPSIS",
    ...usage.map((line) => `.B ${roff(name)}\n${roffLine(line)}\n.br`),
    ...(commands[""] === undefined ? [] : [".SH DESCRIPTION", roffLine(`Without a command: ${commands[""]}.`)]),
    ...(named.length === 0 ? [] : [".SH COMMANDS", ...named.map(([command, help]) => item(command, help))]),
    ".SH OPTIONS",
    ...Object.entries(flags).flatMap(([flagName, flag]) => [
      ...(flag.heading === undefined ? [] : [`.SS ${roff(flag.heading)}`]),
      flagItem(flagName, flag),
    ]),
    ".SH ENVIRONMENT",
    ...environment.map(([variable, means]) => item(variable, means)),
    ".SH EXIT STATUS",
    ...exitCodes.map(([code, means]) => item(String(code), means)),
    ".SH EXAMPLES",
    ...examples.map(([line, does]) => item(`${name} ${line}`.trimEnd(), does)),
  ].join("\n") + "\n";
}

function flagItem(name: string, flag: Flag<unknown>): string {
  const names = [`--${name}`, ...flag.short ?? []].map((each) => `\\fB${roff(each)}\\fR`).join(", ");
  const value = flag.value === undefined ? "" : ` \\fI${roff(flag.value)}\\fR`;
  return `.TP\n${names}${value}\n${roffLine(flagHelp(flag))}`;
}

function item(term: string, means: string): string {
  return `.TP\n\\fB${roff(term)}\\fR\n${roffLine(means)}`;
}

/** A line of text: one that begins with a dot or a quote would be a request. */
function roffLine(text: string): string {
  return roff(text).replace(/^[.']/, "\\&$&");
}

function roffQuoted(text: string): string {
  return `"${roff(text).replaceAll('"', "\\(dq")}"`;
}

function roff(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("…", "\\&...").replaceAll("'", "\\(aq");
}
