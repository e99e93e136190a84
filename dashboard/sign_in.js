/**
 * The page for a browser that may not look yet. It is served in place of the page that was asked for, so afterwards it
 * is loaded again. It imports nothing: only what the page itself names is served to whoever asks.
 */

const form = document.getElementById("form");
const token = document.getElementById("token");
const error = document.getElementById("error");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const sentence = await signIn(token.value);
  if (sentence === undefined) location.reload();
  error.textContent = sentence ?? "";
  token.setAttribute("aria-invalid", `${sentence !== undefined}`);
  if (sentence !== undefined) token.select();
});

/** What went wrong, in a sentence; nothing when the server took the token. */
async function signIn(token) {
  try {
    const answer = await fetch("/api/session", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token }),
    });
    if (answer.ok) return undefined;
    const { error } = await answer.json().catch(() => ({}));
    return typeof error === "string"
      ? `${error.charAt(0).toUpperCase()}${error.slice(1)}`
      : `The server answered ${answer.status}`;
  } catch {
    return "The server cannot be reached";
  }
}
