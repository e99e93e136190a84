/**
 * The window into the network when something is wrong, in a real browser: its server stands still, its stream is open
 * and dead, the network is parted, and texts have no space and no end.
 */

import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import type { Ruling } from "../../server/accounts/ruling.ts";
import type { NetworkView, ServerView } from "../../view/network_view.ts";
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
import { startServer } from "../support/program.ts";
import { StallingProxy } from "../support/stalling_proxy.ts";
import { isState, open, register, startOne } from "./_client_page.ts";
import { lookAtLongTexts } from "./_long_texts.ts";

if (NO_BROWSER !== undefined) console.log(`SKIPPED: the dashboard in trouble, as ${NO_BROWSER}`);

const VIEWPORTS = [{ width: 1440, height: 900 }, { width: 390, height: 844 }];
const LONG = "x".repeat(70_000);

// What functions find that run in the page and not here.
declare const document: { readonly documentElement: { readonly scrollWidth: number } };
declare const innerWidth: number;

/** What starts servers of one network, each with a token of its own. */
function starter(cleanup: AsyncDisposableStack) {
  let count = 0;
  return async (...args: string[]) => {
    const token = `the-token-of-server-${++count}`;
    const env = { THRUM_SECRET: "of-the-network", THRUM_HTTP_TOKEN: token };
    const program = startServer(["--no-prompt", "--port", "0", "--http", "0", "--ephemeral", ...args], { env });
    cleanup.use(program);
    const [, port] = await program.sees(/listening on 127\.0\.0\.1:(\d+)/);
    const [, page] = await program.sees(/dashboard\s+(http:\S+)/);
    return { program, token, name: `127.0.0.1:${port}`, page: page! };
  };
}

browserTest(
  "a page whose server stands still goes grey within three seconds, goes on at another, and comes back",
  async () => {
    await using cleanup = new AsyncDisposableStack();
    const start = starter(cleanup);
    const first = await start();
    const browser = cleanup.use(await Browser.start());
    const page = await browser.open(first.page, {}, /ERR_(CONNECTION|INCOMPLETE|EMPTY)/);
    await page.locator("#live:text-is('live')").waitFor();
    // Also a server that came after the page was loaded.
    const second = await start("--join", first.name);
    await page.getByRole("link", { name: `${second.name}: its page` }).waitFor();
    // A line that lies flat has no height, and counts as hidden.
    await page.locator("#neighbours .edge[data-state=good]").waitFor({ state: "attached" });
    await waysAreOpen(page);

    first.program.signal("SIGSTOP");
    const stoppedAt = performance.now();
    await page.locator("body.is-stale").waitFor();
    const greyMs = performance.now() - stoppedAt;
    assert(greyMs < 3_500, `grey after ${Math.round(greyMs)} ms`);
    await page.locator("#lost", { hasText: `as ${second.name} sees it` }).waitFor();
    assertEquals(await page.locator("body.is-stale").count(), 0);
    console.log(
      `    grey after ${Math.round(greyMs)} ms, elsewhere after ${Math.round(performance.now() - stoppedAt)} ms`,
    );
    // The button would drain the server that the page is of.
    assertEquals(await page.getByRole("button", { name: /^Drain server/ }).count(), 0);
    // A server that stands still is nothing that its neighbour could tell from a partition.
    await page.locator("#parted", { hasText: `${first.name} on the other, silent` }).waitFor();
    first.program.signal("SIGCONT");
    await page.locator("#live:text-is('live')").waitFor();
    assertEquals(await page.locator("#lost").isVisible(), false);
    await page.getByRole("button", { name: `Drain server ${first.name}` }).waitFor();
  },
);

browserTest(
  "where a token is needed, a page goes on at a server with another token, and shows that server a pass",
  async () => {
    await using cleanup = new AsyncDisposableStack();
    const start = starter(cleanup);
    // Browsers know these names as this machine. To a gateway, who comes by another name than localhost is from
    // elsewhere.
    const first = await start("--advertise", "one.localhost");
    const second = await start("--advertise", "two.localhost", "--join", first.name);
    const [one, two] = [first, second].map(({ name }, at) => `${["one", "two"][at]}.localhost:${name.split(":")[1]}`);
    const browser = cleanup.use(await Browser.start());
    const at = new URL(first.page);
    const page = await browser.open(
      `http://one.localhost:${at.port}/`,
      {},
      /ERR_(CONNECTION|INCOMPLETE|EMPTY)|status of 401/,
    );
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.getByLabel("Token").fill(first.token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("link", { name: `${two}: its page` }).waitFor();
    await waysAreOpen(page);
    first.program.signal("SIGSTOP");
    await page.locator("#lost", { hasText: `${one} does not answer. Below is the network as ${two} sees it.` })
      .waitFor();
    first.program.signal("SIGCONT");
    await page.locator("#live:text-is('live')").waitFor();
    assertEquals(asked.filter((address) => address.includes(first.token)), []);
  },
);

browserTest("where a token is needed, the client goes on at a server with another token, with a pass", async () => {
  await using cleanup = new AsyncDisposableStack();
  const start = starter(cleanup);
  const first = await start("--advertise", "one.localhost");
  const second = await start("--advertise", "two.localhost", "--join", first.name);
  const browser = cleanup.use(await Browser.start());
  const address = `http://one.localhost:${new URL(first.page).port}/client`;
  const page = await browser.open(address, {}, /ERR_(CONNECTION|INCOMPLETE|EMPTY)|status of 401|WebSocket connection/);
  const passed = page.waitForResponse((response) => response.url().endsWith("/api/pass"));
  await page.getByLabel("Token").fill(first.token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await passed;
  await register(page, "ada");
  await page.locator("#backups", { hasText: "gateway two.localhost" }).waitFor();
  first.program.signal("SIGKILL");
  const other = `two.localhost:${new URL(second.page).port}`;
  await page.locator("#rows .aside", { hasText: `Connected again, to ${other}` }).waitFor();
  await isState(page, "live");
});

browserTest("a stream that is open and dead is replaced within seconds", async () => {
  await using crowd = await CrowdNode.open(sampleView({ servers: { a: sampleServer({ state: "self" }) } }));
  await using proxy = new StallingProxy(Number(new URL(crowd.address).port));
  await using browser = await Browser.start();
  const page = await browser.open(`http://127.0.0.1:${proxy.port}/`);
  await page.locator("#live:text-is('live')").waitFor();
  proxy.stall();
  crowd.change({ patch: { servers: { a: { load: 4_711 } } } });
  const stalledAt = performance.now();
  await page.locator(".c-load .main:text-is('4,711')").waitFor();
  const ms = performance.now() - stalledAt;
  console.log(`    replaced after ${Math.round(ms)} ms`);
  await page.locator("#live:text-is('live')").waitFor();
});

browserTest("a partition is called one, with both sides, what each lacks, and no link drawn that is lost", async () => {
  const now = Date.now();
  const lost = { state: "dead", isSilent: true, stateSince: now - 20_000 } as const;
  const [left, right] = [await CrowdNode.open(sampleView({})), await CrowdNode.open(sampleView({}))];
  await using _left = left;
  await using _right = right;
  const self = ({ gateway: http }: CrowdNode, name: string, more: Partial<ServerView>) =>
    sampleServer({ name, http, ...more });
  const seen = (from: string, a: Partial<ServerView>, b: Partial<ServerView>, c: Partial<ServerView>): object => ({
    servers: { a: self(left, "one", a), b: sampleServer({ name: "two", ...b }), c: self(right, "three", c) },
    from,
  });
  const links = (...ids: string[]) => ({ links: Object.fromEntries(ids.map((id) => [id, sampleLink()])) });
  const vector = (a: number, c: number) => ({ vector: { a, c } });
  left.change({
    patch: seen("a", { state: "self", ...links("b"), ...vector(30, 5) }, { ...links("a"), ...vector(30, 5) }, {
      ...lost,
      ...links("a", "b"),
      ...vector(10, 5),
    }),
  });
  right.change({
    patch: seen("c", { ...lost, ...vector(10, 5) }, { ...lost, ...vector(10, 5) }, {
      state: "self",
      ...vector(10, 12),
    }),
  });
  left.gateways = [right.gateway];
  right.gateways = [left.gateway];
  await using browser = await Browser.start();
  const page = await browser.open(left.address);
  const banner = page.locator("#parted", { hasText: "one and two on this side, three on the other." });
  await banner.waitFor();
  await banner.locator("#parted-lacks", {
    hasText: "This side lacks 7 entries of the other. The other side lacks 20 entries of this one.",
  }).waitFor();
  assertEquals(await page.locator(".server", { hasText: "three" }).locator(".badge").textContent(), "parted");
  assertEquals(await page.locator("#neighbours .edge[data-state=good]").count(), 1);
  assertEquals(await page.locator("#neighbours .edge[data-state=bad]").count(), 2);
});

browserTest(
  "no text of the network is too long for the page: 70,000 characters without a space, at once and each alone",
  async () => {
    await using long = await CrowdNode.open(viewOf((text) => text + LONG));
    await using short = await CrowdNode.open(viewOf((text) => text));
    long.rulings = rulingsOf((text) => text + LONG);
    short.rulings = rulingsOf((text) => text);
    await using browser = await Browser.start();
    for (const viewport of VIEWPORTS) {
      const page = await browser.open(long.address, { viewport });
      await page.locator(".server").first().waitFor();
      for (const summary of await page.locator("summary").all()) await summary.click();
      await chooseRows(page);
      assertEquals(await widerBy(page), 0, `all at once, ${viewport.width} px`);
      await page.context().close();
    }
    const page = await browser.open(short.address);
    await page.locator(".server").first().waitFor();
    for (const summary of await page.locator("summary").all()) await summary.click();
    await chooseRows(page);
    assertEquals(await lookAtLongTexts(page, LONG), []);
  },
);

browserTest("no text is too long for the client page, as what is typed wrongly into it", async () => {
  await using server = await startOne("--ephemeral");
  await using browser = await Browser.start();
  for (const [index, viewport] of VIEWPORTS.entries()) {
    const page = await open(browser, server, { viewport });
    const isNarrow = viewport.width < 640;
    if (isNarrow) assertEquals(await lookAtLongTexts(page, LONG), [], "the way in");
    await register(page, `user-${index}`);
    await page.locator("#kind label", { hasText: "JSON" }).click();
    for (const length of [350, 70_000]) {
      await page.getByLabel("Message").fill(`{"a":"${"x".repeat(length)}`);
      await page.getByRole("button", { name: "Send", exact: true }).click();
      await page.locator("#text-problem:not(:empty)").waitFor();
      assertEquals(await widerBy(page), 0, `${length} characters of JSON, ${viewport.width} px`);
    }
    await page.locator("#kind label", { hasText: "Text" }).click();
    for (const text of ["hello", "y".repeat(60_000)]) {
      await page.getByLabel("Message").fill(text);
      await page.getByLabel("Message").press("Enter");
    }
    await page.locator("#rows .row").nth(1).waitFor();
    assertEquals(await widerBy(page), 0, `what was said, ${viewport.width} px`);
    for (const tab of isNarrow ? await page.locator("[role=tab]:visible").all() : []) {
      await tab.click();
      assertEquals(await lookAtLongTexts(page, LONG), []);
    }
    await isState(page, "live");
    await page.context().close();
  }
});

/** The page's way to other servers is loaded: that comes from its own server, when it hears of others. */
async function waysAreOpen(page: Page): Promise<void> {
  const giveUpAt = performance.now() + 120_000;
  // One that was replaced may be listed still, also as the last one.
  const isLoaded = async () => {
    for (const worker of page.workers()) {
      if (await worker.evaluate("typeof sources").catch(() => "") === "object") return true;
    }
    return false;
  };
  while (!await isLoaded()) if (performance.now() > giveUpAt) throw new Error("The page has no way to other servers");
}

/** Chooses a user and a ban, so that what can be done with them is shown. */
async function chooseRows(page: Page): Promise<void> {
  await page.locator(".users-grid .grid-body .c-online").first().click();
  await page.locator(".bans-grid .grid-body .c-kind").first().click();
  await page.locator("#bans-acts:not([hidden])").waitFor();
}

/** What operators have laid down, with each text of strangers as `text` makes it. */
function rulingsOf(text: (text: string) => string): readonly Ruling[] {
  return [
    { kind: "ban", about: text("b"), terms: { by: text("o"), why: text("w") } },
    { kind: "bannedAddress", about: "10.0.0.0/8", terms: { by: "o", until: Date.now() + 3_600_000 } },
  ];
}

/** How much wider the page is than its window. */
function widerBy(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}

/** A view that has everything, with each text of strangers as `text` makes it. */
function viewOf(text: (text: string) => string): NetworkView {
  const now = Date.now();
  const server = (name: string, fields: Partial<ServerView> = {}) =>
    sampleServer({ name: text(name), host: text(name), version: text("v"), ...fields });
  const heartbeats = [{ at: now, event: "sent", attempt: 1, of: 3, roundTripMs: null }] as const;
  return sampleView({
    at: now,
    from: "a",
    servers: {
      a: server("a", { state: "self", links: { [text("b")]: sampleLink(), c: sampleLink({ state: "probing" }) } }),
      [text("b")]: server("b", { links: { a: sampleLink() }, http: "127.0.0.1:9" }),
      c: server("c", { state: "dead", isSilent: true, stateSince: now, lostClients: 3 }),
      d: server("d", { state: text("odd") as never, draining: { total: 5, left: 3 } }),
    },
    connections: {
      a: {
        x: sampleConnection({
          user: text("u"),
          address: text("ad"),
          kind: text("k") as never,
          over: text("o") as never,
        }),
        y: sampleConnection({ user: "ann", behind: true, waitingBytes: 50 }),
      },
    },
    users: { [text("u")]: ["a", text("b")], ann: [] },
    channels: { [text("c")]: { readers: 1_000, rate: 1_000, bytes: 1_000_000 } },
    ends: [
      sampleEnd({
        ...{ user: text("u"), address: text("a"), sentence: text("s"), why: text("w"), reason: text("R") },
        ...{ server: text("s"), heartbeats },
      }),
    ],
    activities: [sampleActivity("a:1", { [text("k")]: text("v") }), sampleActivity("a:2", text("text"))],
  });
}
