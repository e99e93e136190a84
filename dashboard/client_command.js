// @ts-check
/** What to type to be a client of a server: with the compiled program, and from the source. Pure. */

/** Where the client program calls when it is told nothing else: `server` of the configuration's defaults. */
const DEFAULT_PORT = 8000;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i;

/**
 * @param {string} what What the client is to do, as it is typed.
 * @param {{ readonly host: string, readonly port: number } | undefined} server
 * @returns {{ text: string, fromSource: string }}
 */
export function clientCommand(what, server) {
  // The name is what others told of it: only what is an address goes into a command.
  const isElsewhere = server !== undefined && !LOOPBACK.test(server.host) && /^[\w.:-]+$/.test(server.host);
  const host = isElsewhere ? ` --host ${server.host}` : "";
  const port = server === undefined || server.port === DEFAULT_PORT ? "" : ` --port ${Number(server.port)}`;
  const rest = `${what}${host}${port}`;
  return { text: `thrum-client ${rest}`, fromSource: `deno task client ${rest}` };
}
