/** Looks at a page with axe, which knows the rules of accessibility: what screen readers, keyboards and eyes need. */

import axe from "axe-core";
import type { Page } from "playwright-core";

/** The parts of axe's answer that are told. */
interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary?: string }[];
}

/**
 * What is wrong with `page` as it is now, a line for each element; nothing that axe can be sure of is left out. `what`
 * says which view it is.
 */
export async function axeViolations(page: Page, what: string): Promise<string[]> {
  // Evaluated by the browser's own tools: the content policy of the page lets no such script in.
  await page.evaluate(`if (!window.axe) { ${axe.source} }`);
  const found = await page.evaluate(`axe.run(document, { resultTypes: ["violations"] })`) as {
    readonly violations: readonly Violation[];
  };
  return found.violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary = "" }) => {
      const why = failureSummary.replace(/^.*\n/, "").replace(/\s+/g, " ").trim();
      return `${what}: ${id} (${help}) at ${target.join(" ")}: ${why}`;
    })
  );
}
