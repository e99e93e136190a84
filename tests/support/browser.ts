/**
 * A real browser without a window, for tests of the pages. Whatever it complains about fails the test: errors of
 * scripts, refusals by the content policy.
 */

import { assertEquals } from "@std/assert";
import { type Browser as Chromium, type BrowserContextOptions, chromium, type Page } from "playwright-core";

// What functions find that run in the page and not here.
declare const document: { readonly title: string };

/** Where systems put it. */
const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const PATH = Deno.env.get("THRUM_CHROMIUM") ?? PLACES.find(isThere);

/** Why there is no browser on this machine; `undefined` where there is. */
export const NO_BROWSER: string | undefined = PATH === undefined
  ? `no Chromium is installed: none of ${PLACES.join(", ")} is there, and THRUM_CHROMIUM names none`
  : undefined;

/** Far above what anything takes: a busy machine must not fail a test. */
const PATIENCE_MS = 120_000;
/** How often a page looks at its own title. */
const LOOK_MS = 50;

/** How a page is opened. */
export type PageOptions = Pick<
  BrowserContextOptions,
  "viewport" | "colorScheme" | "isMobile" | "hasTouch" | "reducedMotion" | "extraHTTPHeaders" | "bypassCSP"
>;

/**
 * A test that needs a browser. When its end fails as well as itself, the report has both: of what is suppressed at the
 * end of an `await using` it shows nothing.
 */
export function browserTest(name: string, run: (t: Deno.TestContext) => Promise<void>): void {
  const ignore = NO_BROWSER !== undefined;
  Deno.test({ name, ignore, fn: (t) => run(t).catch((error) => Promise.reject(withSuppressed(error))) });
}

/** `error` itself; what happened in its order, where `error` only says that an end suppressed something. */
export function withSuppressed(error: unknown): unknown {
  const all = unfolded(error);
  return all.length === 1 ? error : new AggregateError(all, all.map((one) => textOf(one)).join("\nand then: "));
}

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
    const isThere = (title: string) => document.title === title;
    try {
      await page.waitForFunction(isThere, expected, { polling: LOOK_MS });
    } catch (cause) {
      throw new Error(`The title is not "${expected}" but "${await page.title()}"`, { cause });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chromium.close();
    assertEquals(this.complaints, [], "pages complained");
  }
}

/** What failed, the first one first. */
function unfolded(error: unknown): unknown[] {
  return error instanceof SuppressedError ? [...unfolded(error.suppressed), ...unfolded(error.error)] : [error];
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
