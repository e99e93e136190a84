/**
 * Channels in the client page, in a real browser at two real servers: joined, unread, written to, remembered, and kept
 * when a server dies.
 */

import { assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { Browser, browserTest } from "../support/browser.ts";
import { LineClient } from "../support/line_client.ts";
import { axeViolations } from "./_axe.ts";
import { assertHarmless, cutOff, isState, open, register, row, said, say, startOne } from "./_client_page.ts";

// What functions find that run in the page and not here.
declare const document: { readonly documentElement: { readonly scrollWidth: number } };
declare const innerWidth: number;

/** A server that is gone does not answer, and axe does to the page what its policy forbids: the browser tells both. */
const EXPECTED =
  /ERR_(CONNECTION|INCOMPLETE|EMPTY|SOCKET)|WebSocket connection to|status of 503|^Applying inline style/;
/** Nothing in the page may ever do this. */
const ATTACK = "<img src=x onerror=window.hacked=1>";
const FEATURES = ["ack", "channels"];

function place(page: Page, name: string) {
  return page.locator("#places .place", { has: page.locator(`.clip:text-is(${JSON.stringify(name)})`) });
}

async function join(page: Page, name: string): Promise<void> {
  await page.getByLabel("A channel to join").fill(name);
  await page.getByLabel("A channel to join").press("Enter");
  await isShown(page, `#${name}`);
}

async function isShown(page: Page, name: string): Promise<void> {
  await place(page, name).and(page.locator("[aria-current=true]")).waitFor();
}

async function hasUnread(page: Page, name: string, count: number): Promise<void> {
  const badge = place(page, name).locator(".unread");
  if (count === 0) await badge.waitFor({ state: "hidden" });
  else await badge.filter({ hasText: new RegExp(`^${count} unread$`) }).waitFor();
}

browserTest("channels are joined in the page, counted, written to, remembered, and survive a server", async (t) => {
  await using cleanup = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "thrum-e2e-" });
  cleanup.defer(() => Deno.remove(folder, { recursive: true }));
  // Who has no name may read everything, or the gateways would not tell the page of each other.
  const roles = [{ role: "pupil", users: ["anna"] }];
  const rights = [
    { roles: ["pupil"], channels: ["secret/**"], may: [] },
    { roles: ["pupil"], channels: ["news/**"], may: ["read"] },
  ];
  await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify({ auth: { roles, rights } }));
  const config = ["--ephemeral", "--config", `${folder}/config.json`];
  const first = cleanup.use(await startOne(...config));
  const second = cleanup.use(await startOne(...config, "--join", `127.0.0.1:${first.port}`));
  const browser = cleanup.use(await Browser.start());
  const talker = cleanup.use(await LineClient.loggedIn(second.port, { features: FEATURES, channels: ["", "lab/**"] }));
  const tell = (text: string, channel?: string) =>
    talker.send({ command: "ACTIVITY_MESSAGE", activity: { text }, messageId: `t ${text}`, channel });
  const page = await open(browser, first, {}, EXPECTED);
  await register(page, "anna");
  await page.locator("#backups", { hasText: `gateway ${second.gateway}` }).waitFor();
  tell("before anna", "lab/door");
  await talker.until(() => talker.activities.length === 1, "its own activity");

  await t.step("who joins a channel is shown what was said in it, and writes to it", async () => {
    await join(page, "lab/door");
    await row(page, "before anna").waitFor();
    await page.getByLabel("Message in #lab/door", { exact: true }).waitFor();
    await say(page, "it is open");
    await talker.until(() => talker.activities.length === 2, "what anna said");
    assertEquals(talker.activities[1], { text: "it is open" });
    await row(page, "it is open").waitFor();
    assertEquals(await said(page), ["before anna", "it is open"]);
  });

  await t.step("what is said elsewhere is counted there and in the title, until somebody looks", async () => {
    await place(page, "Everyone").click();
    await isShown(page, "Everyone");
    assertEquals(await said(page), []);
    for (const text of ["one", "two"]) tell(text, "lab/door");
    await hasUnread(page, "#lab/door", 2);
    await browser.title(page, "(2) Client · thrum");
    tell("to all");
    await row(page, "to all").waitFor();
    await hasUnread(page, "Everyone", 0);
    // By the keyboard alone.
    await place(page, "Everyone").focus();
    await page.keyboard.press("ArrowDown");
    await isShown(page, "#lab/door");
    await row(page, "two").waitFor();
    await browser.title(page, "Client · thrum");
    assertEquals(await said(page), ["before anna", "it is open", "one", "two"]);
  });

  await t.step("a pattern shows each activity with its channel; a text needs one of them", async () => {
    await join(page, "lab/**");
    tell(ATTACK, `lab/${ATTACK.replaceAll("/", "")}`);
    await page.locator("#rows .row", { hasText: ATTACK }).locator(".row-channel", { hasText: `#lab/${ATTACK}` })
      .waitFor();
    await assertHarmless(page);
    await say(page, "whom to?");
    await page.locator("#whom", { hasText: "#lab/** stands for many channels" }).waitFor();
    await page.getByRole("alert").filter({ hasText: "This was not sent" }).waitFor();
    await page.getByLabel("To", { exact: true }).fill("#lab/window");
    await page.getByLabel("Message").press("Enter");
    await row(page, "whom to?").locator(".row-channel", { hasText: "#lab/window" }).waitFor();
    await page.getByLabel("To", { exact: true }).fill("");
    await say(page, "#hall psst");
    await page.locator("#whom", { hasText: "You have not joined #hall" }).waitFor();
    await page.getByLabel("Message").fill("");
  });

  await t.step("what cannot be joined is said so", async () => {
    await page.getByLabel("A channel to join").fill("a//b");
    await page.getByRole("button", { name: "Join", exact: true }).click();
    await page.getByRole("alert").filter({ hasText: "has an empty level" }).waitFor();
    await join(page, "secret/plan");
    await page.locator("#rows .aside", { hasText: "Not joined: #secret/plan. Anna may not read" }).waitFor();
    // What was begun for it is not for everyone.
    await say(page, "for the few");
    await page.locator("#whom", { hasText: "You have not joined #secret/plan" }).waitFor();
    await page.getByLabel("Message").fill("");
    await page.getByRole("button", { name: "Leave #secret/plan" }).click();
    await isShown(page, "Everyone");
    await join(page, "news/today");
    await say(page, "extra");
    await row(page, "extra").locator(".row-mark", { hasText: "not sent: anna may not publish" }).waitFor();
    await page.getByRole("button", { name: "Leave #news/today" }).click();
    await place(page, "#lab/**").click();
  });

  await t.step("it is fit to be seen: light, dark, on a phone, and by axe", async () => {
    tell("to all, too");
    await hasUnread(page, "Everyone", 1);
    const folder = await Deno.makeTempDir({ prefix: "thrum-screenshots-" });
    console.log(`    screenshots in ${folder}`);
    for (const [look, scheme, width, height] of LOOKS) {
      await page.setViewportSize({ width, height });
      if (scheme === "light") assertEquals(await axeViolations(page, look), []);
      await page.emulateMedia({ colorScheme: scheme });
      assertEquals(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, look);
      assertEquals(await cutOff(page), [], look);
      await page.screenshot({ path: `${folder}/channels-${look}.png` });
    }
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  await t.step("a page that is loaded again, and one that is opened later, read the same channels", async () => {
    const before = await said(page);
    await page.reload();
    await isState(page, "live");
    await isShown(page, "#lab/**");
    assertEquals(await said(page), before);
    await page.getByRole("button", { name: "Leave #lab/**" }).click();
    await isShown(page, "Everyone");
    await page.getByRole("button", { name: "Log out" }).click();
    await isState(page, "signed out");
    await page.getByLabel("Password", { exact: true }).fill("of-the-user");
    await page.getByRole("button", { name: "Log in" }).click();
    await isState(page, "live");
    assertEquals(await page.locator("#places .place .clip").allTextContents(), ["Everyone", "#lab/door"]);
  });

  await t.step("at another server it goes on with its channels, and has everything once", async () => {
    await place(page, "#lab/door").click();
    await row(page, "two").waitFor();
    const before = await said(page);
    await first.program[Symbol.asyncDispose]();
    tell("meanwhile", "lab/door");
    await page.locator("#rows .aside", { hasText: `Connected again, to ${second.gateway}` }).waitFor();
    tell("after", "lab/door");
    await row(page, "after").waitFor();
    assertEquals(await said(page), [...before, "meanwhile", "after"]);
  });
});

const LOOKS = [
  ["light", "light", 1280, 800],
  ["dark", "dark", 1280, 800],
  ["phone", "light", 390, 780],
  ["phone-dark", "dark", 390, 780],
] as const;
