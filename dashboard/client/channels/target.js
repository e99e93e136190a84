// @ts-check
/**
 * Whom a text goes to, by the place that is shown and by what stands under "To": a user, a channel, or everyone. Where
 * that is not clear, nobody gets it. Pure.
 */

import { channelProblem, channelText, EVERYONE, isPattern, normalName } from "./channel_name.js";

/**
 * `nobody`: why not, as a sentence.
 * @typedef {{ readonly kind: "channel", readonly channel: string } | { readonly kind: "user", readonly to: string }
 *   | { readonly kind: "nobody", readonly info: string }} Target A `channel` that is empty is everyone.
 */

/** What stands under "To" for what has no channel. */
const ALL = "everyone";

/**
 * @param {string} to What stands there.
 * @param {string} place
 * @param {{ isUser: (name: string) => boolean, isRead: (channel: string) => boolean }} known
 * @returns {Target}
 */
export function targetOf(to, place, { isUser, isRead }) {
  const text = to.trim();
  if (text === "") {
    return isPattern(place)
      ? {
        kind: "nobody",
        info: `${channelText(place)} stands for many channels. Give one of them, as #name, under “To”.`,
      }
      : place === EVERYONE
      ? { kind: "channel", channel: EVERYONE }
      : channelTarget(place, isRead);
  }
  if (text === ALL) return { kind: "channel", channel: EVERYONE };
  // A user may have such a name. What is for one user is not told to a channel.
  if (text.startsWith("#") && !isUser(text)) return channelTarget(text.slice(1), isRead);
  return { kind: "user", to: text };
}

/**
 * @param {string} name
 * @param {(channel: string) => boolean} isRead
 * @returns {Target}
 */
export function channelTarget(name, isRead) {
  const channel = normalName(name);
  const problem = channelProblem(channel);
  if (problem !== undefined) return { kind: "nobody", info: `This is no channel: ${problem}.` };
  // Nobody should say something where the answers are not seen.
  return isRead(channel)
    ? { kind: "channel", channel }
    : { kind: "nobody", info: `You have not joined ${channelText(channel)}: join it to write there.` };
}
