/** Looks at a page with axe, which knows the rules of accessibility: what screen readers, keyboards and eyes need. */

import axe from "axe-core";
import type { Page } from "playwright-core";

/** The parts of axe's answer that are told. */
interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary?: string }[];
}

/** The rules that depend on colours: of all others a page fulfils the same in light and in dark. */
const COLOUR_RULES: readonly string[] = axe.getRules(["cat.color"])
  // What is beyond AA is off by default as well.
  .filter(({ tags }) => !tags.includes("wcag2aaa")).map(({ ruleId }) => ruleId);

/** Stops all transitions, by a sheet that the content policy of the page has nothing against. */
const STILL = `{
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("*, *::before, *::after { transition-property: none !important }");
  document.adoptedStyleSheets.push(sheet);
}`;

/**
 * What is wrong with `page` as it is now, a line for each element; nothing that axe can be sure of is left out. `what`
 * says which view it is. The page is light, and looked at by all rules. Then it is dark for a moment, and looked at by
 * those of colours.
 */
export async function axeViolations(page: Page, what: string): Promise<string[]> {
  // Evaluated by the browser's own tools: the content policy of the page lets no such script in.
  if (!await page.evaluate("typeof axe === 'object'")) {
    await page.evaluate(axe.source);
    // Else an element has the colours of before until its transition, however short, has had its frames.
    await page.evaluate(STILL);
  }
  const light = await violations(page, `${what}, light`, {});
  await page.emulateMedia({ colorScheme: "dark" });
  // What draws with colours of its own is told before the next frame.
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => done()))");
  const dark = await violations(page, `${what}, dark`, { runOnly: COLOUR_RULES });
  await page.emulateMedia({ colorScheme: "light" });
  return [...light, ...dark];
}

async function violations(page: Page, what: string, options: Readonly<Record<string, unknown>>): Promise<string[]> {
  // No rule that runs asks for the style sheets, and axe would read all of them each time.
  const usual = { resultTypes: ["violations"], preload: { assets: ["media"] } };
  const run = `axe.run(document, ${JSON.stringify({ ...usual, ...options })})`;
  const found = await page.evaluate(`${run}.then(({ violations }) => violations)`) as readonly Violation[];
  return found.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary = "" }) => {
      const why = failureSummary.replace(/^.*\n/, "").replace(/\s+/g, " ").trim();
      return `${what}: ${id} (${help}) at ${target.join(" ")}: ${why}`;
    })
  );
}
