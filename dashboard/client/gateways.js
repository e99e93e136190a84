// @ts-check
/**
 * Which gateways the page may call, and in which order. BACKUP_LIST and REDIRECT name the TCP addresses of servers,
 * which no browser can call; what gateway a server has is said by the view of the network (/api/network). Pure data.
 */

/**
 * What the page knows of a server: its own address, and that of its gateway.
 * @typedef {{ readonly id: string, readonly name: string, readonly address: string,
 *   readonly gateway: string | undefined, readonly isGone: boolean }} KnownServer
 */

/**
 * Where the page came from: `location.host`, and whether over TLS.
 * @typedef {{ readonly host: string, readonly isSecure: boolean }} Home
 */

/** @typedef {{ readonly serverId: string, readonly host: string, readonly port: number }} WireServer */

/** Before the gateways that speak TLS. */
const SECURE = "https://";
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i;

/**
 * The servers of a NetworkView, as far as it makes sense: it is read from the network, and the page
 * must not break for it.
 * @param {unknown} view
 * @param {Home} home
 * @returns {KnownServer[]}
 */
export function knownServers(view, home) {
  const { from, servers } = /** @type {{ from?: unknown, servers?: unknown }} */ (isObject(view) ? view : {});
  if (!isObject(servers)) return [];
  const all = /** @type {Record<string, unknown>} */ (servers);
  const self = typeof from === "string" ? all[from] : undefined;
  const selfHost = isObject(self) && typeof self.host === "string" ? self.host : "";
  return Object.entries(all).flatMap(([id, server]) => {
    if (!isObject(server) || typeof server.host !== "string" || typeof server.port !== "number") return [];
    const { host, port, name, http, state } = server;
    const gateway = id === from ? home.host : usableGateway(http, host, selfHost, home);
    const address = addressOf(host, port);
    return [{
      id,
      name: typeof name === "string" ? name : address,
      address,
      gateway,
      isGone: state === "dead" || state === "left",
    }];
  });
}

/**
 * The names of a NetworkView, registered or online.
 * @param {unknown} view
 * @returns {string[]}
 */
export function knownUsers(view) {
  return isObject(view) && isObject(view.users) ? Object.keys(view.users) : [];
}

/**
 * The gateways to call, best first and each once: those of the servers that the network names as backups, those of
 * others, and the page's own.
 * @param {readonly KnownServer[]} servers
 * @param {readonly WireServer[]} backups
 * @param {Home} home
 * @returns {string[]}
 */
export function gatewaysInOrder(servers, backups, home) {
  const there = servers.filter(({ isGone }) => !isGone);
  const named = backups.map((backup) => there.find(({ id }) => id === backup.serverId));
  const found = new Set([...named, ...there].flatMap((server) => server?.gateway ?? []));
  // The page's own is always there, and the last: it is where the page is when nothing has failed.
  found.delete(home.host);
  return [...found, home.host];
}

/**
 * The gateway of the server at a TCP address, if it is known.
 * @param {readonly KnownServer[]} servers
 * @param {string} host
 * @param {number} port
 * @returns {string | undefined}
 */
export function gatewayAt(servers, host, port) {
  return servers.find(({ address }) => address === addressOf(host, port))?.gateway;
}

/**
 * The other one of `known` to call first when `current` was lost.
 * @param {readonly string[]} known
 * @param {string} current
 * @returns {string}
 */
export function nextBest(known, current) {
  return known.find((gateway) => gateway !== current) ?? current;
}

/**
 * The one after `current` when that did not answer, round and round.
 * @param {readonly string[]} known
 * @param {string} current
 * @returns {string}
 */
export function nextInTurn(known, current) {
  return known[(known.indexOf(current) + 1) % known.length] ?? current;
}

/**
 * Where the line protocol is spoken at a gateway.
 * @param {string} gateway
 * @param {Home} home
 * @returns {string}
 */
export function lineUrl(gateway, { isSecure }) {
  const isByTls = isSecure || gateway.startsWith(SECURE);
  return `${isByTls ? "wss" : "ws"}://${gateway.replace(SECURE, "")}/line`;
}

/**
 * Where the pages of a gateway are that a page names.
 * @param {string} gateway
 * @returns {string}
 */
export function originOf(gateway) {
  return gateway.startsWith(SECURE) ? gateway : `http://${gateway}`;
}

/**
 * `url` of a gateway, with the page's pass for gateways of other servers.
 * @param {string} url As `lineUrl` makes it.
 * @param {string} pass Empty for none.
 * @param {Home} home
 * @returns {string}
 */
export function withPass(url, pass, { host }) {
  return pass === "" || new URL(url).host === host ? url : `${url}?pass=${encodeURIComponent(pass)}`;
}

/**
 * `"127.0.0.1:8000"`, `"[::1]:8000"`.
 * @param {string} host
 * @param {number} port
 * @returns {string}
 */
export function addressOf(host, port) {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * @param {unknown} http What the server says of its gateway.
 * @param {string} host Where the server is.
 * @param {string} selfHost Where the server of this page is.
 * @param {Home} home
 * @returns {string | undefined}
 */
function usableGateway(http, host, selfHost, home) {
  if (typeof http !== "string") return undefined;
  // From a page that came over TLS a browser calls nothing that is not.
  if (home.isSecure && !http.startsWith(SECURE)) return undefined;
  const match = /^(?:https:\/\/)?(\[[0-9a-f:.]+\]|[a-z0-9_.-]+):(\d{1,5})$/i.exec(http);
  if (match === null) return undefined;
  const [, gatewayHost = ""] = match;
  if (!LOOPBACK.test(gatewayHost)) return http;
  // The loopback address of another machine is not that machine from here.
  const isHere = LOOPBACK.test(host) || host === selfHost;
  const homeHost = home.host.replace(/:\d+$/, "");
  return isHere && LOOPBACK.test(homeHost) ? http : undefined;
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
