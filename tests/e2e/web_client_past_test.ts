/** The past in the client page, in a real browser: with how much a person begins, how to see more, where it begins. */

import { assertEquals, assertMatch } from "@std/assert";
import { Browser, browserTest } from "../support/browser.ts";
import { LineClient } from "../support/line_client.ts";
import { open, register, said, say, startOne, waitForCount } from "./_client_page.ts";

const SAID = Array.from({ length: 100 }, (_, n) => `text ${n + 1}`);

browserTest("who comes into the page is shown what was said last, and can see all that is kept", async () => {
  await using cleanup = new AsyncDisposableStack();
  const server = cleanup.use(await startOne("--ephemeral"));
  const talker = cleanup.use(await LineClient.loggedIn(server.port, { features: ["ack"] }));
  talker.send(...SAID.map((text) => ({ command: "ACTIVITY_MESSAGE", activity: { text } })));
  await talker.untilActivities(SAID.length);
  const browser = cleanup.use(await Browser.start());
  const page = await open(browser, server);
  await register(page, "anna");
  const more = page.locator("#earlier");
  await waitForCount(page.locator("#rows .row-text"), 20);
  assertEquals(await said(page), SAID.slice(-20));
  await page.locator("#rows .aside", { hasText: "You came here" }).waitFor();
  assertMatch(await page.locator("#past-text").innerText(), /^Shown back to .*, kept since .*\.$/);

  await say(page, "hello all");
  await waitForCount(page.locator("#rows .row-text"), 21);
  // What the person looks at stays where it is.
  const looked = page.locator("#rows .row-text").nth(0);
  await page.locator("#stream").evaluate((frame) => frame.scrollTop = 0);
  const top = async () => (await looked.boundingBox())!.y;
  const before = await top();
  await more.click();
  await waitForCount(page.locator("#rows .row-text"), 71);
  const first = page.locator("#rows .row-text").nth(50);
  assertEquals(await first.innerText(), SAID[80]);
  assertEquals(Math.abs((await first.boundingBox())!.y - before) < 60, true);

  await more.click();
  await waitForCount(page.locator("#rows .row-text"), 101);
  assertEquals(await said(page), [...SAID, "hello all"]);
  assertMatch(
    await page.locator("#past-text").innerText(),
    /^This is the beginning, on .*: nothing was said before\.$/,
  );
  await more.waitFor({ state: "hidden" });

  // A reload shows what it had, and asks for nothing.
  await page.reload();
  await waitForCount(page.locator("#rows .row-text"), 101);
  assertEquals(await said(page), [...SAID, "hello all"]);
});
