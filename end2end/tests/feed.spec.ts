// The page about the feed, and what every board says when the feed is cut.
import { violations } from "../harness/accessibility.ts";
import { alive, expect, test } from "../harness/test.ts";

test("says how the feed is and has no violations", async ({ page }) => {
  await page.goto("/feed");
  await expect(page.getByRole("heading", { name: "Feed", exact: true })).toBeVisible();
  await expect(page.getByText("Callboard hears Zoom")).toBeVisible();
  await expect(page.getByRole("rowheader", { name: "phone.callee_ringing" })).toBeVisible();
  expect(await violations(page)).toEqual([]);
});

test("a feed that is cut is told within two seconds and comes back by itself", async ({ page, context }) => {
  test.setTimeout(180_000);
  const wall = await context.newPage();
  await wall.goto("/wall");
  await alive(wall);
  await page.goto("/feed");
  await page.getByRole("button", { name: "Cut the feed for 90 s" }).click();
  await expect(wall.getByText("Callboard has lost the Zoom feed")).toBeVisible({ timeout: 2_000 });
  await expect(wall.getByText(/incomplete since \d\d:\d\d:\d\d/)).toBeVisible({ timeout: 2_000 });
  await expect(page.getByText("Callboard has not heard Zoom since")).toBeVisible();
  // Back-off is at most a minute once the pretend Zoom answers again.
  await expect(wall.getByText("Callboard has lost the Zoom feed")).toBeHidden({ timeout: 160_000 });
  await expect(wall.getByText(/incomplete \d\d:\d\d–\d\d:\d\d/)).toBeVisible();
});
