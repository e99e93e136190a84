/**
 * Asks the HTTP gateway of a server whose configuration is here, by TLS if it has TLS. Whoever has the configuration
 * has the certificate, and so believes nobody else.
 */

import type { Config } from "../../../config/config.ts";
import { askHttp, askHttps, type HttpAnswer, type HttpQuestion } from "../../../platform/http/http_client.ts";
import { readTlsIdentity } from "./tls_files.ts";

/** How such a gateway is asked. */
export interface OwnGateway {
  readonly isSecure: boolean;
  readonly ask: (question: HttpQuestion) => Promise<HttpAnswer>;
}

/**
 * The way to the gateway of a server of this configuration.
 * @throws {ConfigError} when its certificate cannot be read.
 */
export async function ownGateway({ gateway, tls }: Pick<Config, "gateway" | "tls">): Promise<OwnGateway> {
  const { use } = gateway.http.tls;
  const isOwn = use === "own";
  if (use === "off" || (!isOwn && tls.cert === "")) return { isSecure: false, ask: askHttp };
  const files = isOwn ? gateway.http.tls : tls;
  const { fingerprint, cert, key } = await readTlsIdentity(files, isOwn ? "gateway.http.tls" : "tls");
  const { TlsCaller } = await import("../../../platform/tls/tls_caller.ts");
  // It may ask for a certificate, and knows this one.
  const caller = new TlsCaller(() => ({ fingerprints: [fingerprint], identity: { cert, key } }));
  return { isSecure: true, ask: (question) => askHttps(question, caller) };
}
