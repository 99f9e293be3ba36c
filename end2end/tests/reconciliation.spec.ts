// The page that holds the board against Zoom's record.
import { violations } from "../harness/accessibility.ts";
import { expect, test } from "../harness/test.ts";

test("says how board and record agree, and has no violations", async ({ page }) => {
  await page.goto("/reconciliation");
  await expect(page.getByRole("heading", { name: "Reconciliation", exact: true })).toBeVisible();
  await expect(page.getByText("Unexplained differences: 0")).toBeVisible();
  await expect(page.getByRole("link", { name: "Reconciliation" })).toHaveAttribute("aria-current", "page");
  expect(await violations(page)).toEqual([]);
});
