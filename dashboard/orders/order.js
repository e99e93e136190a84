// @ts-check
/**
 * What an order is: something that an operator is asked about before it is done, with what has to be filled in, and
 * what is said of its answer. Also the fields that several orders have. Pure.
 */

/**
 * Something to be filled in. `choices` make it a choice of one.
 *
 * @typedef {{ readonly name: string, readonly label: string, readonly value?: string, readonly hint?: string,
 *   readonly choices?: readonly (readonly [value: string, text: string])[],
 *   readonly attributes?: Readonly<Record<string, string | number | boolean>> }} Field
 */

/**
 * What is said when it is done. `secret` is shown once; `lines` are what became of it at each server.
 *
 * @typedef {{ readonly title: string, readonly text: string, readonly secret?: string,
 *   readonly lines?: readonly { readonly state: "good" | "bad", readonly text: string }[] }} Told
 */

/**
 * An order. `body` is what is sent, or makes it of what was filled in and of the time of the server that answers.
 * `typed` has to be typed before it is done. `problem` says what is wrong with what was filled in; empty for nothing.
 * `isCalm`: nobody is hurt by it. Without `told` the answer says nothing new.
 *
 * @typedef {{ readonly title: string, readonly text: string, readonly button: string, readonly path: string,
 *   readonly body: Readonly<Record<string, unknown>> |
 *     ((values: Readonly<Record<string, string>>, now: number) => Readonly<Record<string, unknown>>),
 *   readonly fields?: readonly Field[], readonly typed?: string, readonly isCalm?: boolean,
 *   readonly problem?: (values: Readonly<Record<string, string>>) => string,
 *   readonly told?: (answer: any) => Told }} Order
 */

const HOUR_MS = 3_600_000;
/** The longest reason, as in `server/accounts/ruling.ts`. */
const MAX_WHY_LENGTH = 200;

/** How long something holds. @type {readonly (readonly [value: string, text: string])[]} */
const SPANS = [
  ["", "until an operator lifts it"],
  [`${HOUR_MS}`, "for an hour"],
  [`${24 * HOUR_MS}`, "for a day"],
  [`${7 * 24 * HOUR_MS}`, "for a week"],
  [`${30 * 24 * HOUR_MS}`, "for 30 days"],
];

/**
 * How long something holds, to be chosen.
 *
 * @param {string} forever what is said of no end
 * @param {string} [value] the span that is chosen at first, in milliseconds
 * @returns {Field}
 */
export function spanField(forever, value = "") {
  return {
    name: "span",
    label: "How long",
    value,
    choices: SPANS.map(([span, text]) => span === "" ? [span, forever] : [span, text]),
  };
}

/**
 * The end that was chosen, for a body.
 *
 * @param {Readonly<Record<string, string>>} values
 * @param {number} now
 * @returns {{ until?: number }}
 */
export function untilOf({ span = "" }, now) {
  return span === "" ? {} : { until: now + Number(span) };
}

/** Why, to be said to who is shown out. @returns {Field} */
export function whyField() {
  return {
    name: "why",
    label: "Why",
    hint: "Read by who is shown out; may be left empty.",
    attributes: { maxlength: MAX_WHY_LENGTH },
  };
}

/**
 * The reason that was given, for a body.
 *
 * @param {Readonly<Record<string, string>>} values
 * @returns {{ why?: string }}
 */
export function whyOf({ why = "" }) {
  return why.trim() === "" ? {} : { why: why.trim() };
}

/**
 * What became of something that all servers were to do.
 *
 * @param {{ servers: readonly { server: string, name: string, done: boolean, count?: number,
 *   changed?: readonly string[], kept?: readonly string[], error?: string }[] }} answer
 * @param {(server: { count?: number, changed?: readonly string[], kept?: readonly string[] }) => string} say what is
 *   said of a server that has done it
 * @returns {Told}
 */
export function serversTold({ servers }, say) {
  const failed = servers.filter(({ done }) => !done).length;
  return {
    title: failed === 0 ? "Done" : failed === servers.length ? "Not done" : "Done in part",
    text: failed === 0 ? "Every server of the network has done it." : "Not every server of the network has done it.",
    lines: servers.map((server) => ({
      state: server.done ? "good" : "bad",
      text: `${server.name}: ${server.done ? say(server) : server.error ?? "not done"}`,
    })),
  };
}
