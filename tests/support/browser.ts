/**
 * A real browser without a window, for tests of the pages. Whatever it complains about fails the test: errors of
 * scripts, refusals by the content policy.
 */

import { assertEquals } from "@std/assert";
import { type Browser as Chromium, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** Where systems put it. */
const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const PATH = Deno.env.get("THRUM_CHROMIUM") ?? PLACES.find(isThere);

/** Why there is no browser on this machine; `undefined` where there is. */
export const NO_BROWSER: string | undefined = PATH === undefined
  ? `no Chromium is installed: none of ${PLACES.join(", ")} is there, and THRUM_CHROMIUM names none`
  : undefined;

/** Far above what anything takes: a busy machine must not fail a test. */
const PATIENCE_MS = 30_000;

/** How a page is opened. */
export type PageOptions = Pick<
  BrowserContextOptions,
  "viewport" | "colorScheme" | "isMobile" | "hasTouch" | "reducedMotion" | "extraHTTPHeaders" | "bypassCSP"
>;

/** One browser. `await using` ends it, and fails when one of its pages complained. */
export class Browser implements AsyncDisposable {
  readonly #chromium: Chromium;
  /** What pages complained about, and that was not expected. */
  readonly complaints: string[] = [];

  private constructor(browser: Chromium) {
    this.#chromium = browser;
  }

  static async start(): Promise<Browser> {
    if (PATH === undefined) throw new Error(NO_BROWSER);
    // Its sandbox cannot be had by root.
    return new Browser(await chromium.launch({ executablePath: PATH, chromiumSandbox: Deno.uid() !== 0 }));
  }

  /**
   * Opens `address` in a page of its own, with nothing kept from others. `expected`: complaints that
   * are part of the test.
   */
  async open(address: string, options: PageOptions = {}, expected: RegExp = /^$/): Promise<Page> {
    const context = await this.#chromium.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const complain = (text: string) => void (expected.test(text) || this.complaints.push(text));
    page.on("pageerror", ({ message, stack }) => complain(stack ?? message));
    page.on(
      "console",
      (message) => message.type() === "error" && complain(`${message.text()} ${message.location().url}`),
    );
    page.on("dialog", async (dialog) => {
      complain(`a dialog opened: ${dialog.message()}`);
      await dialog.dismiss();
    });
    await page.goto(address);
    return page;
  }

  /** Waits until the title of `page` is `expected`, also in a page that draws nothing. */
  async title(page: Page, expected: string): Promise<void> {
    const giveUpAt = performance.now() + PATIENCE_MS;
    for (let title = await page.title(); title !== expected; title = await page.title()) {
      if (performance.now() > giveUpAt) throw new Error(`The title is ${title}, and not ${expected}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chromium.close();
    assertEquals(this.complaints, []);
  }
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
