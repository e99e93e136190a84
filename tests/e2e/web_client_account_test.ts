/** Accounts in the client page, in a real browser: what a registration asks for, another password, and no account. */

import { assert, assertEquals } from "@std/assert";
import { Browser, browserTest } from "../support/browser.ts";
import { LineClient } from "../support/line_client.ts";
import { axeViolations } from "./_axe.ts";
import { isState, open, row, say, startOne, TOKEN } from "./_client_page.ts";

const OLD_SECRET = "twelve or more";
const NEW_SECRET = "another one of the user";
/** What axe does to the page, which the page's policy forbids. */
const BY_AXE = /^Applying inline style violates/;

browserTest("an account is made by invitation, gets another password, and is deleted, in the page", async (t) => {
  await using cleanup = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "thrum-e2e-" });
  cleanup.defer(() => Deno.remove(folder, { recursive: true }));
  await Deno.writeTextFile(
    `${folder}/config.json`,
    JSON.stringify({ auth: { registration: "invite", minSecretLength: 12, reservedNames: ["admin*"] } }),
  );
  const server = cleanup.use(await startOne("--ephemeral", "--config", `${folder}/config.json`));
  const browser = cleanup.use(await Browser.start());
  const page = await open(browser, server, {}, BY_AXE);
  let calls = 0;
  page.on("websocket", () => calls++);
  const told = (text: string) => page.locator("#sign-in-problem", { hasText: text }).waitFor();
  const asks = async (fields: { name?: string; secret?: string; code?: string }) => {
    if (fields.name !== undefined) await page.getByLabel("Name", { exact: true }).fill(fields.name);
    if (fields.secret !== undefined) await page.getByLabel("Password", { exact: true }).fill(fields.secret);
    if (fields.code !== undefined) await page.getByLabel("Invitation").fill(fields.code);
    await page.getByRole("button", { name: "Register this name" }).click();
  };
  const invited = await fetch(`http://${server.gateway}/api/invite`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ uses: 2 }),
  });
  const { code } = await invited.json();

  await t.step("a weak password is refused before it is sent", async () => {
    await asks({ name: "anna", secret: "seven 7" });
    await told("A new password needs 8 characters at least.");
    await asks({ secret: "Password123" });
    await told("This password is one that others try first.");
    assertEquals(calls, 0);
  });

  await t.step("the page asks for an invitation where one is needed, and says when it is not good", async () => {
    await page.getByLabel("Invitation").waitFor({ state: "hidden" });
    await asks({ secret: OLD_SECRET });
    await told("A new name needs an invitation here");
    await asks({ code: "k3f2m-w8xq4-7hbtz-p9cnu-d6rav-s" });
    await told("this one is not good");
  });

  await t.step("what the server does not take is said with its reason", async () => {
    await asks({ secret: "eleven chrs", code });
    await told("The secret has fewer than 12 characters.");
    await asks({ name: "an:na", secret: OLD_SECRET });
    await told("The username");
    await asks({ name: "admin-2" });
    await told("This name is reserved.");
    // The first letter is Cyrillic.
    await asks({ name: "\u0430nna" });
    await told("letters of more than one script");
  });

  await t.step("with a good one the account is made; a name like it is refused", async () => {
    await asks({ name: "anna" });
    await isState(page, "live");
    const other = await open(browser, server);
    await other.getByLabel("Name", { exact: true }).fill("Anna");
    await other.getByLabel("Password", { exact: true }).fill(OLD_SECRET);
    await other.getByRole("button", { name: "Register this name" }).click();
    await other.getByLabel("Invitation").fill(code);
    await other.getByRole("button", { name: "Register this name" }).click();
    await other.locator("#sign-in-problem", { hasText: "This name looks like one that exists" }).waitFor();
    await other.context().close();
  });

  await t.step("another password ends all other sessions, and the page goes on", async () => {
    await using elsewhere = await LineClient.connect(server.port);
    elsewhere.send({ command: "LOGIN", username: "anna", secret: OLD_SECRET, features: ["ack"] });
    await elsewhere.next("LOGIN_SUCCESS");
    await page.getByRole("button", { name: "Change password …" }).click();
    assertEquals(await axeViolations(page, "another password"), []);
    const change = async (now: string, again: string) => {
      await page.getByLabel("Current password").fill(now);
      await page.getByLabel("New password", { exact: true }).fill(NEW_SECRET);
      await page.getByLabel("New password, once more").fill(again);
      await page.getByRole("button", { name: "Change it" }).click();
    };
    await change(OLD_SECRET, `${NEW_SECRET}.`);
    await page.getByRole("alert").filter({ hasText: "not the same both times" }).waitFor();
    await change("of-another-user", NEW_SECRET);
    await page.getByRole("alert").filter({ hasText: "This is not your current password" }).waitFor();
    await change(OLD_SECRET, NEW_SECRET);
    const { reason } = await elsewhere.next("END_CONNECTION");
    assertEquals(reason, "SECRET_CHANGED");
    await page.locator("#password-dialog").waitFor({ state: "hidden" });
    await page.locator("#rows .aside", { hasText: "Your password was changed" }).waitFor();
    await isState(page, "live");
    await say(page, "with the new one");
    await row(page, "with the new one").waitFor();
    const kept = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));
    assert(!kept.includes(NEW_SECRET) && !kept.includes(OLD_SECRET));
    assertEquals(await page.locator("#password-new").inputValue(), "");
  });

  await t.step("an account is deleted by who gives its password and types its name", async () => {
    await page.getByRole("button", { name: "Delete account …" }).click();
    assertEquals(await axeViolations(page, "no account"), []);
    await page.getByText("the messages that wait for you").waitFor();
    await page.getByLabel("Your password", { exact: true }).fill(NEW_SECRET);
    await page.getByLabel("Type your name to do it").fill("ann");
    await page.getByRole("button", { name: "Delete the account" }).click();
    await page.getByRole("alert").filter({ hasText: "This is not the name" }).waitFor();
    await page.getByLabel("Type your name to do it").fill("anna");
    await page.getByRole("button", { name: "Delete the account" }).click();
    await isState(page, "signed out");
    await page.getByText("The account of anna is deleted. Its name stays taken.").waitFor();
    assertEquals(await page.evaluate(() => Object.keys(sessionStorage)), []);
    await page.getByLabel("Name", { exact: true }).fill("anna");
    await page.getByLabel("Password", { exact: true }).fill(NEW_SECRET);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.locator("#sign-in-problem:not([hidden])").waitFor();
  });
});

declare const sessionStorage: object;
declare const localStorage: object;
