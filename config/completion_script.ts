/**
 * What a shell needs to complete the command lines of a program: its commands, flags and values, from the same table as
 * `--help`. For the names of users the script asks the program itself, which asks the server of the command line. Pure.
 */

import type { Completed, Flag, Flags, Program } from "./flags.ts";
import { shellQuoted } from "./shell_word.ts";

/** A script for one shell. */
type Writer = (program: Program<Flags>, entries: readonly Entry[]) => string;

/** A flag with all its names. */
interface Entry {
  readonly names: readonly string[];
  readonly flag: Flag<unknown>;
}

/** A shell waits for it while a person does. */
const USERS_COMMAND = "users --no-prompt --timeout 2";
/** The flags that say which server is asked for users. */
const SERVER_FLAGS = ["host", "port", "config"];

const WRITERS: Readonly<Record<"bash" | "zsh" | "fish", Writer>> = { bash, zsh, fish };

/** The script for `shell`, for a file that it reads when it starts. */
export function completionScript(program: Program<Flags>, shell: "bash" | "zsh" | "fish"): string {
  const entries = Object.entries(program.flags).map(([name, flag]) => {
    return { names: [`--${name}`, ...flag.short ?? []], flag };
  });
  return WRITERS[shell](program, entries);
}

function bash(program: Program<Flags>, entries: readonly Entry[]): string {
  const name = functionName(program);
  const valued = entries.filter(({ flag }) => flag.value !== undefined);
  const fixed = valued.filter(({ flag }) => Array.isArray(flag.completes));
  const words = Object.entries(program.completes ?? {});
  return `# Completes ${program.name} in bash: eval "$(${program.name} completion bash)"
${name}_users() {
  local user
  while IFS= read -r user; do
    [[ $user == "\${cur#[\\"\\']}"* ]] || continue
    case $cur in [\\"\\']*) ;; *) printf -v user %q "$user" ;; esac
    COMPREPLY+=("$user")
  done < <("\${1/#\\~/$HOME}" ${USERS_COMMAND} \${server[@]+"\${server[@]}"} 2>/dev/null)
}
${name}() {
  local cur previous word command= flags= glue= i last count=0
  local -a server=() words=()
  COMPREPLY=()
  # bash takes "host:port" and "--flag=value" apart.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == "=" ]]; then ((i == COMP_CWORD)) && words+=("")
    elif [[ $word == ":" || -n $glue ]]; then
      words[\${#words[@]} - 1]+=$word
      [[ $word == ":" ]] && glue=1 || glue=
    else words+=("$word"); fi
  done
  last=$((\${#words[@]} - 1))
  cur=\${words[last]} previous=\${words[last - 1]}
  for ((i = 1; i < last; i++)); do
    case \${words[i]} in
      ${namesOf(entries.filter(isServerFlag)).join("|")}) server+=("\${words[i]}" "\${words[++i]}") ;;
      ${namesOf(valued.filter((entry) => !isServerFlag(entry))).join("|")}) ((i++)) ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=\${words[i]}; else ((count++)); fi ;;
    esac
  done
  case $previous in
    ${namesOf(valued.filter(completing("users"))).join("|")}) ${name}_users "$1"; return ;;
    ${namesOf(valued.filter(completing("files"))).join("|")})
      compopt -o filenames 2>/dev/null
      while IFS= read -r i; do COMPREPLY+=("$i"); done < <(compgen -f -- "$cur")
      return ;;
${
    fixed.map(({ names, flag }) => `    ${names.join("|")}) ${bashWords(flag.completes as string[])}; return ;;\n`)
      .join("")
  }\
    ${namesOf(valued).join("|")}) return ;;
  esac
  case $command in
${
    commandsOf(program).map((command) => `    ${command || '""'}) flags="${flagsFor(entries, command).join(" ")}" ;;\n`)
      .join("")
  }\
  esac
  if [[ $cur == -* ]]; then
    ${bashWords(["$flags"])}
  elif [[ -z $command ]]; then
    ${bashWords(commandsOf(program))}
  elif ((count == 0)); then
    case $command in
${
    words.map(([command, what]) => {
      return `      ${command}) ${what === "users" ? `${name}_users "$1"` : bashWords(what as string[])} ;;\n`;
    }).join("")
  }\
    esac
  fi
}
complete -F ${name} ${program.name}
`;
}

function zsh(program: Program<Flags>, entries: readonly Entry[]): string {
  const name = functionName(program);
  const spec = ({ names, flag }: Entry) => {
    const others = flag.repeatable ? "*" : names.length > 1 ? `(${names.join(" ")})` : "";
    const value = flag.value === undefined ? "" : `:${zshText(flag.value)}:${zshAction(name, flag.completes)}`;
    return names.map((each) => `    ${shellQuoted(`${others}${each}[${zshText(flag.help)}]${value}`)}\n`).join("");
  };
  const own = (command: string) => {
    const ownEntries = entries.filter(({ flag }) => flag.only?.includes(command)).map(spec).join("");
    const what = program.completes?.[command];
    const word = what === undefined ? "" : `    ${shellQuoted(`2:${command}:${zshAction(name, what)}`)}\n`;
    return `    ${command || '""'}) own=(\n${ownEntries}${word}    ) ;;\n`;
  };
  const commands = commandsOf(program).filter((command) => command !== "");
  return `#compdef ${program.name}
# Completes ${program.name} in zsh: eval "$(${program.name} completion zsh)", after compinit
${name}_users() {
  local -a users server
  local i
  for ((i = 2; i < CURRENT; i++)); do
    case $words[i] in
      ${namesOf(entries.filter(isServerFlag)).join("|")}) server+=("$words[i]" "\${(Q)words[i + 1]}") ;;
      ${namesOf(entries.filter(isServerFlag)).map((each) => `${each}=*`).join("|")}) server+=("\${(Q)words[i]}") ;;
    esac
  done
  users=("\${(@f)$(\${(Q)words[1]} ${USERS_COMMAND} $server 2>/dev/null)}")
  compadd -a users
}
${name}_commands() {
  local -a commands=(
${commands.map((command) => `    ${shellQuoted(`${command}:${program.commands[command]}`)}\n`).join("")}\
  )
  _describe command commands
}
${name}() {
  local command= word
  local -a own shared
  for word in \${words[2,CURRENT - 1]}; do
    case $word in
      ${commands.join("|")}) command=$word; break ;;
    esac
  done
  shared=(
${entries.filter(({ flag }) => flag.only === undefined).map(spec).join("")}\
  )
  case $command in
${commandsOf(program).map(own).join("")}\
  esac
  _arguments $shared $own '1:command:${name}_commands'
}
if [[ $funcstack[1] == ${name} ]]; then ${name} "$@"; else compdef ${name} ${program.name}; fi
`;
}

function fish(program: Program<Flags>, entries: readonly Entry[]): string {
  const name = functionName(program);
  const line = (rest: string) => `complete -c ${program.name} ${rest}\n`;
  const commands = commandsOf(program).filter((command) => command !== "");
  const flags = entries.map(({ names, flag }) => {
    const spelled = names.map((each) => {
      return each.startsWith("--") ? `-l ${each.slice(2)}` : each.length > 2 ? `-o ${each.slice(1)}` : `-s ${each[1]}`;
    });
    // Of commands that take it. The client without a command is one, too, and has no word to look for.
    const only = flag.only?.filter((command) => command !== "") ?? [];
    const where = only.length > 0
      ? ` -n ${fishQuoted(`__fish_seen_subcommand_from ${only.join(" ")}`)}`
      : flag.only === undefined
      ? ""
      : ` -n __fish_use_subcommand`;
    const value = flag.value === undefined
      ? ""
      : flag.completes === "files"
      ? " -r -F"
      : ` -x${flag.completes === undefined ? "" : ` -a ${fishQuoted(fishAction(name, flag.completes))}`}`;
    return line(`${spelled.join(" ")}${where}${value} -d ${fishQuoted(flag.help)}`);
  });
  const words = Object.entries(program.completes ?? {}).map(([command, what]) => {
    return line(
      `-n ${fishQuoted(`test (commandline -opc)[-1] = ${command}`)} -a ${fishQuoted(fishAction(name, what))}`,
    );
  });
  return `# Completes ${program.name} in fish: ${program.name} completion fish | source
function ${name}_users
  set -l words (commandline -opc)
  set -l server
  for i in (seq 2 (count $words))
    if contains -- $words[$i] ${namesOf(entries.filter(isServerFlag)).join(" ")}
      set -a server $words[$i] $words[(math $i + 1)]
    end
  end
  $words[1] ${USERS_COMMAND} $server 2>/dev/null
end
${line("-f")}${
    commands.map((command) => {
      return line(`-n __fish_use_subcommand -a ${command} -d ${fishQuoted(program.commands[command]!)}`);
    }).join("")
  }${words.join("")}${flags.join("")}`;
}

function functionName(program: Program<Flags>): string {
  return `_${program.name.replaceAll("-", "_")}`;
}

function commandsOf(program: Program<Flags>): string[] {
  return Object.keys(program.commands);
}

function namesOf(entries: readonly Entry[]): string[] {
  return entries.flatMap(({ names }) => names);
}

function isServerFlag({ names }: Entry): boolean {
  return SERVER_FLAGS.includes(names[0]!.slice(2));
}

function completing(what: Completed): (entry: Entry) => boolean {
  return ({ flag }) => flag.completes === what;
}

function flagsFor(entries: readonly Entry[], command: string): string[] {
  return entries.filter(({ flag }) => flag.only?.includes(command) ?? true).map(({ names }) => names[0]!);
}

function bashWords(words: readonly string[]): string {
  return `COMPREPLY=($(compgen -W "${words.filter((word) => word !== "").join(" ")}" -- "$cur"))`;
}

function zshAction(name: string, completes: Completed | undefined): string {
  if (completes === undefined) return " ";
  if (completes === "users") return `${name}_users`;
  return completes === "files" ? "_files" : `(${completes.join(" ")})`;
}

function fishAction(name: string, completes: Completed): string {
  if (completes === "files") return "";
  return completes === "users" ? `(${name}_users)` : completes.join(" ");
}

/** Text within the brackets and colons of a description. */
function zshText(text: string): string {
  return text.replace(/[\[\]:\\]/g, "\\$&");
}

function fishQuoted(text: string): string {
  return `'${text.replace(/['\\]/g, "\\$&")}'`;
}
