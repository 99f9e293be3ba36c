// WCAG 2.2 AA, as far as a program can tell, on every page and in both themes.
import { violations } from "../harness/accessibility.ts";
import { alive, expect, test } from "../harness/test.ts";

const PATHS = [
  "/queues",
  "/wall",
  "/wall?theme=light",
  "/queues?theme=light",
  "/queues?theme=dark",
  "/agents?theme=light",
  "/agents?theme=dark",
];

for (const path of PATHS) {
  test(`${path} has no violations`, async ({ page }) => {
    await page.goto(path);
    await alive(page);
    expect(await violations(page)).toEqual([]);
  });
}

test("the page of all looks has no violations", async ({ page }) => {
  await page.goto("/style");
  await expect(page.getByRole("heading", { name: "Components" })).toBeVisible();
  // It shows whole pages side by side, so each landmark is there many times.
  expect(await violations(page, ["landmark-unique"])).toEqual([]);
});

test("a page about a problem has no violations", async ({ page, troubles }) => {
  troubles.announce(/404/);
  await page.goto("/nothing-here");
  expect(await violations(page)).toEqual([]);
});
