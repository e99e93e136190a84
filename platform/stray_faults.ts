/**
 * The net below all guards: exceptions that nobody catches, and promises that reject where nobody waits. Without it
 * they would end the process, and every connection with it. It is there for faults that nobody knows yet. A fault that
 * gets here needs a guard of its own.
 */

import type { FaultGuard } from "./faults.ts";

/** Keeps the process alive, and tells `faults`, until it is disposed of. For programs, not for libraries. */
export function catchStrayFaults(faults: FaultGuard): Disposable {
  const onError = (event: ErrorEvent) => {
    // Somebody else expected it.
    if (event.defaultPrevented) return;
    event.preventDefault();
    faults.caught("process", event.error);
  };
  const onRejection = (event: PromiseRejectionEvent) => {
    if (event.defaultPrevented) return;
    event.preventDefault();
    faults.caught("process", event.reason);
  };
  addEventListener("error", onError);
  addEventListener("unhandledrejection", onRejection);
  return {
    [Symbol.dispose]() {
      removeEventListener("error", onError);
      removeEventListener("unhandledrejection", onRejection);
    },
  };
}
