/** Waiting that somebody can give up: what every call with an `AbortSignal` does. Pure: the signal is the caller's. */

/**
 * Like `promise`, until `signal` says that nobody waits any more: then it rejects with the reason of the signal, and
 * `onAbort` is called once before. Leaves nothing at the signal when it is settled.
 */
export function unlessAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  onAbort: () => void = () => {},
): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const forget = onceAborted(signal, () => {
      onAbort();
      reject(signal.reason);
    });
    promise.then(resolve, reject).finally(forget);
  });
}

/** Calls `act` once when `signal` is aborted, at once if it is. Returns how to forget it. */
export function onceAborted(signal: AbortSignal, act: () => void): () => void {
  if (signal.aborted) {
    act();
    return () => {};
  }
  signal.addEventListener("abort", act, { once: true });
  return () => signal.removeEventListener("abort", act);
}
