/** The client page in a browser, and what a test does with it; servers with a gateway, and somebody over TCP. */

import { assertEquals } from "@std/assert";
import type { Locator, Page } from "playwright-core";
import { type Browser, NO_BROWSER, type PageOptions } from "../support/browser.ts";
import { LineClient } from "../support/line_client.ts";
import { type Program, startServer } from "../support/program.ts";

if (NO_BROWSER !== undefined) console.log(`SKIPPED: the client page in a browser, as ${NO_BROWSER}`);

// What functions find that run in the page and not here.
declare const document: EventTarget;
declare function requestAnimationFrame(draw: (now: number) => void): number;

export const SECRET = "of-the-user";
/** Of the gateways. */
export const TOKEN = "a-token-for-the-tests-of-the-page";
/** Short, so that silence is noticed within a test. */
const HEARTBEATS = ["--idle", "2", "--interval", "0.5", "--heartbeats", "2"];

export interface RunningServer {
  readonly program: Program;
  readonly port: number;
  readonly gateway: string;
  /** What starts it again as it was. */
  readonly args: readonly string[];
}

export interface Started extends RunningServer, AsyncDisposable {
  /** Kills it, and waits until it is gone. */
  end(): Promise<void>;
  /** Starts it again, at the same ports. */
  again(): Promise<Started>;
}

/** A server with a gateway. */
export async function startOne(...args: readonly string[]): Promise<Started> {
  return await start(["--port", "0", "--http", "0", ...args]);
}

async function start(args: readonly string[]): Promise<Started> {
  const env = { THRUM_SECRET: "of-the-network", THRUM_HTTP_TOKEN: TOKEN };
  const program = startServer(["--no-prompt", ...HEARTBEATS, ...args], { env });
  const [, port] = await program.sees(/listening on 127\.0\.0\.1:(\d+)/);
  const [, gateway] = await program.sees(/dashboard\s+http:\/\/([^/\s]+)/);
  return {
    program,
    port: Number(port),
    gateway: gateway!,
    args,
    async end() {
      program.signal("SIGKILL");
      await program.ended();
    },
    again: () => start(["--port", port!, "--http", gateway!, ...args.slice(4)]),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

export async function open(
  browser: Browser,
  server: RunningServer,
  options: PageOptions = {},
  expected?: RegExp,
): Promise<Page> {
  return await browser.open(
    `http://${server.gateway}/client`,
    { viewport: { width: 1280, height: 800 }, ...options },
    expected,
  );
}

/** Somebody over TCP. */
export async function registered({ port }: RunningServer, username: string): Promise<LineClient> {
  const client = await LineClient.connect(port);
  client.send({ command: "REGISTER", username, secret: SECRET });
  await client.next("REGISTER_SUCCESS");
  // Without "resume" it is not moved to another server in the middle of a test, and after three redirects not
  // at the login either.
  const features = ["ack", "chat"];
  client.send({ command: "LOGIN", username, secret: SECRET, features, redirects: 3 });
  await client.next("LOGIN_SUCCESS");
  return client;
}

/** Comes in, in the page. */
export async function register(page: Page, username: string): Promise<void> {
  await page.getByLabel("Name", { exact: true }).fill(username);
  await page.getByLabel("Password", { exact: true }).fill(SECRET);
  await page.getByRole("button", { name: "Register this name" }).click();
  await isState(page, "live");
}

export async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message").fill(text);
  await page.getByLabel("Message").press("Enter");
}

/** What is written in the badge. */
export async function isState(page: Page, state: string): Promise<void> {
  await page.locator(`#state:text-is("${state}")`).waitFor();
}

/** Lets the page believe that nobody sees it, until the function is called that it gives. */
export async function hide(page: Page): Promise<() => Promise<void>> {
  await page.evaluate(() => {
    const frames = requestAnimationFrame;
    const waiting: ((now: number) => void)[] = [];
    let isHidden = true;
    Object.defineProperty(document, "visibilityState", { get: () => isHidden ? "hidden" : "visible" });
    // A page in the background gets its frames when it is seen again.
    Object.assign(globalThis, {
      requestAnimationFrame: (draw: (now: number) => void) => isHidden ? waiting.push(draw) : frames(draw),
      look: () => {
        isHidden = false;
        for (const draw of waiting.splice(0)) frames(draw);
        document.dispatchEvent(new Event("visibilitychange"));
      },
    });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  return () => page.evaluate(() => (globalThis as unknown as { look(): void }).look());
}

/** A row of what was said. */
export function row(page: Page, text: string): Locator {
  return page.locator("#rows .row", { has: page.locator(`.row-text:text-is(${JSON.stringify(text)})`) });
}

/** All that was said, in order. */
export function said(page: Page): Promise<string[]> {
  return page.locator("#rows .row-text").allTextContents();
}

export function numbered(what: string): string[] {
  return Array.from({ length: 5 }, (_, n) => `${what} ${n + 1}`);
}

export async function openConsole(page: Page): Promise<void> {
  const toggle = page.locator("#console-toggle");
  if (await toggle.getAttribute("aria-expanded") === "false") await toggle.click();
}

export async function writeLine(page: Page, text: string): Promise<void> {
  await page.getByLabel("A line to the server").fill(text);
  await page.getByLabel("A line to the server").press("Enter");
}

/** A line of the protocol in the page. */
export function line(page: Page, direction: "in" | "out", text: string): Locator {
  return page.locator(`#log li[data-direction="${direction}"]`, { hasText: text });
}

export async function waitForCount(what: Locator, count: number): Promise<void> {
  if (count > 0) await what.nth(count - 1).waitFor();
  await what.nth(count).waitFor({ state: "detached" });
}

export async function assertHarmless(page: Page): Promise<void> {
  assertEquals(await page.evaluate(() => (globalThis as { hacked?: unknown }).hacked), undefined);
  assertEquals(await page.locator("img, iframe, object, body script, [onerror], [onload]").count(), 0);
}

/** Words of controls and headings that are cut: their elements are narrower than what is in them. */
export function cutOff(page: Page): Promise<string[]> {
  return page.locator("button, h1, h2, h3, label, .badge, .facts dd, .backups span").evaluateAll((nodes) =>
    nodes.filter((node) => node.clientWidth > 1 && node.scrollWidth > node.clientWidth + 1).map((node) =>
      node.textContent ?? ""
    )
  );
}
