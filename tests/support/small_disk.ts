/**
 * A file system of a given size in memory, for tests of what happens when a disk is full or read-only.
 * Needs root and Linux.
 */

/** A mounted file system. */
export interface SmallDisk extends Disposable {
  readonly folder: string;
  /** From now on nothing can be written to it. */
  makeReadOnly(): void;
  /** Gives it another size. */
  makeLarger(kilobytes: number): void;
  /** Takes all space that is left; `release` gives it back. */
  fill(): void;
  release(): void;
}

/** Why there can be no small disks here; empty when there can. */
export const NO_SMALL_DISK: string = whyNot();

/** Mounts a file system of `kilobytes`; disposing unmounts it. */
export function mountSmallDisk(kilobytes: number): SmallDisk {
  const folder = Deno.makeTempDirSync({ prefix: "thrum-disk-" });
  runAsRoot("mount", "-t", "tmpfs", "-o", `size=${kilobytes}k`, "tmpfs", folder);
  const filler = `${folder}/filler`;
  return {
    folder,
    makeReadOnly: () => runAsRoot("mount", "-o", "remount,ro", folder),
    makeLarger: (kilobytes) => runAsRoot("mount", "-o", `remount,size=${kilobytes}k`, folder),
    fill: () => {
      using file = Deno.openSync(filler, { write: true, create: true, append: true });
      const page = new Uint8Array(4_096);
      try {
        for (;;) file.writeSync(page);
      } catch {
        // It is full, as it should be.
      }
    },
    release: () => Deno.removeSync(filler),
    [Symbol.dispose]: () => {
      runAsRoot("umount", folder);
      Deno.removeSync(folder);
    },
  };
}

function whyNot(): string {
  if (Deno.build.os !== "linux") return "mounting one works on Linux only";
  if (Deno.uid() !== 0) return "only root can mount one";
  try {
    mountSmallDisk(64)[Symbol.dispose]();
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function runAsRoot(command: string, ...args: string[]): void {
  const { success, stderr } = new Deno.Command(command, { args, stdout: "null", stderr: "piped" }).outputSync();
  if (!success) throw new Error(`${command} failed: ${new TextDecoder().decode(stderr).trim()}`);
}
