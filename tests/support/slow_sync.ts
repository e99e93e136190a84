/**
 * A library in C that makes a program's disk slow: every fsync and fdatasync takes a while, also those of SQLite. The
 * program is started with it in `LD_PRELOAD`. Needs Linux and a compiler.
 */

const SOURCE = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int slow(const char *name, int fd) {
  const char *delay = getenv("SLOW_SYNC_MS");
  const char *begun = getenv("SLOW_SYNC_BEGUN");
  long ms = delay && begun && access(begun, F_OK) == 0 ? atol(delay) : 0;
  struct timespec span = { ms / 1000, ms % 1000 * 1000000 };
  nanosleep(&span, 0);
  int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, name);
  return real(fd);
}

int fsync(int fd) { return slow("fsync", fd); }
int fdatasync(int fd) { return slow("fdatasync", fd); }
`;

/** Why there can be no slow disk here; empty when there can. */
export const NO_SLOW_SYNC: string = whyNot();

/** A disk that is slow from some moment on. */
export interface SlowSync {
  /** The environment of the program. */
  readonly env: Record<string, string>;
  /** From now on it is slow. */
  begin(): void;
}

/** Compiles the library into `folder`, for a disk that takes `ms` for each sync. */
export function slowSync(folder: string, ms: number): SlowSync {
  const [source, library] = [`${folder}/slow_sync.c`, `${folder}/slow_sync.so`];
  Deno.writeTextFileSync(source, SOURCE);
  const args = ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"];
  const { success, stderr } = new Deno.Command("gcc", { args }).outputSync();
  if (!success) throw new Error(`gcc: ${new TextDecoder().decode(stderr)}`);
  const begun = `${folder}/slow_sync.begun`;
  return {
    env: { LD_PRELOAD: library, SLOW_SYNC_MS: String(ms), SLOW_SYNC_BEGUN: begun },
    begin: () => Deno.writeTextFileSync(begun, ""),
  };
}

function whyNot(): string {
  if (Deno.build.os !== "linux") return "LD_PRELOAD works on Linux only";
  try {
    return new Deno.Command("gcc", { args: ["--version"], stdout: "null", stderr: "null" }).outputSync().success
      ? ""
      : "there is no compiler (gcc)";
  } catch {
    return "there is no compiler (gcc)";
  }
}
