/** Loaded before a server with `--preload` and `--v8-flags=--expose-gc`: SIGUSR2 makes it collect its garbage. */

Deno.addSignalListener("SIGUSR2", () => {
  // Twice, as the first finds what finalizers hold.
  for (let time = 0; time < 2; time++) (globalThis as { gc?: () => void }).gc?.();
});
