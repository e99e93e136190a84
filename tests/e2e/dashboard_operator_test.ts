/**
 * An operator at one page, in a real browser: with the token of that server alone, clients of another server are
 * disconnected and that server is drained. Each server has a token of its own.
 */

import { assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { sampleConnection, sampleServer, sampleView } from "../dashboard/_sample.ts";
import { Browser, browserTest, NO_BROWSER } from "../support/browser.ts";
import { CROWD_TOKEN, CrowdNode } from "../support/crowd_node.ts";
import { startClient, startServer } from "../support/program.ts";

if (NO_BROWSER !== undefined) console.log(`SKIPPED: an operator at the dashboard, as ${NO_BROWSER}`);

const GONE = /ERR_(CONNECTION|INCOMPLETE|EMPTY)|WebSocket connection/;

browserTest("with one token clients of any server are disconnected, and any server is drained", async (t) => {
  await using cleanup = new AsyncDisposableStack();
  const start = async (token: string, ...args: string[]) => {
    const env = { THRUM_SECRET: "of-the-network", THRUM_HTTP_TOKEN: token };
    const program = startServer(["--no-prompt", "--port", "0", "--http", "0", "--ephemeral", ...args], { env });
    cleanup.use(program);
    const [, port] = await program.sees(/listening on 127\.0\.0\.1:(\d+)/);
    const [, page] = await program.sees(/dashboard\s+(http:\S+)/);
    return { program, port: port!, name: `127.0.0.1:${port}`, page: page! };
  };
  const first = await start("the-token-of-the-first-server");
  const second = await start("the-token-of-the-second-server", "--join", first.name);
  const browser = cleanup.use(await Browser.start());
  const page = await browser.open(first.page, {}, GONE);
  await page.getByRole("button", { name: `Drain server ${second.name}` }).waitFor();

  await t.step("a program at the other server is told so, ends, and says why", async () => {
    const program = cleanup.use(startClient(["listen", "--port", second.port]));
    await choose(page, second.name);
    await page.getByRole("button", { name: /^Disconnect / }).click();
    await page.getByLabel("Token").fill("the-token-of-the-first-server");
    await page.locator("#token-form").getByRole("button", { name: "Sign in" }).click();
    await page.locator("#order-title", { hasText: "Disconnect anonymous?" }).waitFor();
    await page.locator("#order-do").click();
    await page.locator("#order-dialog[open]").waitFor({ state: "detached" });
    await program.ended();
    assertEquals(program.errors.includes("an operator of the network ended it"), true, program.errors);
    await page.locator(".end", { hasText: "ended by operator" }).waitFor();
  });

  await t.step("and so is a client in a browser, which does not come back by itself", async () => {
    const client = await browser.open(`${second.page}client`, {}, GONE);
    await client.getByRole("button", { name: "Continue without a name" }).click();
    await client.locator("#state:text-is('live')").waitFor();
    await choose(page, second.name);
    await page.getByRole("button", { name: /^Disconnect / }).click();
    await page.locator("#order-do").click();
    await client.locator("#outage-text", { hasText: "An operator of the network ended it" }).waitFor();
    assertEquals(await client.locator("#state").textContent(), "ended");
    await client.context().close();
  });

  await t.step("the other server is drained, and the page stays with its own", async () => {
    await page.getByRole("button", { name: `Drain server ${second.name}` }).click();
    await page.locator("#order-title", { hasText: `Drain ${second.name}?` }).waitFor();
    await page.locator("#order-do").click();
    assertEquals(await second.program.ended(), 0);
    await page.locator(".server .badge", { hasText: "left" }).waitFor();
    assertEquals(await page.locator("#live").textContent(), "live");
  });
});

browserTest("what cannot be done is said in the dialog, which stays open", async () => {
  await using crowd = await CrowdNode.open(sampleView({
    servers: { a: sampleServer({ name: "one", state: "self" }), b: sampleServer({ name: "two" }) },
    connections: {
      b: { 7: sampleConnection({ user: "ada", since: 9 }), 8: sampleConnection({ user: "", kind: "server" }) },
    },
  }));
  crowd.becomes = { ok: false, problem: "OLDER_VERSION" };
  await using browser = await Browser.start();
  const page = await browser.open(crowd.address, {}, /status of (501|404)/);
  await page.locator(".connections-grid .c-user", { hasText: "a server" }).click({ position: { x: 60, y: 5 } });
  await page.locator(".connections-grid .grid-row[aria-selected]").waitFor();
  assertEquals(await page.locator("#connections-end").isVisible(), false);
  await choose(page, "two", "ada");
  await page.getByRole("button", { name: "Disconnect ada" }).click();
  await page.getByLabel("Token").fill(CROWD_TOKEN);
  await page.locator("#token-form").getByRole("button", { name: "Sign in" }).click();
  await page.locator("#order-do").click();
  await page.locator("#order-error", { hasText: "That server is of a version that takes no orders" }).waitFor();
  assertEquals(crowd.orders, [{ kind: "disconnect", serverId: "b", connection: "7", since: 9 }]);
  crowd.becomes = { ok: true };
  await page.locator("#order-do").click();
  await page.locator("#order-dialog[open]").waitFor({ state: "detached" });
  // When the connection is gone, there is nothing to end.
  crowd.change({ patch: { connections: { b: { 7: null } } } });
  await page.locator("#connections-end").waitFor({ state: "hidden" });
});

browserTest("who is banned from the page is kept out by the server that answers", async () => {
  await using crowd = await CrowdNode.open(sampleView({
    servers: { a: sampleServer({ name: "one", state: "self" }), b: sampleServer({ name: "two" }) },
    connections: { b: { 7: sampleConnection({ user: "ada", since: 9 }) } },
  }));
  await using browser = await Browser.start();
  const page = await browser.open(crowd.address);
  await choose(page, "two", "ada");
  await page.getByRole("button", { name: "Ban ada" }).click();
  await page.getByLabel("Token").fill(CROWD_TOKEN);
  await page.locator("#token-form").getByRole("button", { name: "Sign in" }).click();
  await page.locator("#order-title", { hasText: "Ban ada?" }).waitFor();
  assertEquals(crowd.rules, []);
  await page.locator("#order-do").click();
  await page.locator("#order-dialog[open]").waitFor({ state: "detached" });
  assertEquals(crowd.rules, [{ kind: "ban", about: "ada" }]);
});

/** Chooses the connection of a user at a server. */
async function choose(page: Page, server: string, user = "anonymous"): Promise<void> {
  const row = page.locator(".connections-grid .grid-body .grid-row", { hasText: user }).filter({ hasText: server });
  await row.locator(".c-heartbeat").click();
  await page.locator(".connections-grid .grid-row[aria-selected=true]", { hasText: user }).waitFor();
}
