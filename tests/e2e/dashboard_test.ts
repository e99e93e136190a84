/**
 * The window into the network, in a real browser: three real servers with real clients, one of them killed and one
 * drained. What real servers cannot give a test comes from a made view through the real door: names with markup in
 * them, and 5,000 connections.
 *
 * Makes screenshots too: in `docs/` with THRUM_SCREENSHOTS=docs, else in a temporary folder.
 */

import { assert, assertEquals } from "@std/assert";
import type { Locator, Page } from "playwright-core";
import { connect } from "../../client/connect.ts";
import type { Client, ConnectOptions } from "../../client/options.ts";
import type { NetworkView } from "../../view/network_view.ts";
import {
  sampleActivity,
  sampleConnection,
  sampleEnd,
  sampleLink,
  sampleServer,
  sampleView,
} from "../dashboard/_sample.ts";
import { Browser, browserTest, NO_BROWSER } from "../support/browser.ts";
import { CrowdNode } from "../support/crowd_node.ts";
import { type Program, startServer } from "../support/program.ts";
import { type FrameTimes, frameTimes } from "./_frame_times.ts";

if (NO_BROWSER !== undefined) console.log(`SKIPPED: the dashboard in a browser, as ${NO_BROWSER}`);

const TOKEN = "a-token-for-the-tests-of-the-dashboard";
/** Nothing in the page may ever do this. */
const ATTACK = "<img src=x onerror=window.hacked=1><script>window.hacked=1</script>";
/** A name may have neither of : " \ / in it. */
const EVIL_NAME = "<img src=x onerror=window.hacked=1>";
const NAMES = [
  ...["ada", "bela", "chidi", "dana", "emre", "fatima", "goran", "hanna", "ines", "jonas", "kaito", "lena", "מיכל"],
  "wilhelmina-whose-name-is-longer-than-its-column-is-wide",
];
const SAYINGS = ["the kettle is on", "all green again", "is anybody at the gate?", "moved the meeting to four"];
const CROWD = 5_000;
/** Far above what anything takes: a busy machine must not fail a test. */
const PATIENCE_MS = 120_000;
/** Of a processor, for one frame of a page that draws without a graphics card. */
const MOST_WORK_MS = 50;
const LARGEST_SCREENSHOT_BYTES = 350_000;
/** What is taken pictures of before anything is killed. */
const LOOKS = {
  "dashboard-dark": { viewport: { width: 1440, height: 1400 }, colorScheme: "dark" },
  "dashboard-phone": { viewport: { width: 390, height: 844 }, colorScheme: "light", isMobile: true, hasTouch: true },
} as const;

// What functions find that run in the page and not here.
declare const document: { readonly documentElement: { readonly scrollWidth: number } };
declare const innerWidth: number;
declare function scrollTo(x: number, y: number): void;
declare function requestAnimationFrame(draw: (now: number) => void): void;

interface RunningServer {
  readonly program: Program;
  readonly name: string;
  readonly page: string;
}

browserTest("the page shows three real servers as they are, and what becomes of them", async (t) => {
  await using cleanup = new AsyncDisposableStack();
  const servers = await startNetwork(3, cleanup);
  const [first, second, third] = servers as [RunningServer, RunningServer, RunningServer];
  const clients = await Promise.all(NAMES.map((username, index) => login(servers[index % 3]!, username)));
  cleanup.defer(() => Promise.all(clients.map((client) => client.close())).then(() => {}));
  const browser = cleanup.use(await Browser.start());
  // A wrong token is refused, and when the server is gone it does not answer: the browser tells both.
  const page = await browser.open(first.page, {}, /status of 401|ERR_(CONNECTION|INCOMPLETE|EMPTY)/);

  await t.step("its tables agree with the servers and with the clients", async () => {
    await eventually(
      page,
      "all users",
      () => texts(page, ".users-grid .grid-body .c-user"),
      (names) => names.length === NAMES.length,
    );
    assertEquals(new Set(await texts(page, ".users-grid .grid-body .c-user")), new Set(NAMES));
    assertEquals(new Set(await texts(page, ".server .c-server .main")), new Set(servers.map(({ name }) => name)));
    assertEquals((await texts(page, ".server .c-state .badge")).sort(), ["linked", "linked", "this server"]);
    const view = await network(first);
    for (const { name } of servers) {
      const id = Object.keys(view.servers).find((id) => view.servers[id]!.name === name)!;
      const here = clients.filter(({ serverId }) => serverId === id);
      await eventually(page, `clients of ${name}`, () => cell(page, name, "load"), (load) => load === `${here.length}`);
      const users = here.map(({ username }) => username).sort().join();
      const shown = async () => (await connectionsAt(page, name)).filter((user) => user !== "a server").sort().join();
      await eventually(page, `users at ${name}`, shown, (shown) => shown === users);
    }
    // Each pair of servers is linked, and its round trip measured.
    await eventually(page, "links", () => page.locator(".edge[data-state=good]").count(), (count) => count >= 3);
    await eventually(
      page,
      "round trips",
      () => texts(page, ".chip-value"),
      (times) => times.length === 6 && times.every((time) => / m?s$/.test(time)),
    );
  });

  await t.step("what is published over TCP passes in the page, and whoever falls silent is seen to end", async () => {
    const silent = await login(second, "nobody-answers", { reconnect: false, blockHeartbeatMs: 60_000 });
    for (let round = 0; round < 3; round++) {
      for (const [index, client] of clients.entries()) {
        const content = SAYINGS[index % SAYINGS.length]!;
        await client.publish({ type: "Note", content, round });
      }
      // All rounds together would be more than a page is told of at once.
      await page.locator(".activity", { hasText: `"round":${round}}` }).first().waitFor();
    }
    await clients[1]!.publish({ text: "published over TCP" });
    await page.locator(".activity", { hasText: "published over TCP" }).waitFor();
    await silent.closed;
    // Its login was sent on from another server before, which is an end too.
    const end = silentEnd(page);
    await end.waitFor();
    assertEquals(await end.locator(".badge").textContent(), "heartbeat timeout");
    assert(await end.locator(".timeline .sent").count() > 0 && await end.locator(".timeline .unanswered").count() > 0);
  });

  await t.step("the diagram of the last minute is drawn, within the content policy", async () => {
    await page.locator("#diagram").scrollIntoViewIfNeeded();
    await eventually(page, "a diagram", () => page.locator("#diagram text").count(), (count) => count > 10);
    await page.evaluate(() => scrollTo(0, 0));
  });

  const pictures = await screenshotFolder();
  await t.step("it is fit to be seen, and on a phone too", async () => {
    for (const [name, look] of Object.entries(LOOKS)) {
      const other = await browser.open(first.page, look);
      await silentEnd(other).waitFor();
      await picture(other, `${pictures}/${name}.png`);
      await other.context().close();
    }
  });

  await t.step("a server that is killed turns red, and its clients are seen at others", async () => {
    const before = await network(first);
    const dead = Object.keys(before.servers).find((id) => before.servers[id]!.name === third.name)!;
    const moving = clients.filter(({ serverId }) => serverId === dead).map(({ username }) => username);
    assert(moving.length > 0);
    const killedAt = performance.now();
    third.program.signal("SIGKILL");
    const row = page.locator("tr.server[data-state=bad]");
    await row.waitFor();
    console.log(`    red after ${Math.round(performance.now() - killedAt)} ms`);
    assertEquals(await row.locator(".c-server .main").textContent(), third.name);
    assertEquals(await row.locator(".badge").textContent(), "dead");
    assertEquals(await row.locator(".chip").count(), 0);
    await page.locator("#news li", { hasText: `Server ${third.name} is dead` }).waitFor();
    await page.locator(".node[data-state=bad]").waitFor();
    const where = async () => [...await connectionsAt(page, first.name), ...await connectionsAt(page, second.name)];
    await eventually(
      page,
      "all clients at the others",
      where,
      (users) => clients.every(({ username }) => users.includes(username)),
    );
    await page.locator("#news li", { hasText: `of ${third.name} moved to` }).waitFor();
    for (const user of moving) {
      const moved = page.locator(".connections-grid .is-moved", { has: page.locator(".c-user", { hasText: user }) });
      assertEquals(await moved.locator(".from").first().textContent(), `was at ${third.name}`);
    }
    await page.setViewportSize(LOOKS["dashboard-dark"].viewport);
    await picture(page, `${pictures}/dashboard-light.png`);
  });

  await t.step("script in a user's name and in an activity is text, and does nothing", async () => {
    const evil = await login(first, EVIL_NAME);
    clients.push(evil);
    await evil.publish({ text: ATTACK, [ATTACK]: [ATTACK] });
    const activity = page.locator(".activity", { hasText: "onerror=window.hacked=1><script>" });
    await activity.locator("summary").click();
    assert((await activity.locator("pre").textContent())!.includes("<script>window.hacked=1</script>"));
    assertEquals(await activity.locator(".who").textContent(), EVIL_NAME);
    await assertHarmless(page);
  });

  await t.step("this server is drained from the page, with the token, and then another one is offered", async () => {
    await page.getByRole("button", { name: `Drain server ${first.name}` }).click();
    await page.getByLabel("Token").fill("not the token");
    await page.locator("#token-form").getByRole("button", { name: "Sign in" }).click();
    await eventually(page, "a refusal", () => page.locator("#token-error").textContent(), (text) => text !== "");
    await page.getByLabel("Token").fill(TOKEN);
    await page.locator("#token-form").getByRole("button", { name: "Sign in" }).click();
    await page.locator("#order-text", { hasText: "over to the other server, and then stops" }).waitFor();
    await page.getByRole("button", { name: "Drain, then stop" }).click();
    assertEquals(await first.program.ended(), 0);
    await page.locator("#lost", { hasText: "This server was drained and has stopped." }).waitFor();
    assertEquals(await page.locator("#lost-others a").getAttribute("href"), second.page);
    assert(await page.locator("body.is-stale").count() === 1);
  });
});

browserTest("a server that is alone says so before it is drained, and when it has gone that it was", async () => {
  await using cleanup = new AsyncDisposableStack();
  const [server] = await startNetwork(1, cleanup) as [RunningServer];
  const browser = cleanup.use(await Browser.start());
  const page = await browser.open(server.page, {}, /ERR_(CONNECTION|INCOMPLETE|EMPTY)/);
  const [, port] = server.name.split(":");
  const hint = page.locator("#activities code");
  await hint.waitFor();
  assertEquals(await hint.textContent(), `thrum-client publish '{"text":"hello"}' --port ${port}`);
  assert((await hint.getAttribute("title"))!.includes("deno task client publish"));
  const client = await login(server, "ada", { reconnect: false });
  cleanup.defer(() => client.close());
  await eventually(page, "the client", () => cell(page, server.name, "load"), (load) => load === "1");
  await page.getByRole("button", { name: `Drain server ${server.name}` }).click();
  await page.getByLabel("Token").fill(TOKEN);
  await page.locator("#token-form").getByRole("button", { name: "Sign in" }).click();
  await page.locator("#order-text", { hasText: "There is no other server: its 1 client will be disconnected" })
    .waitFor();
  await page.getByRole("button", { name: "Drain, then stop" }).click();
  await page.locator("#lost", { hasText: "This server was drained and has stopped." }).waitFor();
  assertEquals(await server.program.ended(), 0);
  assertEquals(await page.locator("#live").textContent(), "stopped");
  assertEquals(await page.locator("#lost-others a").count(), 0);
});

browserTest("names of servers and users with markup in them are shown as they are, and do nothing", async () => {
  await using crowd = await CrowdNode.open(evilView());
  await using browser = await Browser.start();
  const page = await browser.open(crowd.address);
  await page.locator(".server").first().waitFor();
  assertEquals(await page.locator(".server .c-server .main").allTextContents(), [ATTACK, ATTACK]);
  assertEquals(await page.locator(".connections-grid .grid-body .c-user").first().textContent(), ATTACK);
  assertEquals(await page.locator(".users-grid .grid-body .c-user").allTextContents(), ["__proto__", ATTACK]);
  // In a browser this name is a trap for whoever keeps names in plain objects.
  crowd.change({ patch: { users: JSON.parse('{"__proto__": ["a"]}') } });
  const trap = page.locator(".users-grid .grid-row", { hasText: "__proto__" });
  await eventually(
    page,
    "__proto__ is online",
    () => trap.locator(".badge").textContent(),
    (text) => text === "online",
  );
  crowd.change({ patch: { servers: { [ATTACK]: { state: "dead" } } } });
  await page.locator("#news li", { hasText: `${ATTACK} is dead` }).waitFor();
  await page.locator(".end summary").click();
  assertEquals(await page.locator(".end .facts dd").first().textContent(), ATTACK);
  await assertHarmless(page);
});

browserTest(`${CROWD} connections that change all the time scroll smoothly`, async () => {
  await using crowd = await CrowdNode.open(crowdedView());
  await using browser = await Browser.start();
  const page = await browser.open(crowd.address);
  const grid = page.locator(".connections-grid");
  await grid.scrollIntoViewIfNeeded();
  await page.locator(`.connections-grid[aria-rowcount="${CROWD + 1}"]`).waitFor();
  const busy = setInterval(() => crowd.change({ patch: { connections: { a: someChanges() } } }), 1_000);
  let times: FrameTimes;
  let idle: FrameTimes;
  try {
    idle = await frameTimes(page, 0);
    times = await frameTimes(page, 120);
  } finally {
    clearInterval(busy);
  }
  const say = ({ median, p95, worst, frames, workMs }: FrameTimes) =>
    `${frames} frames, ${workMs.toFixed(1)} ms of work for each, median ${median.toFixed(1)} ms, ` +
    `95 % within ${p95.toFixed(1)} ms, worst ${worst.toFixed(1)} ms`;
  console.log(`    standing: ${say(idle)}\n    scrolling: ${say(times)}; ${times.rows} of ${CROWD} rows exist`);
  assert(times.rows < 60, `${times.rows} rows are in the page`);
  // When a frame comes depends on what else the machine does. What the page works for it does not.
  assert(times.workMs < MOST_WORK_MS, `a frame takes ${times.workMs} ms of work`);

  // To the very end, by keyboard, and found again by the filter.
  await grid.focus();
  await page.keyboard.press("End");
  const active = page.locator(".connections-grid .grid-row[aria-selected=true]");
  await active.waitFor();
  assertEquals(await active.getAttribute("aria-rowindex"), `${CROWD + 1}`);
  assertEquals(await active.locator(".c-user").textContent(), `user-${CROWD}`);
  await page.keyboard.press("PageUp");
  await page.keyboard.press("Home");
  await page.locator('.grid-row[aria-selected=true][aria-rowindex="2"]').waitFor();
  await page.locator("#connections-filter").fill("user-4321");
  await eventually(page, "one row", () => grid.getAttribute("aria-rowcount"), (count) => count === "2");
});

/** Servers with a gateway each, as one network. */
async function startNetwork(count: number, cleanup: AsyncDisposableStack): Promise<RunningServer[]> {
  const servers: RunningServer[] = [];
  const flags = ["--no-prompt", "--ephemeral", "--port", "0", "--http", "0", "--idle", "2", "--interval", "0.5"];
  for (let index = 0; index < count; index++) {
    const join = servers.flatMap(({ name }) => ["--join", name]);
    const env = { THRUM_SECRET: "of-the-network", THRUM_HTTP_TOKEN: TOKEN };
    const program = cleanup.use(startServer([...flags, ...join], { env }));
    const [, name] = await program.sees(/listening on (\S+:\d+)/);
    const [, page] = await program.sees(/dashboard\s+(http:\S+)/);
    servers.push({ program, name: name!, page: page! });
  }
  return servers;
}

function login({ name }: RunningServer, username: string, options: Partial<ConnectOptions> = {}): Promise<Client> {
  const [host, port] = name.split(":");
  const own = { username, secret: "of-the-user", register: true, connectTimeoutMs: PATIENCE_MS } as const;
  return connect({ host: host!, port: Number(port), ...own, ...options });
}

async function network({ page }: RunningServer): Promise<NetworkView> {
  const answer = await fetch(new URL("/api/network", page));
  return await answer.json();
}

/** The end of the connection that answered no heartbeat. */
function silentEnd(page: Page): Locator {
  return page.locator(".end", { hasText: "nobody-answers" }).filter({ hasText: "heartbeat timeout" });
}

function texts(page: Page, selector: string): Promise<string[]> {
  return page.locator(selector).allTextContents();
}

/** The main text of a server's cell. */
async function cell(page: Page, name: string, key: string): Promise<string | null> {
  return await page.locator(".server", { hasText: name }).locator(`.c-${key} .main`).textContent();
}

/** The users that the page shows as connected to a server. */
function connectionsAt(page: Page, name: string): Promise<string[]> {
  return page.locator(".connections-grid .grid-body .grid-row", {
    has: page.locator(`.c-server bdi:text-is("${name}")`),
  })
    .locator(".c-user").allTextContents();
}

async function assertHarmless(page: Page): Promise<void> {
  assertEquals(await page.evaluate(() => (globalThis as { hacked?: unknown }).hacked), undefined);
  assertEquals(await page.locator("img, iframe, object, body script, [onerror], [onload]").count(), 0);
}

/** Waits until what is `seen` is as it should be. */
async function eventually<T>(
  page: Page,
  what: string,
  seen: () => Promise<T>,
  isSo: (seen: T) => boolean,
): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (let last = await seen(); !isSo(last); last = await seen()) {
    if (performance.now() > giveUpAt) throw new Error(`${what}: the page shows ${JSON.stringify(last)}`);
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  }
}

async function screenshotFolder(): Promise<string> {
  if (Deno.env.get("THRUM_SCREENSHOTS") === "docs") return new URL("../../docs", import.meta.url).pathname;
  const folder = await Deno.makeTempDir({ prefix: "thrum-screenshots-" });
  console.log(`    screenshots: ${folder}`);
  return folder;
}

/** Keeps what is seen of the page, which has to be small enough for that. */
async function picture(page: Page, path: string): Promise<void> {
  // Nothing sticks out at the side.
  assertEquals(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  const bytes = await page.screenshot({ path, animations: "disabled" });
  assert(bytes.length < LARGEST_SCREENSHOT_BYTES, `${path} has ${bytes.length} bytes`);
}

function evilView(): NetworkView {
  const now = Date.now();
  return sampleView({
    at: now,
    from: "a",
    servers: {
      a: sampleServer({
        name: ATTACK,
        host: ATTACK,
        version: ATTACK,
        state: "self",
        links: { [ATTACK]: sampleLink() },
      }),
      [ATTACK]: sampleServer({ name: ATTACK, http: `javascript:window.hacked=1//:80`, links: { a: sampleLink() } }),
    },
    connections: { a: { [ATTACK]: sampleConnection({ user: ATTACK, address: ATTACK, since: now }) }, [ATTACK]: {} },
    users: JSON.parse(`{"__proto__": [], ${JSON.stringify(ATTACK)}: ["a"]}`),
    ends: [sampleEnd({ user: ATTACK, address: ATTACK, sentence: ATTACK, why: ATTACK, reason: ATTACK, server: ATTACK })],
    activities: [sampleActivity(ATTACK, { [ATTACK]: ATTACK })],
  });
}

function crowdedView(): NetworkView {
  const numbers = Array.from({ length: CROWD }, (_, index) => index + 1);
  const now = Date.now();
  return sampleView({
    at: now,
    servers: { a: sampleServer({ state: "self", load: CROWD, connections: CROWD }) },
    connections: {
      a: Object.fromEntries(
        numbers.map((n) => [`${n}`, sampleConnection({ user: `user-${n}`, since: now, heardAt: now })]),
      ),
    },
    users: Object.fromEntries(numbers.map((n) => [`user-${n}`, ["a"]])),
  });
}

/** A fifth of the crowd was heard, some of them are being probed. */
function someChanges() {
  const changes: Record<string, object> = {};
  for (let n = 1 + Math.floor(Math.random() * 5); n <= CROWD; n += 5) {
    const isProbing = n % 100 === 1;
    changes[`${n}`] = {
      heardAt: Date.now(),
      roundTripMs: n % 7,
      state: isProbing ? "probing" : "watching",
      attempt: isProbing ? 1 : 0,
    };
  }
  return changes;
}
