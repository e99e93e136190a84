/** Advice for a person after a refusal, if there is any. Pure. */

import { shellQuoted } from "../../config/shell_word.ts";
import { CLIENT_PROGRAM, type ClientArguments } from "../../config/client_arguments.ts";

/** The advice after a refusal for `reason`. `wasAsked` says whether the person could type a secret. */
export function refusalHint(
  reason: string | undefined,
  { action, username }: Pick<ClientArguments, "action" | "username">,
  wasAsked: boolean,
): string | undefined {
  switch (reason) {
    case "NAME_TAKEN":
      if (action === "register") return "If the name is yours, do not register it: log in with its secret";
      return wasAsked
        ? "If the name is yours, type its secret; Enter alone makes a new one"
        : "If the name is yours, give its secret in THRUM_SECRET";
    case "TLS_REQUIRED":
      return "To call it by TLS: --tls, and --ca FILE or --fingerprint SHA256 to say whom you believe";
    case "CLEAR_ONLY":
      return "If you trust the network on the way there: --clear-secrets";
    case "CHANNELS_LATER":
      return "Channels are for networks in which every server is of this version";
    case "INVITATION":
      return "If you have an invitation: --invitation CODE";
    case "UNKNOWN_USER":
      return `To make the account: ${CLIENT_PROGRAM.name} register -u ${shellWord(username ?? "NAME")}`;
  }
  return undefined;
}

/** A name as a shell takes it for one word. */
function shellWord(name: string): string {
  return /^[\p{L}\p{N}_.@+-]+$/u.test(name) ? name : shellQuoted(name);
}
