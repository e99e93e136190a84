/** How a person started this program, so that what is printed can be typed as it stands. Pure. */

import { shellWord } from "./shell_word.ts";

/** What is known of the start. */
export interface Invocation {
  /** Whether the program is compiled. */
  readonly isCompiled: boolean;
  /** The file that runs: the program when it is compiled, Deno otherwise. */
  readonly executable: string;
  readonly denoVersion: string;
  /** The module that was started, as a URL. */
  readonly mainModule: string;
  /** The folder that the program runs in. */
  readonly folder: string;
  /** Whether a task started it. */
  readonly isTask: boolean;
}

/** Folders whose programs every shell finds. */
const PROGRAM_FOLDERS = ["/usr/local/bin", "/usr/bin", "/bin"];

/** The beginning of a command line that starts the same program again. `task` is its name as a task. */
export function invocationText(invocation: Invocation, task: string): string {
  const { isCompiled, executable, denoVersion, mainModule, folder, isTask } = invocation;
  if (isCompiled) return shellWord(nearest(executable, folder));
  // Who has Deno from npm has no command of that name.
  const deno = /[/\\]_npx[/\\]/.test(executable) ? `npx -y deno@${denoVersion}` : "deno";
  const module = mainModule.startsWith("file://") ? decodeURIComponent(new URL(mainModule).pathname) : mainModule;
  if (isTask && module === `${folder}/${module.split("/").at(-1)}`) return `${deno} task ${task}`;
  return `${deno} run -A ${shellWord(module.startsWith(`${folder}/`) ? module.slice(folder.length + 1) : module)}`;
}

/** The shortest name of a program that a shell takes. */
function nearest(executable: string, folder: string): string {
  const at = executable.lastIndexOf("/");
  if (PROGRAM_FOLDERS.includes(executable.slice(0, at))) return executable.slice(at + 1);
  return executable.startsWith(`${folder}/`) ? `./${executable.slice(folder.length + 1)}` : executable;
}
