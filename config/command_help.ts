/**
 * `--help` of one command: its own flags in full and the flags of every command by name, so that all of it fits on one
 * screen. `flags.ts` writes the help of the whole program. Pure.
 */

import {
  aligned,
  flagHelp,
  flagLabel,
  type Flags,
  HELP_COLUMNS,
  LABEL_COLUMNS,
  type Program,
  wrapped,
} from "./flags.ts";

/** The rows of a usual terminal, and one of them is for the shell's next prompt. */
export const HELP_ROWS = 23;

/** The help of `command`; `undefined` when the program has no such help. */
export function commandHelpText(
  program: Program<Flags>,
  command: string,
  heading: (text: string) => string = String,
): string | undefined {
  const about = program.about?.[command];
  if (about === undefined) return undefined;
  const own = Object.entries(program.flags).filter(([, { only }]) => only?.includes(command));
  const rows = own.map(([name, flag]) => [flagLabel(name, flag), ownHelp(flagHelp(flag), command)] as const);
  const width = Math.max(0, ...rows.map(([label]) => label.length).filter((length) => length <= LABEL_COLUMNS));
  const shared = Object.entries(program.flags).filter(([, { only }]) => only === undefined);
  const also = shared.map(([name, { short = [] }]) => [`--${name}`, ...short].join(" ")).join(", ");
  return [
    heading(`${program.name} ${command}`),
    ...wrapped(program.commands[command]!, HELP_COLUMNS - 2).map((line) => `  ${line}`),
    block("Usage", about.usage.map((line) => `${program.name} ${line}`)),
    ...(rows.length > 0 ? [block("Flags", aligned(rows, width))] : []),
    ...(about.takesShared === false
      ? []
      : [block("Also", wrapped(`${also}; ${program.name} --help explains them`, HELP_COLUMNS - 2))]),
    block("Examples", about.examples.map((line) => line.startsWith("…") ? line.slice(1) : `${program.name} ${line}`)),
  ].join("\n") + "\n";

  function block(title: string, lines: readonly string[]): string {
    return [heading(title), ...lines.map((line) => `  ${line}`)].join("\n");
  }
}

/** The text of a flag without the name of its command, which the whole help needs and this one does not. */
function ownHelp(help: string, command: string): string {
  return help.startsWith(`${command}: `) ? help.slice(command.length + 2) : help;
}
