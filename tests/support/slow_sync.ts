/**
 * A library in C that makes a program's disk slow: every fsync and fdatasync takes a while, also those of SQLite. Or
 * they fail for one file. The program is started with it in `LD_PRELOAD`. Needs Linux and a compiler.
 */

const SOURCE = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int ends_with(int fd, const char *name) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path);
  size_t wanted = strlen(name);
  return length >= (ssize_t) wanted && memcmp(path + length - wanted, name, wanted) == 0;
}

static int slow(const char *name, int fd) {
  const char *delay = getenv("SLOW_SYNC_MS");
  const char *begun = getenv("SLOW_SYNC_BEGUN");
  const char *fails = getenv("SLOW_SYNC_FAILS");
  int is_begun = begun && access(begun, F_OK) == 0;
  if (is_begun && fails && *fails && ends_with(fd, fails)) {
    errno = EIO;
    return -1;
  }
  long ms = delay && is_begun ? atol(delay) : 0;
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

/**
 * Compiles the library into `folder`, for a disk that takes `ms` for each sync, and cannot bring a file to the disk
 * whose name ends with `fails`.
 */
export function slowSync(folder: string, ms: number, fails = ""): SlowSync {
  const [source, library] = [`${folder}/slow_sync.c`, `${folder}/slow_sync.so`];
  Deno.writeTextFileSync(source, SOURCE);
  const args = ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"];
  const { success, stderr } = new Deno.Command("gcc", { args }).outputSync();
  if (!success) throw new Error(`gcc: ${new TextDecoder().decode(stderr)}`);
  const begun = `${folder}/slow_sync.begun`;
  return {
    env: { LD_PRELOAD: library, SLOW_SYNC_MS: String(ms), SLOW_SYNC_BEGUN: begun, SLOW_SYNC_FAILS: fails },
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
