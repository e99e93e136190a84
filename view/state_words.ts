/**
 * One word for each state that a person is shown, on both pages, in the terminal, in drawings, answers and logs.
 * docs/states.md says what each means. The pages have the same table (`dashboard/look/state_words.js`), as browsers
 * read no TypeScript; a test keeps them equal. Pure.
 */

/** The words, by what is in the state. Keys are those of the data. */
export const STATE_WORDS = {
  /** Another server, as the one that answers sees it. */
  server: {
    self: "this server",
    linked: "linked",
    suspect: "suspect",
    dead: "dead",
    parted: "parted",
    left: "left",
    draining: "draining",
  },
  /** A server, as it says itself (`/readyz`, `thrum_state`). */
  own: {
    joining: "joining",
    refused: "refused",
    ready: "ready",
    draining: "draining",
    stopping: "stopping",
  },
  /** A client or a page, and its server. */
  session: {
    connecting: "connecting",
    live: "live",
    reconnecting: "reconnecting",
    ended: "ended",
    stopped: "stopped",
    signedOut: "signed out",
  },
  /** A connection, as its server sees it. */
  connection: {
    watching: "watching",
    probing: "probing",
    unwatched: "not watched",
    lost: "lost",
  },
  /** A user. */
  user: {
    online: "online",
    offline: "offline",
    disabled: "disabled",
    banned: "banned",
  },
  /** An invitation to register. */
  invitation: {
    open: "open",
    usedUp: "used up",
    ended: "ended",
  },
} as const;
