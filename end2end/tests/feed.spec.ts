// The page about the feed, and what every board says when the feed is cut.
import { violations } from "../harness/accessibility.ts";
import { alive, expect, test } from "../harness/test.ts";

test("says how the feed is and has no violations", async ({ page }) => {
  await page.goto("/feed");
  await expect(page.getByRole("heading", { name: "Feed", exact: true })).toBeVisible();
  await expect(page.getByText("Callboard hears Zoom")).toBeVisible();
  await page.getByText("Show all").click();
  await expect(page.getByRole("rowheader", { name: "Callee ringing phone.callee_ringing" })).toBeVisible();
  expect(await violations(page)).toEqual([]);
});

test("a cut feed is told within two seconds, comes back by itself and is repaired", async ({ page, context }) => {
  test.setTimeout(360_000);
  const wall = await context.newPage();
  await wall.goto("/wall");
  await alive(wall);
  const lost = wall.getByText("Callboard has lost the Zoom feed", { exact: true });
  await page.goto("/feed");
  await page.getByRole("button", { name: "Cut the feed for 90 s" }).click();
  await expect(page.getByRole("button", { name: "The feed is cut" })).toBeDisabled();
  await expect(lost).toBeVisible({ timeout: 2_000 });
  // Figures and rows say the same: nobody knows who waits now.
  await expect(wall.locator("[data-figure=waiting] .number")).toHaveText("—");
  await expect(wall.locator("tbody td[data-column=waiting] .number").first()).toHaveText("—");
  await expect(wall.getByText(/incomplete since \d\d:\d\d:\d\d/)).toBeVisible({ timeout: 2_000 });
  // The page loads itself again every ten seconds.
  await expect(page.getByText("Callboard has not heard Zoom since")).toBeVisible({ timeout: 25_000 });
  await expect(lost).toBeHidden({ timeout: 160_000 });
  await expect(wall.getByText(/incomplete \d\d:\d\d–\d\d:\d\d/)).toBeVisible();
  // Zoom's record of the missed calls is read a minute and a half after the gap.
  await expect(wall.getByText(/incomplete/)).toBeHidden({ timeout: 140_000 });
  await expect(page.getByText("Callboard hears Zoom")).toBeVisible({ timeout: 25_000 });
});
