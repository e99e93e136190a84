/** What Prometheus reads (docs/dashboard.md), and whether everything that is said of it is so. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { GatewayNode } from "../../../../server/gateway/http/gateway_node.ts";
import { METRIC_NAMES, PrometheusMetrics } from "../../../../server/gateway/http/metrics.ts";
import { UNGUARDED } from "../../../../platform/faults.ts";
import { VERSION } from "../../../../protocol/version.ts";
import { ThrumNode } from "../../../../server/node/node.ts";
import { LIMIT_NAMES } from "../../../../server/session/limits/limit_names.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { NodeWorld } from "../../../support/node_world.ts";

const STRANGE = 's-"2\\\n';

/** Numbers in which no two are the same. */
const NUMBERS: ReturnType<ThrumNode["metrics"]> = {
  startedAt: 1_700_000_000_000,
  connections: { new: 1, client: 2, plain: 3, server: 4, guest: 5 },
  certificateEndsAt: 4_102_444_800_500,
  waiting: 6,
  accepted: 7,
  closed: { LOGGED_OUT: 8, HEARTBEAT_TIMEOUT: 9 },
  logins: { tcp: { success: 35, WRONG_SECRET: 36 } },
  gapsTold: 37,
  deliveries: { buckets: [{ upToMs: 5, count: 38 }], count: 39, sumMs: 4_000 },
  replications: { buckets: [{ upToMs: 10, count: 53 }], count: 54, sumMs: 6_000 },
  inbox: { count: 55, oldestMs: 56_000 },
  retention: { activities: 57_000, directMessages: 58_000, messageIds: 59_000 },
  retentionBytes: 60,
  audit: { lines: 61, missed: 62, isFailing: true },
  auditDisagreements: 63,
  limits: { maxLineBytes: 40 },
  sessions: 10,
  behind: 11,
  pendingBytes: 12,
  heartbeats: { sent: { client: 13, server: 14 }, unanswered: { client: 15, server: 16 } },
  vector: { "s-1": 17, [STRANGE]: 18 },
  lag: { "s-1": 19 },
  published: 20,
  lamport: 21,
  commits: { buckets: [{ upToMs: 1, count: 22 }, { upToMs: 2.5, count: 23 }], count: 50, sumMs: 100 },
  waits: { buckets: [{ upToMs: 1, count: 1 }], count: 2, sumMs: 40 },
  peers: [
    {
      serverId: STRANGE,
      name: "b:7000",
      state: "linked",
      roundTripMs: 0.5,
      clockOffset: { offsetMs: -51, errorMs: 52 },
    },
    { serverId: "s-3", name: "c:7000", state: "dead", roundTripMs: null, clockOffset: null },
  ],
  usersOnline: 24,
  refused: { places: 25, secrets: 26 },
  disk: {
    use: {
      parts: { logFiles: 25, database: 26, writeAheadLog: 27, messageIds: 31, audit: 64, other: 28, reusable: 29 },
      freeBytes: 30,
    },
    limits: { maxBytes: 31, minFreeBytes: 32 },
    space: "full",
  },
  pending: 33,
  joinState: "unreached",
  maxConnections: 34,
  faults: { ...UNGUARDED.counts, grpc: 25 },
};

const LOOP = { durations: { buckets: [{ upToMs: 25, count: 41 }], count: 42, sumMs: 5_000 } };

async function scrape(numbers = NUMBERS, state: GatewayNode["state"] = "ready"): Promise<string> {
  const node = { serverId: "s-1", state, metrics: () => numbers };
  const { text, type } = await new PrometheusMetrics(node, new FakeClock(), LOOP).scrape();
  assertMatch(type, /^text\/plain; version=0\.0\.4/);
  return text;
}

Deno.test("every number of a node is a metric, in the units of Prometheus", async () => {
  const lines = new Set((await scrape()).split("\n"));
  for (
    const line of [
      `thrum_build_info{version="${VERSION}",server="s-1"} 1`,
      'thrum_state{state="ready"} 1',
      'thrum_logins_total{door="tcp",result="WRONG_SECRET"} 36',
      "thrum_gaps_told_total 37",
      'thrum_publish_to_deliver_seconds_bucket{le="0.005"} 38',
      "thrum_publish_to_deliver_seconds_sum 4",
      'thrum_publish_to_replicated_seconds_bucket{le="0.01"} 53',
      "thrum_publish_to_replicated_seconds_sum 6",
      "thrum_direct_messages_waiting 55",
      "thrum_direct_messages_oldest_seconds 56",
      'thrum_retention_seconds{kind="activities"} 57',
      'thrum_retention_seconds{kind="directMessages"} 58',
      'thrum_retention_seconds{kind="messageIds"} 59',
      "thrum_retention_bytes 60",
      "thrum_store_min_free_bytes 32",
      'thrum_peer_clock_offset_seconds{peer="s-\\"2\\\\\\n",address="b:7000"} -0.051',
      'thrum_peer_clock_offset_error_seconds{peer="s-\\"2\\\\\\n",address="b:7000"} 0.052',
      'thrum_limit{limit="maxLineBytes"} 40',
      'thrum_event_loop_delay_seconds_bucket{le="0.025"} 41',
      'thrum_state{state="draining"} 0',
      'thrum_join_state{state="unreached"} 1',
      'thrum_join_state{state="joined"} 0',
      "process_start_time_seconds 1700000000",
      'thrum_connections{kind="plain"} 3',
      'thrum_connections{kind="guest"} 5',
      "thrum_connections_waiting 6",
      'thrum_faults_total{where="grpc"} 25',
      'thrum_faults_total{where="tcp"} 0',
      "thrum_acknowledgements_pending 33",
      "thrum_connections_limit 34",
      "thrum_connections_accepted_total 7",
      'thrum_connections_closed_total{reason="HEARTBEAT_TIMEOUT"} 9',
      'thrum_refused_total{limit="secrets"} 26',
      "thrum_sessions 10",
      "thrum_connections_behind 11",
      "thrum_pending_bytes 12",
      'thrum_heartbeats_sent_total{to="server"} 14',
      'thrum_heartbeats_unanswered_total{to="client"} 15',
      'thrum_entries_total{origin="s-1"} 17',
      // What strangers choose stays within its quotes.
      'thrum_entries_total{origin="s-\\"2\\\\\\n"} 18',
      'thrum_replication_lag_entries{origin="s-1"} 19',
      "thrum_published_total 20",
      "thrum_lamport_time 21",
      'thrum_store_commit_seconds_bucket{le="0.001"} 22',
      'thrum_store_commit_seconds_bucket{le="0.0025"} 45',
      'thrum_store_commit_seconds_bucket{le="+Inf"} 50',
      "thrum_store_commit_seconds_sum 0.1",
      "thrum_store_commit_seconds_count 50",
      'thrum_store_wait_seconds_bucket{le="0.001"} 1',
      'thrum_store_wait_seconds_bucket{le="+Inf"} 2',
      "thrum_store_wait_seconds_sum 0.04",
      "thrum_store_wait_seconds_count 2",
      'thrum_peers{state="linked"} 1',
      'thrum_peers{state="suspect"} 0',
      'thrum_peer_up{peer="s-3",address="c:7000"} 0',
      'thrum_peer_round_trip_seconds{peer="s-\\"2\\\\\\n",address="b:7000"} 0.0005',
      "thrum_users_online 24",
      'thrum_store_bytes{part="logFiles"} 25',
      'thrum_store_bytes{part="audit"} 64',
      'thrum_store_bytes{part="reusable"} 29',
      "thrum_audit_log_lines 61",
      "thrum_audit_log_missed_total 62",
      "thrum_audit_log_failing 1",
      "thrum_audit_log_disagreements_total 63",
      "thrum_store_free_bytes 30",
      "thrum_store_limit_bytes 31",
      'thrum_store_space{state="open"} 0',
      'thrum_store_space{state="full"} 1',
      "thrum_tls_certificate_expiry_seconds 4102444800.5",
    ]
  ) assert(lines.has(line), line);
  assert([...lines].some((line) => /^process_resident_memory_bytes \d{7,}$/.test(line)));
});

Deno.test("a scrape is what Prometheus can read: each metric with its type and help, then its samples, and nothing else", async () => {
  const text = await scrape();
  const families = text.trim().split("\n\n");
  assertEquals(families.map((family) => /^# HELP (\S+) /.exec(family)?.[1]), [...METRIC_NAMES]);
  for (const family of families) {
    const [help, type, ...samples] = family.split("\n");
    const name = /^# HELP (\w+) [A-Z0-9].*\.$/.exec(help!)?.[1];
    assert(name !== undefined, help);
    assertMatch(type!, new RegExp(`^# TYPE ${name} (gauge|counter|histogram)$`));
    assert(samples.length > 0, name);
    for (const sample of samples) {
      assertMatch(
        sample,
        new RegExp(`^${name}(_bucket|_sum|_count)?(\\{(\\w+="([^"\\\\]|\\\\.)*",?)+\\})? -?[\\d.e+-]+$`),
      );
    }
  }
  assert(METRIC_NAMES.every((name) => /^(thrum|process)_[a-z_]+$/.test(name)));
});

Deno.test("a scrape takes the numbers of its own moment", async () => {
  let sessions = 1;
  const node = { serverId: "s-1", state: "ready" as const, metrics: () => ({ ...NUMBERS, sessions }) };
  const clock = new FakeClock();
  const metrics = new PrometheusMetrics(node, clock, LOOP);
  assertMatch((await metrics.scrape()).text, /^thrum_sessions 1$/m);
  sessions = 2;
  await clock.run(0);
  assertMatch((await metrics.scrape()).text, /^thrum_sessions 2$/m);
  assertEquals(((await metrics.scrape()).text.match(/thrum_sessions/g) ?? []).length, 3);
});

Deno.test("all who ask in one turn get one scrape", async () => {
  let taken = 0;
  const metrics = () => {
    taken++;
    return NUMBERS;
  };
  const clock = new FakeClock();
  const scrapes = new PrometheusMetrics({ serverId: "s-1", state: "ready", metrics }, clock, LOOP);
  const texts = await Promise.all(Array.from({ length: 16 }, () => scrapes.scrape()));
  assertEquals([taken, new Set(texts).size], [1, 1]);
  await clock.run(0);
  await scrapes.scrape();
  assertEquals(taken, 2);
});

Deno.test("a node has all of these numbers", async () => {
  const world = await NodeWorld.start();
  const { node } = world;
  await world.connect({ command: "LOGIN", username: "anonymous" }, {
    command: "ACTIVITY_MESSAGE",
    username: "anonymous",
    activity: {},
  });
  const { text } = await new PrometheusMetrics(node, world.clock, LOOP).scrape();
  assertMatch(text, /^thrum_connections\{kind="plain"\} 1$/m);
  assertMatch(text, /^thrum_entries_total\{origin="s-1"\} 1$/m);
  assertMatch(text, /^thrum_store_commit_seconds_count [1-9]/m);
  await world.stop();
});

Deno.test("every limit is counted from the start, is named in the help, and stands in docs/dashboard.md", async () => {
  const world = await NodeWorld.start();
  const { text } = await new PrometheusMetrics(world.node, world.clock, LOOP).scrape();
  await world.stop();
  const [help, , ...samples] = text.slice(text.indexOf("# HELP thrum_refused_total")).split("\n\n")[0]!.split("\n");
  assertEquals(
    help,
    "# HELP thrum_refused_total Clients that were refused or sent away, by limit: " +
      "places, lobby, connections, unidentified, logins, registrations, secrets, channels or inbox.",
  );
  assertEquals(samples, LIMIT_NAMES.map((limit) => `thrum_refused_total{limit="${limit}"} 0`));
  const [row] = /^\| `thrum_refused_total` \|.*$/m.exec(await read("docs/dashboard.md"))!;
  for (const limit of LIMIT_NAMES) assertStringIncludes(row, `\`${limit}\``);
});

const read = (path: string) => Deno.readTextFile(new URL(`../../../../${path}`, import.meta.url));

Deno.test("every metric of the Grafana dashboard exists, with the labels that it asks for, and every metric is shown", async () => {
  const dashboard = JSON.parse(await read("docs/grafana-dashboard.json"));
  const text = await scrape();
  const asked = [
    dashboard.templating.list.find(({ name }: { name: string }) => name === "instance").query.query,
    ...dashboard.panels.flatMap(({ targets }: { targets: { expr: string }[] }) => targets.map(({ expr }) => expr)),
  ] as string[];
  const shown = new Set<string>();
  for (const query of asked) {
    const names = query.match(/\b(?:thrum|process)_\w+/g) ?? [];
    assert(names.length > 0, query);
    for (const name of names) {
      const family = name.replace(/_(bucket|sum|count)$/, "");
      assert(METRIC_NAMES.includes(family), name);
      assert(text.includes(`\n${name}`), name);
      shown.add(family);
      for (const [, labels] of query.matchAll(new RegExp(`${name}\\{([^}]*)\\}`, "g"))) {
        for (const [, label] of labels!.matchAll(/(\w+)(?:=~|!=|=)/g)) {
          assert(label === "instance" || text.includes(`${label}="`), `${name} ${label}`);
        }
      }
    }
  }
  assertEquals(METRIC_NAMES.filter((name) => !shown.has(name)), []);
  const ids = dashboard.panels.map(({ id }: { id: number }) => id);
  assertEquals(new Set(ids).size, ids.length);
});

Deno.test("docs/dashboard.md explains every metric, and no other", async () => {
  const explained = [...(await read("docs/dashboard.md")).matchAll(/^\| `((?:thrum|process)_\w+)/gm)].map(([, name]) =>
    name!
  );
  assertEquals(explained.toSorted(), [...METRIC_NAMES].toSorted());
});
