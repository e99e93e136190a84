/**
 * Both pages and the page to sign in, in a real browser, by the rules of axe: in each of their views, light and dark
 * (`_axe.ts`), on a wide screen and on a phone.
 */

import { assertEquals } from "@std/assert";
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
import { Browser, browserTest, type PageOptions } from "../support/browser.ts";
import { CROWD_TOKEN, CrowdNode } from "../support/crowd_node.ts";
import { axeViolations } from "./_axe.ts";
import { isState, open, openConsole, register, registered, row, say, startOne, writeLine } from "./_client_page.ts";

// What functions find that run in the page and not here.
declare function getComputedStyle(node: unknown): { readonly fontSize: string };

/** What is smaller cannot be read by everybody. */
const SMALLEST_PX = 13;
const GONE = /ERR_(CONNECTION|INCOMPLETE|EMPTY)|WebSocket connection/;

/**
 * What a view is looked at with. Nothing moves: half of a movement has colours that are never seen. Axe tries styles
 * that the content policy of the pages would refuse.
 */
const LOOK = { colorScheme: "light", reducedMotion: "reduce", bypassCSP: true } as const;
const LOOKS: Readonly<Record<string, PageOptions>> = {
  wide: LOOK,
  phone: { ...LOOK, viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
};

browserTest("axe finds nothing wrong with the window into the network", async () => {
  await using browser = await Browser.start();
  const found: string[] = [];
  for (const [look, options] of Object.entries(LOOKS)) {
    await using crowd = await CrowdNode.open(fullView());
    crowd.rulings = RULINGS;
    crowd.invited = [{ key: "0123456789abcdef", uses: 3, used: 1, until: null, state: "open", note: "the class" }];
    const page = await browser.open(crowd.address, options, GONE);
    const see = async (what: string) => void found.push(...await axeViolations(page, `${what}, ${look}`));
    await page.locator(".server").first().waitFor();
    await page.locator("#news li").first().waitFor();
    await see("at first");
    for (const summary of await page.locator("summary").all()) await summary.click();
    await page.locator(".connections-grid .grid-body .cell").first().click();
    await page.locator(".bans-grid .grid-body .cell").first().click();
    await page.locator(".invitations-grid .grid-body .cell").first().click();
    await page.locator(".users-grid .grid-body .c-online").first().click();
    await page.getByRole("toolbar", { name: "What can be done with ada" }).waitFor();
    await see("with everything open, and a row of each table chosen");
    found.push(...await smallTexts(page, look));
    await page.getByRole("button", { name: "Delete ada" }).click();
    await see("asked for the token");
    await page.locator("#token").fill(CROWD_TOKEN);
    await page.locator("#token-form").getByRole("button", { name: "Sign in" }).click();
    await page.locator("#order-do").waitFor();
    await see("asked to type the name of a user who is to be deleted");
    await page.locator("#order-cancel").click();
    await page.locator("#connections-filter").fill("nobody has this");
    await page.locator("#connections .empty").waitFor();
    await see("with a filter that finds nothing");
    await crowd[Symbol.asyncDispose]();
    await page.locator("body.is-stale").waitFor();
    await see("when its server is gone");
    await page.context().close();
  }
  assertEquals(found, []);
});

browserTest("axe finds nothing wrong with a network that is empty, and one that is parted", async () => {
  await using browser = await Browser.start();
  const found: string[] = [];
  for (const [look, options] of Object.entries(LOOKS)) {
    await using empty = await CrowdNode.open(sampleView({ servers: { a: sampleServer({ state: "self" }) } }));
    const page = await browser.open(empty.address, options);
    await page.locator("#users .empty code").waitFor();
    found.push(...await axeViolations(page, `empty, ${look}`));
    const dead = sampleServer({ state: "dead", isSilent: true, name: "two" });
    empty.change({ patch: { servers: { b: { ...dead } } } });
    await page.locator("#parted-text:not(:empty)").waitFor();
    found.push(...await axeViolations(page, `parted, ${look}`));
    await page.context().close();
  }
  assertEquals(found, []);
});

browserTest("axe finds nothing wrong with the page to sign in", async () => {
  await using crowd = await CrowdNode.open(sampleView());
  await using browser = await Browser.start();
  const found: string[] = [];
  for (const [look, options] of Object.entries(LOOKS)) {
    // As through a proxy: from elsewhere.
    const elsewhere = { ...options, extraHTTPHeaders: { "x-forwarded-for": "192.0.2.1" } };
    const page = await browser.open(crowd.address, elsewhere, /status of 401/);
    await page.getByLabel("Token").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator("#error:not(:empty)").waitFor();
    found.push(...await axeViolations(page, `sign in, ${look}`));
    await page.context().close();
  }
  assertEquals(found, []);
});

browserTest("axe finds nothing wrong with the client", async () => {
  await using browser = await Browser.start();
  const found: string[] = [];
  for (const [index, [look, options]] of Object.entries(LOOKS).entries()) {
    await using server = await startOne("--ephemeral");
    await using friend = await registered(server, "friend");
    const page = await open(browser, server, { viewport: { width: 1280, height: 800 }, ...options }, GONE);
    const see = async (what: string) => {
      found.push(...await axeViolations(page, `${what}, ${look}`));
      const tabs = await page.locator("[role=tab]:visible").all();
      for (const tab of tabs) {
        await tab.click();
        found.push(...await axeViolations(page, `${what}, ${await tab.textContent()}, ${look}`));
      }
      if (tabs.length > 0) await tabs[0]!.click();
    };
    await see("the way in");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.locator("#sign-in-problem:not([hidden])").waitFor();
    await see("the way in, refused");
    await register(page, `user-${index}`);
    await see("when nothing was said yet");
    await say(page, "hello");
    friend.send({ command: "ACTIVITY_MESSAGE", activity: { text: "hello" } });
    friend.send({ command: "ACTIVITY_MESSAGE", activity: { type: "Note", n: [1, 2, { a: null }] } });
    friend.send({ command: "DIRECT_MESSAGE", to: `user-${index}`, text: "for you alone" });
    await row(page, "for you alone").waitFor();
    await say(page, "friend: and for you");
    await row(page, "and for you").waitFor();
    await page.getByLabel("A channel to join").fill("lab/**");
    await page.getByLabel("A channel to join").press("Enter");
    await page.locator("#places .place", { hasText: "Everyone" }).click();
    await say(page, "nobody-there: hello?");
    await see("in the middle of a talk");
    found.push(...await smallTexts(page, look));
    await page.locator("#kind label", { hasText: "JSON" }).click();
    await page.getByLabel("Message").fill(`{"a":`);
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.locator("#text-problem:not(:empty)").waitFor();
    await see("with a fault in what is to be said");
    await useConsole(page);
    await see("with its lines");
    await server.end();
    await isState(page, "reconnecting");
    await see("when its server is gone");
    await page.context().close();
  }
  assertEquals(found, []);
});

/** Texts that are smaller than what can be read. */
async function smallTexts(page: Page, look: string): Promise<string[]> {
  const sizes = await page.locator("body *:not(script, style, option, svg *)").evaluateAll((nodes) =>
    nodes.filter((node) =>
      node.checkVisibility() &&
      [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent!.trim() !== "")
    ).map((node) => ({ name: `${node.localName}.${node.className}`, px: parseFloat(getComputedStyle(node).fontSize) }))
  );
  // A text of no size is not to be seen: a sign stands for it.
  const small = sizes.filter(({ px }) => px > 0 && px < SMALLEST_PX).map(({ name, px }) => `${name}: ${px} px`);
  return [...new Set(small)].map((node) => `${look}: ${node}`);
}

/** Opens the lines of the protocol, and writes one. */
async function useConsole(page: Page): Promise<void> {
  const tab = page.getByRole("tab", { name: "Protocol" });
  if (await tab.isVisible()) await tab.click();
  else await openConsole(page);
  await writeLine(page, `{"command":"LIST_USERS","scope":"all"}`);
  await page.locator("#log li").first().waitFor();
}

/** What operators have laid down: a ban of each kind, and somebody who is disabled. */
const RULINGS: readonly Ruling[] = [
  { kind: "ban", about: "bela", terms: { by: "192.0.2.1", why: "too loud" } },
  { kind: "bannedAddress", about: "10.0.0.0/8", terms: { by: "192.0.2.1", until: Date.now() + 3_600_000 } },
  { kind: "disabled", about: "emre", terms: { by: "192.0.2.1" } },
];

/** Everything that the page can show of a network. */
function fullView(): NetworkView {
  const now = Date.now();
  const server = (fields: Partial<ServerView>) =>
    sampleServer({ stateSince: now - 60_000, announcedAt: now, ...fields });
  const heartbeats = [
    { at: now - 500, event: "sent", attempt: 1, of: 3, roundTripMs: null },
    { at: now - 400, event: "answered", attempt: 1, of: 3, roundTripMs: 1 },
    { at: now - 300, event: "unanswered", attempt: 2, of: 3, roundTripMs: null },
  ] as const;
  const reasons = ["HEARTBEAT_TIMEOUT", "LOGGED_OUT", "TOO_MANY", "SERVER_LOST"];
  return sampleView({
    at: now,
    from: "a",
    servers: {
      a: server({ state: "self", name: "one:8000", links: { b: sampleLink(), c: sampleLink({ state: "probing" }) } }),
      b: server({ name: "two:8000", links: { a: sampleLink() }, http: "127.0.0.1:9", vector: { a: 4 }, load: 3 }),
      c: server({ name: "three:8000", state: "suspect", http: "127.0.0.1:9" }),
      d: server({ name: "four:8000", state: "dead", lostClients: 3 }),
      e: server({ name: "five:8000", state: "left" }),
      f: server({ name: "six:8000", draining: { total: 5, left: 3 } }),
    },
    connections: {
      a: {
        w: sampleConnection({ user: "ada", heardAt: now, roundTripMs: 0.4, heartbeats: 3 }),
        x: sampleConnection({ user: "bela", state: "probing", attempt: 2, heardAt: now - 9_000 }),
        y: sampleConnection({ user: "chidi", behind: true, waitingBytes: 50, over: "websocket", state: "unwatched" }),
        z: sampleConnection({ user: "", kind: "server", state: "unwatched" }),
      },
      d: { v: sampleConnection({ user: "dana" }) },
    },
    users: { ada: ["a"], bela: ["a", "b"], chidi: ["a"], emre: [], fatima: [] },
    waiting: { ada: 2, emre: 1_234 },
    lastSeen: { emre: now - 200_000 },
    channels: { "": { readers: 3, rate: 0, bytes: 1_000 }, "lab/door": { readers: 12, rate: 3.2, bytes: 4_000_000 } },
    channelsLeftOut: 7,
    ends: reasons.map((reason, n) =>
      sampleEnd({ at: now - n, user: `gone-${n}`, reason, heartbeats: n === 0 ? heartbeats : [] })
    ),
    activities: [
      sampleActivity("a:1", { text: "hello" }),
      sampleActivity("a:2", { type: "Note", n: [1, { a: null, b: true, c: "text" }] }),
      sampleActivity("a:3", "text"),
    ],
  });
}
