/** Counts logins that were refused, by their reason, and by the limit that they met. */

import type { Door } from "../../../view/network_view.ts";
import type { MetricCounters } from "../../../view/metric_counters.ts";
import type { LimitName } from "./limit_names.ts";

/** `answer` goes to a connection that came `over` this door: a `LOGIN_FAILED` in it is counted. */
export function countRefusedLogin(
  answer: { readonly command: string; readonly reason?: string | undefined },
  over: Door,
  counters: Pick<MetricCounters<LimitName>, "login" | "limited">,
): void {
  if (answer.command !== "LOGIN_FAILED") return;
  counters.login(over, answer.reason);
  if (answer.reason === "TOO_MANY_CHANNELS") counters.limited("channels");
}
