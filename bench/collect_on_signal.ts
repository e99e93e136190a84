/** Loaded before a server with `--preload` and `--v8-flags=--expose-gc`: SIGUSR2 makes it collect its garbage. */

type Collect = (how: { type: "major"; execution: "sync"; flavor: "last-resort" }) => void;

Deno.addSignalListener("SIGUSR2", () => {
  // As V8 does when memory runs out: pages that are empty go back to the system. A usual collection keeps them.
  (globalThis as { gc?: Collect }).gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
});
