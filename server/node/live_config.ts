/**
 * The configuration of a server that runs, of which a part may change (`config/running/reload.ts` says which). Its
 * parts read that each time when they need it. `server/session/rights_watch.ts` sees to sessions whose rights are
 * others then.
 */

import type { Config } from "../../config/config.ts";
import { liveLayer } from "../../config/running/reload.ts";

/** `config`, with sections of its own where it may change. */
export function liveConfig(config: Config): Config {
  return { ...config, auth: { ...config.auth }, limits: { ...config.limits } };
}

/** Takes into `config`, as `liveConfig` gave it, what of `next` counts without a start. */
export function takeConfig(config: Config, next: Config): void {
  const { auth, limits } = liveLayer(next);
  Object.assign(config.auth, auth);
  Object.assign(config.limits, limits);
}
