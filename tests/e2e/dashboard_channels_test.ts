/** The list of channels at the dashboard, in a real browser. */

import { assertEquals } from "@std/assert";
import { Browser, browserTest, NO_BROWSER } from "../support/browser.ts";
import { LineClient } from "../support/line_client.ts";
import { startOne } from "./_client_page.ts";

if (NO_BROWSER !== undefined) console.log(`SKIPPED: the list of channels in a browser, as ${NO_BROWSER}`);

browserTest(
  "a channel is listed with who reads it and what passes in it, and its name shows what is invisible",
  async () => {
    await using server = await startOne("--ephemeral");
    await using reader = await LineClient.loggedIn(server.port, {
      features: ["ack", "channels"],
      channels: ["lab/**", "z\u200bz"],
    });
    await using browser = await Browser.start();
    const page = await browser.open(`http://${server.gateway}/`);
    const row = (name: string) => page.locator(".channels-grid .grid-body .grid-row", { hasText: name });
    await row("z\\u200bz").locator(".c-readers:text-is('1')").waitFor();
    reader.send({ command: "ACTIVITY_MESSAGE", activity: { n: 1 }, channel: "lab/door" });
    await row("lab/door").locator(".c-rate", { hasText: /^\d/ }).waitFor();
    assertEquals(await row("lab/door").locator(".c-readers").textContent(), "1");
    await page.locator("#channels-filter").fill("door");
    await page.locator("#channels-count", { hasText: "1 of 3" }).waitFor();
  },
);
