/**
 * What a page shows to other servers when its own is silent and they want proof: a pass of the server that it reads. A
 * pass lets it look, is good for minutes, and never is the token. Where no proof is needed there is none.
 */

/** A pass is good for five minutes. */
const INTERVAL_MS = 60_000;
const PATIENCE_MS = 5_000;

/**
 * Keeps the pass of `others` fresh, from now on.
 *
 * @param {import("./other_servers.js").OtherServers} others
 * @param {() => string} base where the view is from, "" for the page's own server
 * @returns {() => Promise<void>} asks for a new one now
 */
export function keepPass(others, base) {
  setInterval(renew, INTERVAL_MS);
  return renew;

  async function renew() {
    const text = await (base() === "" ? askOwn() : askOther(base()));
    try {
      const { pass } = JSON.parse(text ?? "");
      if (typeof pass === "string") others.pass = pass;
    } catch {
      // No answer: the pass that there is may be good still.
    }
  }

  async function askOwn() {
    try {
      const answer = await fetch("/api/pass", { signal: AbortSignal.timeout(PATIENCE_MS) });
      return answer.ok ? await answer.text() : undefined;
    } catch {
      return undefined;
    }
  }

  async function askOther(at) {
    const { status, text } = await others.ask(`${at}/api/pass`, PATIENCE_MS);
    return status === 200 ? text : undefined;
  }
}
