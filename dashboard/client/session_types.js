// @ts-check
/** What goes into `line_session.js` and what comes out, as types. There is no code here. */

/** @typedef {import("./lines.js").Plan} Plan */
/** @typedef {import("./received.js").Arrived} Arrived */
/** @typedef {import("./failover.js").Moment} Moment */

/**
 * A line that was read as JSON: nothing in it can be relied on.
 * @typedef {Record<string, any>} Message
 */

/**
 * What is kept for a reload. The secret is not in it. A pass is good for one login, for a few hours.
 * @typedef {object} Saved
 * @property {string} username
 * @property {import("./received.js").SavedReceived} received
 * @property {number} lamport
 * @property {string | undefined} last
 * @property {import("./outbox.js").Unacknowledged[]} outbox
 * @property {string[]} [channels] What the page reads beside what is for everyone.
 * @property {string} [pass]
 */

/**
 * Where the client stands. `forgotten`: whose account was just deleted.
 * @typedef {{ kind: "signedOut", refusal?: { reason: unknown, info: string, username: string }, forgotten?: string }
 *   | { kind: "dialing" | "greeting", until: number }
 *   | { kind: "live" | "byHand" }
 *   | { kind: "waiting", until: number }
 *   | { kind: "leaving", until: number, next: Plan | undefined }
 *   | { kind: "ended", reason: string, sentence: string }} Status
 */

/**
 * How far the proof has come, on one connection: `first` was said, the answer to the server's question is made, or it
 * is given, and `serverFinal` is what a server says then that knows the account.
 * @typedef {{ kind: "begun" | "asked", first: string } | { kind: "given", serverFinal: string }} ProofStage
 */

/**
 * Somebody comes in. `plan` is undefined for lines by hand. `channels` are those of an earlier visit; anything may
 * stand there.
 * @typedef {{ kind: "signIn", plan: Plan | undefined, saved?: Saved | undefined, fromStart?: boolean,
 *   channels?: unknown } & Moment} SignIn
 */

/**
 * What happens.
 * @typedef {SignIn
 *   | { kind: "closed" | "retry" | "leave" | "seen" } & Moment
 *   | { kind: "opened", nonce?: string } & Moment
 *   | { kind: "proved", first: string, response: string, serverFinal: string } & Moment
 *   | { kind: "notProved", first: string, why: string } & Moment
 *   | { kind: "woke", lateMs: number } & Moment
 *   | { kind: "line", text: string } & Moment
 *   | { kind: "say", messageId: string, to: string | undefined, text: string, channel?: string } & Moment
 *   | { kind: "join" | "leaveChannel", channel: string } & Moment
 *   | { kind: "raw", text: string } & Moment
 *   | { kind: "earlier", before: string | undefined, place?: string } & Moment
 *   | { kind: "plain", isPlain: boolean } & Moment
 *   | { kind: "answering", isOn: boolean } & Moment
 *   | { kind: "changing", newSecret: string | undefined } & Moment
 *   | { kind: "changed", isDone: boolean } & Moment
 *   | { kind: "learned", view: unknown } & Moment} SessionEvent
 */

/**
 * What is to be done, in order. `isLast` of what is stored: nothing more of it comes. `channels`: those that the page
 * reads now.
 * @typedef {{ kind: "dial", url: string }
 *   | { kind: "write", line: string }
 *   | { kind: "hangUp" | "poll" | "save" | "forget" }
 *   | { kind: "prove", first: string, question: import("./login_proof.js").Question, secret: string }
 *   | { kind: "sent", messageId: string, to: string | undefined, text: string, channel?: string | undefined }
 *   | { kind: "stored", messageId: string, id: string | undefined, at: number, lamport: number | undefined,
 *     isLast?: boolean }
 *   | { kind: "channels", channels: string[] }
 *   | { kind: "delivered", messageId: string }
 *   | { kind: "refused", messageId: string, info: string }
 *   | { kind: "past", activities: import("./past.js").PastActivity[], isFirst: boolean }
 *   | { kind: "note", tone: "plain" | "good" | "warn", text: string, at: number }
 *   | Arrived} SessionEffect
 */

/** Nothing but types. */
export {};
