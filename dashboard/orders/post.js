/** Sends something to this page's own server. */

/** Much longer than that server waits for others. */
const PATIENCE_MS = 30_000;

/**
 * Sends JSON. `error` is what went wrong, in a sentence, or nothing; `answer` is what came back.
 *
 * @param {string} path
 * @param {unknown} body
 * @returns {Promise<{ readonly error: string, readonly answer?: any }>}
 */
export async function post(path, body) {
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const value = await answer.json().catch(() => ({}));
    if (answer.ok) return { error: "", answer: value };
    const { error } = value;
    return {
      error: typeof error === "string"
        ? `${error.charAt(0).toUpperCase()}${error.slice(1)}`
        : `The server answered ${answer.status}`,
    };
  } catch (error) {
    const isLate = error instanceof DOMException && error.name === "TimeoutError";
    return {
      error: isLate
        ? "The server has not answered in time, and may do it all the same"
        : "The server cannot be reached",
    };
  }
}
