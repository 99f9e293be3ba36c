// The board of all queues.
import { alive, expect, test } from "../harness/test.ts";

test("opens and comes to life", async ({ page }) => {
  const response = await page.goto("/queues");
  expect(response?.status()).toBe(200);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await alive(page);
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("says the same", async ({ page }) => {
    const response = await page.goto("/queues");
    expect(response?.status()).toBe(200);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  });
});
