/** The signals by which an operating system asks a program to stop, or to open its log file anew. */

import { clearTimeout, setTimeout } from "node:timers";

/**
 * One Ctrl-C can come twice, from the terminal and from the program that started this one (`deno task`, `npx`). Only
 * what comes later than this is a person who does not want to wait.
 */
const ONE_CTRL_C_MS = 500;
/** Windows knows no SIGTERM; Ctrl-Break is nearest. */
const TERMINATE: Deno.Signal = Deno.build.os === "windows" ? "SIGBREAK" : "SIGTERM";

/**
 * Calls `stop` on Ctrl-C and on a request to terminate, once. From half a second after it a signal ends the program at
 * once again; and so it does when this is disposed of before one came.
 */
export function onStopSignal(stop: () => void): Disposable {
  return onSignals(["SIGINT", TERMINATE], stop);
}

/** The same without Ctrl-C: where that is a key like others. */
export function onTerminateSignal(stop: () => void): Disposable {
  return onSignals([TERMINATE], stop);
}

function onSignals(signals: readonly Deno.Signal[], stop: () => void): Disposable {
  let patience: ReturnType<typeof setTimeout> | undefined;
  const remove = () => {
    clearTimeout(patience);
    for (const signal of signals) Deno.removeSignalListener(signal, onSignal);
  };
  const onSignal = () => {
    if (patience !== undefined) return;
    // The program is on its way out, and need not wait for this.
    patience = setTimeout(remove, ONE_CTRL_C_MS).unref();
    stop();
  };
  for (const signal of signals) Deno.addSignalListener(signal, onSignal);
  return {
    [Symbol.dispose]() {
      // The second half of a Ctrl-C that was heard must not meet a program without ears.
      if (patience === undefined) remove();
    },
  };
}

/**
 * Calls `hungUp` on SIGHUP, each time. A terminal that goes sends it, and so do programs that move log files away.
 * Windows has no such thing.
 */
export function onHangUp(hungUp: () => void): Disposable {
  if (Deno.build.os === "windows") return { [Symbol.dispose]() {} };
  Deno.addSignalListener("SIGHUP", hungUp);
  return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGHUP", hungUp) };
}
