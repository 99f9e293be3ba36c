// From a bad interval to its calls, to one of them and back.
import { violations } from "../harness/accessibility.ts";
import { expect, test } from "../harness/test.ts";

test("leads from an interval to its calls and back, by mouse", async ({ page }) => {
  await page.goto("/reports?range=last_7_days");
  await expect(page.getByRole("heading", { name: "Report of queues" })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.goto("/reports?range=last_7_days&interval=15min");
  // The first quarter with answers: it is over, so that its count stays.
  const table = page.getByRole("group", { name: /^All queues, by/ });
  const answered = table.locator("tbody [data-column=answered] a").first();
  const count = await answered.textContent();
  await answered.click();
  await expect(page.getByRole("heading", { name: new RegExp(`^${count} visits?$`) })).toBeVisible();
  await page.getByRole("rowheader").first().getByRole("link").click();
  await expect(page.getByRole("heading", { name: "One call" })).toBeVisible();
  await page.goBack();
  await page.goBack();
  await expect(page).toHaveURL("/reports?range=last_7_days&interval=15min");
});

test("leads from a heading to its definition, by keyboard", async ({ page }) => {
  await page.goto("/reports?range=last_7_days");
  await page.getByRole("columnheader", { name: "Service level" }).first().getByRole("link").focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL("/definitions#service-level");
  await expect(page.getByRole("heading", { name: "Service level" })).toBeInViewport();
  expect(await violations(page)).toEqual([]);
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("everything can be asked for", async ({ page }) => {
    await page.goto("/reports");
    await page.getByText("Time, queues and interval").click();
    await page.getByLabel("Interval").selectOption("30 minutes");
    await page.getByRole("checkbox").first().check();
    await page.getByRole("button", { name: "Show" }).click();
    await expect(page).toHaveURL(/from=.*to=.*interval=30min.*queue=/);
    await expect(page.getByRole("heading", { name: "Report of queues" })).toBeVisible();
  });
});
