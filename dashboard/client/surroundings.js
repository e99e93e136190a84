// @ts-check
/**
 * What the page knows of the network around it: who is online, which names there are, which servers are named as
 * backups, and which gateways it could call. Acts on nothing.
 */

import { gatewayAt, gatewaysInOrder, knownServers, knownUsers } from "./gateways.js";

/** Users that are shown as online at most. */
const MAX_ONLINE = 1_000;

/** Knows what it was told last. */
export class Surroundings {
  #home;
  /** @type {import("./gateways.js").KnownServer[]} */
  #servers = [];
  /** @type {import("./gateways.js").WireServer[]} */
  #backups = [];
  /** @type {Set<string>} */
  #online = new Set();
  /**
   * Grows only, with the users of the network: somebody who was known must not become a word of a text
   * for everyone by going.
   * @type {Set<string>}
   */
  #names = new Set();

  /** @param {import("./gateways.js").Home} home */
  constructor(home) {
    this.#home = home;
  }

  /** Who is logged in somewhere, as the server told. */
  get online() {
    return this.#online;
  }

  /** Whether there is or was a user of this name, as far as the page has heard. @param {string} name */
  isKnown(name) {
    return this.#names.has(name);
  }

  /** Somebody of this name was heard of. @param {string} name */
  met(name) {
    this.#names.add(name);
  }

  /**
   * What people call a server, as on the page of the network: `HOST:PORT`, with its id where another one was there
   * before; the id alone where nothing is known.
   * @param {string} serverId
   */
  nameOf(serverId) {
    const server = this.#servers.find(({ id }) => id === serverId);
    if (server === undefined) return serverId;
    const isOnly = this.#servers.every(({ id, name }) => id === serverId || name !== server.name);
    return isOnly ? server.name : `${server.name} · ${serverId}`;
  }

  /** The servers that the network names as backups, best first, with the gateway of each where one is known. */
  get backups() {
    return this.#backups.map(({ serverId, host, port }) => ({
      serverId,
      host,
      port,
      gateway: this.#servers.find(({ id }) => id === serverId)?.gateway,
    }));
  }

  /** The gateways to call, best first; the page's own is the last. */
  get gateways() {
    return gatewaysInOrder(this.#servers, this.#backups, this.#home);
  }

  /** Another user comes in: what was said to the one before is over. What gateways there are stays known. */
  forget() {
    this.#backups = [];
    this.#online = new Set();
  }

  /** Nobody tells who comes and goes. */
  forgetOnline() {
    this.#online = new Set();
  }

  /** A view of the network came. @param {unknown} view */
  learn(view) {
    this.#servers = knownServers(view, this.#home);
    for (const name of knownUsers(view)) this.met(name);
  }

  /**
   * BACKUP_LIST came: it takes the place of the one before.
   * @param {unknown} servers
   * @param {string | undefined} serverId
   */
  named(servers, serverId) {
    this.#backups = Array.isArray(servers) ? servers.filter((server) => server?.serverId !== serverId) : [];
  }

  /** USER_LIST came. @param {Record<string, any>} message */
  listed({ scope, users }) {
    if (!Array.isArray(users)) return;
    for (const name of users) this.met(String(name));
    if (scope === "online") this.#online = new Set(users.slice(0, MAX_ONLINE).map(String));
  }

  /** PRESENCE came. @param {string} event @param {string} username */
  changed(event, username) {
    this.met(username);
    if (event !== "joined") this.#online.delete(username);
    else if (this.#online.size < MAX_ONLINE) this.#online.add(username);
  }

  /** The gateway of the server at a TCP address. @param {string} host @param {number} port */
  gatewayAt(host, port) {
    return gatewayAt(this.#servers, host, port);
  }
}
