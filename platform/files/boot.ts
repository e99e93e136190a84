/** Which run of the machine this is: from one start of its operating system to the next. */

/** A name for it; empty where the system gives none, as outside of Linux. */
export function bootId(): string {
  try {
    return Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
  } catch {
    return "";
  }
}
