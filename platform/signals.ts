/**
 * The signals by which an operating system asks a program to stop.
 */

/** Calls `stop` on Ctrl-C and on a request to terminate, until it is disposed of: then a signal ends the program at once again. */
export function onStopSignal(stop: () => void): Disposable {
  // Windows knows no SIGTERM; Ctrl-Break is nearest.
  const signals: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, stop);
  return {
    [Symbol.dispose]() {
      for (const signal of signals) Deno.removeSignalListener(signal, stop);
    },
  };
}
