/** What a configuration that is read anew changes, and what waits for a start. */

import { assertEquals } from "@std/assert";
import { type Config, type ConfigLayer, DEFAULT_CONFIG } from "../../config/config.ts";
import { layered } from "../../config/load.ts";
import { liveLayer, reloadPlan, withKeys } from "../../config/running/reload.ts";

const FACTS = { takesCertificates: true };

function of(layer: ConfigLayer): Config {
  return layered(DEFAULT_CONFIG, layer);
}

Deno.test("reloadPlan() names each key that differs, by whether it counts from now on", () => {
  const next = of({
    auth: { anonymous: false, rights: [{ may: ["read"] }] },
    log: { level: "debug", format: "json" },
    limits: { maxChannelsPerClient: 5, maxConnections: 5 },
    cluster: { otherSecrets: ["another"], secret: "new", weight: 2 },
    store: { data: "elsewhere" },
  });
  assertEquals(reloadPlan(DEFAULT_CONFIG, next, FACTS), {
    changed: [
      ...["limits.maxChannelsPerClient", "cluster.otherSecrets", "auth.anonymous", "auth.rights", "log.level"],
    ],
    kept: ["limits.maxConnections", "cluster.secret", "cluster.weight", "store.data", "log.format"],
  });
  assertEquals(reloadPlan(next, next, FACTS), { changed: [], kept: [] });
});

Deno.test("files of certificates change where there were some and are some, and where the machine can", () => {
  const before = of({ tls: { cert: "a.pem", key: "a-key.pem" } });
  const after = of({ tls: { cert: "b.pem", key: "a-key.pem", required: true } });
  assertEquals(reloadPlan(before, after, FACTS), { changed: ["tls.cert"], kept: ["tls.required"] });
  assertEquals(reloadPlan(before, after, { takesCertificates: false }).kept, ["tls.cert", "tls.required"]);
  assertEquals(reloadPlan(DEFAULT_CONFIG, before, FACTS).kept, ["tls.cert", "tls.key"]);
  assertEquals(reloadPlan(before, DEFAULT_CONFIG, FACTS).changed, []);
  const door = (cert: string, use: "own" | "off") => of({ gateway: { http: { tls: { use, cert, key: "k.pem" } } } });
  assertEquals(reloadPlan(door("a.pem", "own"), door("b.pem", "own"), FACTS).changed, ["gateway.http.tls.cert"]);
  assertEquals(reloadPlan(door("a.pem", "own"), door("b.pem", "off"), FACTS).changed, []);
});

Deno.test("withKeys() has what counts now: keys that wait for a start are told at each reload", () => {
  const next = of({ auth: { anonymous: false }, cluster: { weight: 2 }, log: { level: "debug" } });
  const { changed, kept } = reloadPlan(DEFAULT_CONFIG, next, FACTS);
  const now = withKeys(DEFAULT_CONFIG, next, changed);
  assertEquals(reloadPlan(now, next, FACTS), { changed: [], kept });
  assertEquals([now.auth.anonymous, now.cluster.weight, now.log.level], [false, 1, "debug"]);
  // The configuration of before is not touched.
  assertEquals(DEFAULT_CONFIG.auth.anonymous, true);
});

Deno.test("liveLayer() has what a server may take, and nothing more", () => {
  const { auth, limits } = liveLayer(DEFAULT_CONFIG);
  assertEquals(auth, DEFAULT_CONFIG.auth);
  const plan = (name: string) => {
    const other = { ...DEFAULT_CONFIG, limits: { ...DEFAULT_CONFIG.limits, [name]: 12_345 } };
    return reloadPlan(DEFAULT_CONFIG, other, FACTS).changed;
  };
  for (const name of Object.keys(DEFAULT_CONFIG.limits)) {
    assertEquals(plan(name), name in limits ? [`limits.${name}`] : [], name);
  }
});
