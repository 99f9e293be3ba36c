// The board of all queues: sorted, searched and paused by mouse, keyboard and address.
import { alive, expect, test } from "../harness/test.ts";

test("opens and comes to life", async ({ page }) => {
  const response = await page.goto("/queues");
  expect(response?.status()).toBe(200);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await alive(page);
});

test("says that there is more to the right where there is, and not at its end", async ({ page }) => {
  const hint = page.getByText("More columns to the right");
  await page.setViewportSize({ width: 1280, height: 720 });
  await page.goto("/queues");
  await expect(hint).toBeVisible();
  await page.locator(".scroller").evaluate((table) => table.scrollTo(table.scrollWidth, 0));
  await expect(hint).toBeHidden();
  await page.setViewportSize({ width: 1920, height: 1080 });
  await expect(hint).toBeHidden();
});

test("finds a queue while its name is typed", async ({ page }) => {
  await page.goto("/queues");
  await alive(page);
  const rows = page.locator("tbody tr");
  await expect(rows).not.toHaveCount(1);
  const name = (await rows.first().locator(".row-name").getAttribute("title")) ?? "";
  await page.getByLabel("Find a queue").fill(name);
  await expect(rows).toHaveCount(1);
  await page.getByLabel("Find a queue").fill("no such queue");
  await expect(page.getByText("No queue’s name or extension contains")).toBeVisible();
});

test("everything is done with the keyboard alone", async ({ page }) => {
  await page.goto("/queues");
  await alive(page);
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the queues" })).toBeFocused();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await expect(page.locator("tbody a.row-name").first()).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.locator("tbody a.row-name").nth(1), "one stop in a row").toBeFocused();
  await page.goto("/queues");
  await alive(page);
  const heading = page.getByRole("columnheader", { name: "Offered" }).getByRole("link");
  for (let presses = 0; presses < 40; presses += 1) {
    if (await heading.evaluate((link) => link === document.activeElement)) break;
    await page.keyboard.press("Tab");
    const outline = await page.evaluate(() => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement ?? document.body);
      return outlineStyle !== "none" && outlineWidth !== "0px" ? "outlined" : boxShadow;
    });
    expect(outline, "what has the focus shows it").not.toBe("none");
  }
  await expect(heading).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/sort=/);
  await expect(page.locator("th[data-column=offered]")).toHaveAttribute("aria-sort", /ascending|descending/);
  await alive(page);
  await page.keyboard.press("p");
  await expect(page.getByRole("button", { name: "Resume updates" })).toBeVisible();
  await page.keyboard.press("p");
  await expect(page.getByRole("button", { name: "Pause updates" })).toBeVisible();
});

test("paused numbers stand still until they are let go", async ({ page }) => {
  await page.goto("/queues");
  await alive(page);
  await page.getByRole("button", { name: "Pause updates" }).click();
  const numbers = page.locator("tbody .number");
  const before = await numbers.allInnerTexts();
  // The clock goes on: that is how the reader knows that the page lives.
  const clock = page.locator(".clock").first();
  const then = await clock.innerText();
  await expect(clock).not.toHaveText(then);
  expect(await numbers.allInnerTexts()).toEqual(before);
  await page.getByRole("button", { name: "Resume updates" }).click();
  await expect.poll(() => numbers.allInnerTexts(), { timeout: 30_000 }).not.toEqual(before);
});

test("an address it cannot read is refused with reasons", async ({ page, troubles }) => {
  troubles.announce(/400/);
  const response = await page.goto("/queues?sort=beauty");
  expect(response?.status()).toBe(400);
  await expect(page.getByRole("main")).toContainText("sort");
});

test("a number opens what stands behind it", async ({ page }) => {
  await page.goto("/queues");
  await alive(page);
  await page.locator("tbody tr").first().locator("td[data-column=waiting] a.number").click();
  await expect(page).toHaveURL(/\/queues\/.+#waiting$/);
  await expect(page.getByRole("heading", { name: /^Waiting now: \d+\+?$/ })).toBeVisible();
  await expect(page.getByRole("heading", { name: /^Abandoned today/ })).toBeVisible();
  await expect(page.locator("tr[data-definition]")).toHaveCount(5);
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("says the same, sorts and finds", async ({ page }) => {
    const response = await page.goto("/queues");
    expect(response?.status()).toBe(200);
    const rows = page.locator("tbody tr");
    await expect(rows).not.toHaveCount(0);
    await page.getByRole("columnheader", { name: "Offered" }).getByRole("link").click();
    await expect(page).toHaveURL(/sort=/);
    const name = (await rows.first().locator(".row-name").getAttribute("title")) ?? "";
    await page.getByLabel("Find a queue").fill(name);
    await page.getByRole("button", { name: "Find" }).click();
    await expect(rows).toHaveCount(1);
  });
});
