/**
 * What the two programs may do, in one place: for the compiled programs, for the tasks of `deno.json` and whatever else
 * starts them for a user, and for tests. Neither starts other programs, and neither loads foreign code.
 */

/** One program's, as flags of Deno. */
export type Permissions = readonly string[];

// Files and addresses are the user's choice, on the command line or in the config file, so these cannot be narrowed.
// The uid is what node:fs compares to say whether the data folder can be written to, and `statfs` what is free on its
// disk. The libraries for gRPC and WebSockets read settings of their own, and do not start where they may not.
const FREE: Permissions = ["--allow-net", "--allow-read", "--allow-write"];

/** The server's. */
export const SERVER_PERMISSIONS: Permissions = [
  ...FREE,
  "--allow-env=THRUM_SECRET,THRUM_HTTP_TOKEN,OTEL_*,GRPC_*,WS_NO_*,TERM",
  "--allow-sys=uid,statfs",
];

/** The client's. It writes who talked last, in the person's config folder. */
export const CLIENT_PERMISSIONS: Permissions = [
  ...FREE,
  "--allow-env=THRUM_SECRET,USER,USERNAME,HOME,XDG_CONFIG_HOME,APPDATA,TERM",
];

/** `permissions` of a program that Deno runs from its sources. The server looks whether a task has started it. */
export function fromSources(permissions: Permissions): Permissions {
  return ["--no-prompt", ...permissions.map((flag) => flag.startsWith("--allow-env=") ? `${flag},INIT_CWD` : flag)];
}
