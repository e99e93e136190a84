/** What the server program says when it has started: where it listens, how others join it, where its secrets are. */

import { type Config, dataFolder } from "../../config/config.ts";
import { shellWord } from "../../config/shell_word.ts";
import { endpointText, secondsText } from "../../config/values.ts";
import type { Style } from "../../platform/terminal.ts";
import type { KeptSecret } from "./kept_secret.ts";
import type { Server } from "./serve.ts";

/** The secrets that the server shares: with the servers of its network, and with browsers that may change something. */
export interface Secrets {
  readonly network: KeptSecret;
  /** `undefined` without an HTTP gateway. */
  readonly http: KeptSecret | undefined;
}

/** What the text is made with. */
export interface StartedParts {
  /** `"thrum-server 0.1.0"`. */
  readonly title: string;
  /** How this program is started again. */
  readonly command: string;
  readonly out: Style;
  /** Whether a person reads it now; others may keep it. */
  readonly isTerminal: boolean;
}

/** All rows. */
export function startedText(server: Server, config: Config, secrets: Secrets, parts: StartedParts): string {
  const { heartbeat } = server;
  const { title, out } = parts;
  const row = (name: string, text: string) => `  ${out.dim(name.padEnd(12))}${text}\n`;
  const kept = config.store.ephemeral ? "in memory, gone when it stops" : dataFolder(config);
  return `${out.bold(title)} ${out.green(`listening on ${endpointText(server)}`)}\n` +
    (server.fingerprint === undefined ? "" : row("TLS", server.fingerprint)) +
    (config.tls.port === 0 ? "" : row("TLS port", String(config.tls.port))) +
    row("data", kept) +
    row(
      "heartbeats",
      `after ${secondsText(heartbeat.idleTimeoutMs)} s without data, ` +
        `${heartbeat.count} of them, ${secondsText(heartbeat.intervalMs)} s apart`,
    ) +
    [...networkRows(server, config, secrets.network, parts), ...gatewayRows(server, secrets.http, parts)]
      .map(([name, text]) => row(name, text)).join("") +
    row("stop", "Ctrl-C");
}

/** How this server joins others, or others join it. */
function networkRows(
  server: Server,
  { cluster }: Config,
  network: KeptSecret,
  parts: StartedParts,
): [string, string][] {
  const joins: [string, string][] = cluster.join.length === 0 ? [] : [["joins", cluster.join.join(", ")]];
  if (network.from === "given") return joins;
  // Never the secret itself: a command line is in the history of a shell, and in the list of processes. A server
  // without a secret asks for it.
  const secret = network.file === undefined ? "" : ` --secret-file ${shellWord(network.file)}`;
  const listens = isEveryAddress(server.host) ? "HOST" : server.host;
  const host = cluster.advertise === "" ? listens : cluster.advertise;
  // The next port, where both run on one machine.
  const port = server.port < 65_535 ? server.port + 1 : server.port - 1;
  const line = `${parts.command} --port ${port} --join ${endpointText({ host, port: server.port })}${secret}`;
  return [["secret", secretText(network, parts)], ["join it", line], ...joins];
}

/** The address for browsers, and the token that lets them change something. */
function gatewayRows(
  { http, grpc }: Server,
  token: KeptSecret | undefined,
  parts: StartedParts,
): [string, string][] {
  const rows: [string, string][] = [];
  if (http !== undefined) {
    const host = isEveryAddress(http.host) ? "HOST" : http.host;
    rows.push(["dashboard", `${http.isSecure ? "https" : "http"}://${endpointText({ host, port: http.port })}/`]);
  }
  if (token !== undefined && token.from !== "given") rows.push(["token", secretText(token, parts)]);
  if (grpc !== undefined) rows.push(["Chitty-Chat", `${endpointText(grpc)}${grpc.isSecure ? " by TLS" : ""}`]);
  return rows;
}

/** Others may keep the output, if it is no terminal. Then it names the place of a secret, if there is one. */
function secretText({ secret, from, file }: KeptSecret, { out, isTerminal }: StartedParts): string {
  if (file !== undefined && !(from === "made" && isTerminal)) return `in ${file}`;
  const where = file === undefined ? "shown once" : `shown once, kept in ${file}`;
  return `${secret}  ${out.dim(where)}`;
}

/** Whether listening on `host` is listening on every address of this machine. */
function isEveryAddress(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}
