// The accessibility audit of a page as it stands.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "@playwright/test";
import type { AxeResults } from "axe-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** One line per violation of WCAG 2.2 AA on `page`, none when all is well. `except` names rules that do not apply. */
export async function violations(page: Page, except: string[] = []): Promise<string[]> {
  // Not by a script tag: our own content security policy would rightly refuse it.
  await page.evaluate(AXE);
  const results = await page.evaluate(
    (): Promise<AxeResults> =>
      (globalThis as unknown as { axe: typeof import("axe-core") }).axe.run({
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
      }),
  );
  const counted = results.violations.filter((violation) => !except.includes(violation.id));
  return counted.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${violation.help}: ${node.target.join(" ")}`),
  );
}
