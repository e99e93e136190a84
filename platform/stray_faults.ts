/**
 * The net below all guards: what is thrown where nobody catches it, and promises that reject where nobody waits. It
 * would end the process, and everybody's connections with it. It is there for faults that nobody knows of yet; whatever
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
