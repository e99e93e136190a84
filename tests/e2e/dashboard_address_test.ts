/** The address of the window into the network, in a real browser: it holds what is shown, and Back takes steps back. */

import { assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { sampleConnection, sampleEnd, sampleServer, sampleView } from "../dashboard/_sample.ts";
import { Browser, browserTest, NO_BROWSER } from "../support/browser.ts";
import { CrowdNode } from "../support/crowd_node.ts";

if (NO_BROWSER !== undefined) console.log(`SKIPPED: the address of the dashboard in a browser, as ${NO_BROWSER}`);

// What functions find that run in the page and not here.
declare const location: { readonly hash: string };
declare const document: { readonly activeElement: { readonly textContent: string } | null };
declare function requestAnimationFrame(draw: (now: number) => void): void;

const USERS = Array.from({ length: 200 }, (_, n) => `user-${n + 1}`);
/** A name that must not break an address. */
const ODD = "a&b=c #%d+ü";

browserTest("the address holds filter, order and selection: Back works, and others see the same", async (t) => {
  await using crowd = await CrowdNode.open(view());
  await using browser = await Browser.start();
  const page = await browser.open(crowd.address);
  await sees(page, users(), ODD);

  await t.step("what is typed is one step, an order another, and a row a third", async () => {
    await page.locator("#connections-filter").pressSequentially("user-1");
    await sees(page, users(), "user-1");
    await addressIs(page, "#connections=user-1");
    await page.locator(".connections-grid").getByRole("button", { name: "User" }).click();
    await sees(page, users(), "user-199");
    await addressIs(page, "#connections=user-1&connections.sort=-user");
    await page.locator(".connections-grid .c-address", { hasText: "127.0.0.1:10199" }).click();
    await addressIs(page, /^#connection=a\+199&/);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await addressIs(page, /^#connection=a\+197&/);
  });

  await t.step("somebody else who opens it sees the same", async () => {
    const other = await browser.open(page.url());
    await sees(other, users(), "user-199");
    assertEquals(await other.locator("#connections-filter").inputValue(), "user-1");
    assertEquals(await other.locator(chosen()).textContent(), "user-197");
    await other.context().close();
  });

  await t.step("Back takes one step after the other back, and Forward repeats them", async () => {
    await page.goBack();
    await addressIs(page, /^#connection=a\+199&/);
    await sees(page, chosen(), "user-199");
    await page.goBack();
    await page.locator(".connections-grid [aria-selected]").waitFor({ state: "detached" });
    await page.goBack();
    await sees(page, users(), "user-1");
    await page.goBack();
    await sees(page, users(), ODD);
    assertEquals(await page.locator("#connections-filter").inputValue(), "");
    await addressIs(page, "");
    await page.goForward();
    await sees(page, users(), "user-1");
    await page.goBack();
  });

  await t.step("names are links: of a user and of a server to its connections, of a connection to itself", async () => {
    const odd = page.locator(".users-grid").getByRole("link", { name: ODD });
    const href = await odd.getAttribute("href");
    await odd.click();
    await sees(page, users(), ODD);
    await addressIs(page, href!);
    assertEquals(await page.locator(".connections-grid").getAttribute("aria-rowcount"), "2");
    await page.goBack();
    await page.locator(".server").getByRole("link", { name: "alpha:8000" }).click();
    assertEquals(await page.locator("#connections-filter").inputValue(), "alpha:8000");
    await page.goBack();
    const connection = page.locator(".connections-grid").getByRole("link", { name: "user-150", exact: true });
    await page.locator("#connections-filter").fill("user-150");
    const other = await browser.open(new URL((await connection.getAttribute("href"))!, crowd.address).href);
    await sees(other, chosen(), "user-150");
    await other.context().close();
  });

  await t.step("an end that is opened is in the address, and is open for who is sent there", async () => {
    await page.locator(".end summary").first().click();
    await addressIs(page, /[#&]end=/);
    const other = await browser.open(page.url());
    await other.locator(".end details[open]").waitFor();
    await other.context().close();
    await page.goBack();
    await page.locator(".end details[open]").waitFor({ state: "detached" });
  });

  await t.step("a connection that has ended meanwhile is said to have", async () => {
    const other = await browser.open(`${crowd.address}#connection=a+9999&users.sort=-shoe-size&users.online=only`);
    await other.locator("#connections-count", { hasText: "the chosen one has ended" }).waitFor();
    assertEquals(await other.locator("#users-online").getAttribute("aria-pressed"), "true");
    await other.context().close();
  });
});

browserTest("each list is one stop for the Tab key, and the arrow keys go through it", async () => {
  const at = Date.now();
  const ends = Array.from({ length: 100 }, (_, n) => sampleEnd({ at: at - n, user: `user-${n}` }));
  await using crowd = await CrowdNode.open({ ...view(), ends });
  await using browser = await Browser.start();
  const page = await browser.open(crowd.address);
  await page.locator(".end").nth(99).waitFor();
  await page.locator("#ends").focus();
  await page.keyboard.press("Tab");
  assertEquals(await page.locator(":focus").getAttribute("id"), "diagram-seconds");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  const focused = page.locator(".end summary:focus .who");
  assertEquals(await focused.textContent(), "user-1");
  await page.keyboard.press("Enter");
  await page.locator(".end details[open]", { hasText: "user-1" }).waitFor();
  await page.keyboard.press("End");
  assertEquals(await focused.textContent(), "user-99");
  await page.keyboard.press("Tab");
  assertEquals(await page.locator(":focus").getAttribute("id"), "diagram-seconds");
});

browserTest("the heads of a table are one stop for the Tab key, and the arrow keys go through them", async () => {
  await using crowd = await CrowdNode.open(view());
  await using browser = await Browser.start();
  const page = await browser.open(crowd.address);
  await sees(page, users(), ODD);
  const focused = () => page.evaluate(() => document.activeElement!.textContent);
  assertEquals(await page.locator(".sort[tabindex='0']").allTextContents(), [
    "Server",
    "User",
    "Channel",
    "User",
    "Who",
    "State",
  ]);

  await page.locator("#connections-filter").focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  assertEquals(await focused(), "User");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  assertEquals(await focused(), "Heartbeat");
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowRight");
  assertEquals(await focused(), "Address");
  await page.keyboard.press("Enter");
  await page.locator(".connections-grid [aria-sort=ascending]", { hasText: "Address" }).waitFor();
  await addressIs(page, "#connections.sort=address");
  // Down goes to the rows, and up from the first of them back to the heads.
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.locator(".connections-grid .grid-row[aria-selected=true][aria-rowindex='2']").waitFor();
  await page.keyboard.press("ArrowUp");
  assertEquals(await focused(), "Address");
  await page.keyboard.press("Shift+Tab");
  assertEquals(await page.locator(":focus").getAttribute("role"), "grid");
});

browserTest("what is wrong stands in the title, also while nobody sees the page", async () => {
  await using crowd = await CrowdNode.open(view());
  await using browser = await Browser.start();
  const page = await browser.open(crowd.address);
  await browser.title(page, "alpha:8000 · thrum");
  // A page in the background has no frames.
  await page.evaluate(() => Object.assign(globalThis, { requestAnimationFrame: () => 0 }));
  const other = sampleServer({ name: "beta:8000", state: "suspect" });
  crowd.change({ patch: { servers: { b: { ...other } } } });
  await browser.title(page, "1 server suspect · alpha:8000 · thrum");
  crowd.change({ patch: { servers: { b: { state: "dead" } } } });
  await browser.title(page, "1 server dead · alpha:8000 · thrum");
  crowd.change({ patch: { servers: { b: { state: "linked" } } } });
  await browser.title(page, "alpha:8000 · thrum");
});

function users(): string {
  return ".connections-grid .grid-body .c-user";
}

function chosen(): string {
  return ".connections-grid .grid-row[aria-selected=true] .c-user";
}

/** Waits until the first of `selector` has this text. */
async function sees(page: Page, selector: string, text: string): Promise<void> {
  await page.locator(`${selector} >> nth=0`).and(
    page.getByText(text, { exact: true }).or(
      page.locator(`${selector}:has(:text-is(${JSON.stringify(text)}))`),
    ),
  ).first().waitFor();
}

/** Waits until the part of the address behind the page is this. */
async function addressIs(page: Page, expected: string | RegExp): Promise<void> {
  const isSo = (hash: string) => typeof expected === "string" ? hash === expected : expected.test(hash);
  const giveUpAt = performance.now() + 120_000;
  for (let hash = await seen(); !isSo(hash); hash = await seen()) {
    if (performance.now() > giveUpAt) throw new Error(`The address is ${hash}, and not ${expected}`);
  }

  function seen(): Promise<string> {
    return page.evaluate(() => new Promise<string>((resolve) => requestAnimationFrame(() => resolve(location.hash))));
  }
}

function view() {
  const now = Date.now();
  const all = [ODD, ...USERS];
  return sampleView({
    at: now,
    servers: { a: sampleServer({ name: "alpha:8000", state: "self", load: all.length, connections: all.length }) },
    connections: {
      a: Object.fromEntries(all.map((user, n) => [
        `${n}`,
        sampleConnection({ user, since: now, heardAt: now, address: `127.0.0.1:${10_000 + n}` }),
      ])),
    },
    users: Object.fromEntries(all.map((user) => [user, ["a"]])),
    ends: [sampleEnd({ at: now })],
  });
}
