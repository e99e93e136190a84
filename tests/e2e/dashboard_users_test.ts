/**
 * An operator's lists at the dashboard, in a real browser: users, bans, and what is done with them, at a real server;
 * and who may only look.
 */

import { assertEquals, assertMatch } from "@std/assert";
import type { Page } from "playwright-core";
import { sampleServer, sampleView } from "../dashboard/_sample.ts";
import { Browser, browserTest, NO_BROWSER } from "../support/browser.ts";
import { CROWD_LOOK_TOKEN, CROWD_TOKEN, CrowdNode, MADE_SECRET } from "../support/crowd_node.ts";
import { LineClient } from "../support/line_client.ts";
import { registered, SECRET, startOne } from "./_client_page.ts";

if (NO_BROWSER !== undefined) console.log(`SKIPPED: the operator's lists in a browser, as ${NO_BROWSER}`);

const SERVERS_TOKEN = "a-token-for-the-tests-of-the-page";

browserTest("an operator disables, resets, bans and deletes at the page, and the server does it", async (t) => {
  await using cleanup = new AsyncDisposableStack();
  const server = cleanup.use(await startOne("--ephemeral"));
  const ada = cleanup.use(await registered(server, "ada"));
  const browser = cleanup.use(await Browser.start());
  // One order is refused.
  const page = await browser.open(`http://${server.gateway}/`, {}, /status of 400/);
  /** What a login of ada with this secret is answered. */
  const login = async (secret: string) => {
    await using client = await LineClient.connect(server.port);
    client.send({ command: "LOGIN", username: "ada", secret, features: ["ack"] });
    const isAnswer = ({ command }: { command?: string }) => command === "LOGIN_SUCCESS" || command === "LOGIN_FAILED";
    await client.until(() => client.received.some(isAnswer), "an answer to the login");
    const { command, reason } = client.received.find(isAnswer)!;
    return reason ?? command;
  };

  await t.step("who is disabled is shown out, cannot log in, and can when enabled again", async () => {
    await choose(page, "ada");
    await page.getByRole("button", { name: "Disable ada" }).click();
    await signIn(page, SERVERS_TOKEN);
    await page.getByLabel("Why").fill("on leave");
    await page.locator("#order-do").click();
    await ada.closed();
    assertEquals(ada.received.at(-1)!.info, "this account is disabled: on leave");
    await badge(page, "ada", "disabled");
    assertEquals(await login(SECRET), "DISABLED");
    await order(page, "Enable ada");
    await badge(page, "ada", "offline");
    assertEquals(await login(SECRET), "LOGIN_SUCCESS");
  });

  await t.step("a new secret is shown once, and is the one that counts", async () => {
    await order(page, "New secret ada");
    await page.locator("#order-title", { hasText: "The new secret of ada" }).waitFor();
    const secret = (await page.locator("#order-secret").textContent())!;
    assertMatch(secret, /^[0-9a-z]{4}(-[0-9a-z]{4}){3}$/);
    await page.getByRole("button", { name: "Close", exact: true }).click();
    assertEquals((await page.content()).includes(secret), false);
    assertEquals(await login(SECRET), "WRONG_SECRET");
    assertEquals(await login(secret), "LOGIN_SUCCESS");
  });

  await t.step("addresses are banned for a while, and let in again", async () => {
    await page.getByRole("button", { name: "Ban addresses" }).click();
    await page.getByLabel("Address or range").fill("192.0.2.300");
    await page.locator("#order-do").click();
    await page.locator("#order-error", { hasText: '"192.0.2.300" is no address' }).waitFor();
    await page.getByLabel("Address or range").fill("192.0.2.77/24");
    await page.getByLabel("How long").selectOption({ label: "for an hour" });
    await page.locator("#order-do").click();
    const row = page.locator(".bans-grid .grid-body .grid-row", { hasText: "192.0.2.0/24" });
    await row.locator(".c-until", { hasText: /^59 min|^1 h/ }).waitFor();
    await row.locator(".c-kind").click();
    await order(page, "Unban 192.0.2.0/24");
    await page.locator("#bans .empty", { hasText: "Nobody is banned." }).waitFor();
  });

  await t.step("an invitation is made, its code is shown once, and it is taken back", async () => {
    await page.getByRole("button", { name: "Invite" }).click();
    await page.getByLabel("How many may register").fill("3");
    await page.getByLabel("For whom").fill("the class");
    await page.locator("#order-do").click();
    await page.locator("#order-secret", { hasText: /^[a-z2-9]{26}$/ }).waitFor();
    await page.getByRole("button", { name: "Close", exact: true }).click();
    const row = page.locator(".invitations-grid .grid-body .grid-row", { hasText: "the class" });
    await row.locator(".c-used", { hasText: "0 of 3" }).waitFor();
    await row.locator(".c-used").click();
    await order(page, "Withdraw ");
    await page.locator("#invitations .empty", { hasText: "There are no invitations." }).waitFor();
  });

  await t.step("roles are given, and stand in the list", async () => {
    await choose(page, "ada");
    await page.getByRole("button", { name: "Roles ada" }).click();
    await page.getByLabel("Roles", { exact: true }).fill("teacher night-shift");
    await page.locator("#order-do").click();
    await rowOf(page, "ada").locator(".c-roles", { hasText: "teacher, night-shift" }).waitFor();
  });

  await t.step("the configuration is read anew, and the network gets another secret, typed twice", async () => {
    const lines = page.locator("#order-lines li");
    await page.getByRole("button", { name: "Reload", exact: true }).click();
    await page.locator("#order-do").click();
    await lines.filter({ hasText: "nothing changed" }).waitFor();
    await page.getByRole("button", { name: "Close", exact: true }).click();
    await page.getByRole("button", { name: "Secret", exact: true }).click();
    await page.getByLabel("The new secret").fill("of-the-network-2");
    await page.getByLabel("Once more").fill("of-the-network");
    await page.locator("#order-do").click();
    await page.locator("#order-error", { hasText: "These are two secrets" }).waitFor();
    await page.getByLabel("Once more").fill("of-the-network-2");
    await page.locator("#order-do").click();
    await lines.filter({ hasText: ": done" }).waitFor();
    await page.getByRole("button", { name: "Close", exact: true }).click();
    assertEquals((await page.content()).includes("of-the-network"), false);
  });

  await t.step("an account is deleted when its name was typed, and is gone from the list of an open page", async () => {
    await choose(page, "ada");
    await page.getByRole("button", { name: "Delete ada" }).click();
    await page.getByLabel("Type ada to go on").fill("adam");
    await page.locator("#order-do").click();
    await page.locator("#order-error", { hasText: "This is not the name" }).waitFor();
    await page.getByLabel("Type ada to go on").fill("ada");
    await page.locator("#order-do").click();
    await page.locator(".users-grid .grid-body .grid-row").waitFor({ state: "detached" });
    assertEquals(await login(SECRET), "UNKNOWN_USER");
  });
});

browserTest("who has a token to look sees the lists, and nothing to press", async () => {
  await using crowd = await CrowdNode.open(VIEW);
  crowd.rulings = [{ kind: "ban", about: "bela", terms: { by: "192.0.2.1" } }];
  await using browser = await Browser.start();
  // As through a proxy: from elsewhere.
  const elsewhere = { extraHTTPHeaders: { "x-forwarded-for": "192.0.2.1" } };
  const page = await browser.open(crowd.address, elsewhere, /status of 401/);
  await page.getByLabel("Token").fill(CROWD_LOOK_TOKEN);
  await page.getByRole("button", { name: "Sign in" }).click();
  await badge(page, "bela", "banned");
  await page.locator(".bans-grid .c-about", { hasText: "bela" }).click();
  await choose(page, "ada");
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  const pressed = ["Drain", "Log level", "Ban addresses", "Disable ada", "Delete ada", "Unban bela"];
  for (const name of pressed) assertEquals(await page.getByRole("button", { name }).count(), 0, name);
});

browserTest(
  "what can be done with a user is one stop for the Tab key, and a name shows what is invisible in it",
  async () => {
    await using crowd = await CrowdNode.open(VIEW);
    await using browser = await Browser.start();
    const page = await browser.open(crowd.address);
    await badge(page, "ada", "offline");
    await page.locator(".users-grid").focus();
    await page.keyboard.press("End");
    // The heads of the table are a stop of their own.
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    const focused = () => page.locator(":focus").getAttribute("aria-label");
    assertEquals(await focused(), "Disable z\\u200bz");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    assertEquals(await focused(), "New secret z\\u200bz");
    await page.keyboard.press("Enter");
    await signIn(page, CROWD_TOKEN);
    await page.locator("#order-title", { hasText: "Give z\\u200bz a new secret?" }).waitFor();
    await page.locator("#order-do").click();
    await page.locator("#order-secret", { hasText: MADE_SECRET }).waitFor();
    await page.keyboard.press("Escape");
    assertEquals(await focused(), "New secret z\\u200bz");
    await page.keyboard.press("Tab");
    assertEquals(await page.locator("#users-acts").locator(":focus").count(), 0);
  },
);

const VIEW = sampleView({
  servers: { a: sampleServer({ name: "one", state: "self" }), b: sampleServer({ name: "two" }) },
  users: { ada: [], bela: [], "z\u200bz": [] },
});

/** Chooses a user. */
async function choose(page: Page, user: string): Promise<void> {
  await rowOf(page, user).locator(".c-online").click();
  await page.locator(".users-grid .grid-row[aria-selected=true]", { hasText: user }).waitFor();
}

/** Waits until the badge of a user says this. */
async function badge(page: Page, user: string, text: string): Promise<void> {
  await rowOf(page, user).locator(".badge", { hasText: text }).waitFor();
}

function rowOf(page: Page, user: string) {
  return page.locator(".users-grid .grid-body .grid-row", { hasText: user });
}

/** Presses a button, and says yes. */
async function order(page: Page, button: string): Promise<void> {
  await page.getByRole("button", { name: button }).click();
  await page.locator("#order-do").click();
}

async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel("Token").fill(token);
  await page.locator("#token-form").getByRole("button", { name: "Sign in" }).click();
  await page.locator("#order-do").waitFor();
}
