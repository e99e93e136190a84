import { assertEquals } from "@std/assert";
import { refusalHint } from "../../../client/terminal/refusal_hint.ts";

Deno.test("refusalHint() says for a name that is taken what the person has not done yet", () => {
  const hint = (action: "register" | "listen", wasAsked: boolean) =>
    refusalHint("NAME_TAKEN", { action, username: "ada" }, wasAsked);
  assertEquals(hint("listen", false), "If the name is yours, give its secret in THRUM_SECRET");
  assertEquals(hint("listen", true), "If the name is yours, type its secret; Enter alone makes a new one");
  assertEquals(hint("register", true), "If the name is yours, do not register it: log in with its secret");
});

Deno.test("refusalHint() gives a command that can be copied as it is", () => {
  const hint = (username: string) => refusalHint("UNKNOWN_USER", { action: "listen", username }, false);
  assertEquals(hint("bob"), "To make the account: thrum-client register -u bob");
  assertEquals(hint("añа.b-1"), "To make the account: thrum-client register -u añа.b-1");
  assertEquals(hint("o'neil; ls"), "To make the account: thrum-client register -u 'o'\\''neil; ls'");
});

Deno.test("refusalHint() has nothing to say about a wrong secret, or about what it does not know", () => {
  for (const reason of ["WRONG_SECRET", undefined]) {
    assertEquals(refusalHint(reason, { action: "listen", username: "ada" }, true), undefined);
  }
});
