// From the list of calls to one call's journey and back.
import { violations } from "../harness/accessibility.ts";
import { expect, test } from "../harness/test.ts";

test("leads from the list to a call and back, by mouse", async ({ page }) => {
  await page.goto("/calls?outcome=answered&outcome=abandoned");
  await expect(page.getByRole("heading", { name: "Visits to queues" })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  const first = page.getByRole("rowheader").first().getByRole("link");
  await first.click();
  await expect(page.getByRole("heading", { name: "One call" })).toBeVisible();
  await expect(page.getByRole("img").first()).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.goBack();
  await expect(page).toHaveURL(/outcome=answered&outcome=abandoned/);
  await expect(page.getByRole("heading", { name: "Visits to queues" })).toBeVisible();
});

test("filters, sorts and opens a call by keyboard", async ({ page }) => {
  await page.goto("/calls");
  await page.getByText("Filter", { exact: true }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("checkbox", { name: "answered", exact: true }).focus();
  await page.keyboard.press("Space");
  expect(await violations(page)).toEqual([]);
  await page.getByRole("button", { name: "Show" }).focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL("/calls?outcome=answered");
  await page.getByRole("link", { name: "Waited" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("columnheader", { name: "Waited" })).toHaveAttribute("aria-sort", "descending");
  await page.getByRole("rowheader").first().getByRole("link").focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "One call" })).toBeVisible();
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("everything is there", async ({ page }) => {
    await page.goto("/calls?outcome=answered");
    await page.getByRole("rowheader").first().getByRole("link").click();
    await expect(page.getByRole("heading", { name: "One call" })).toBeVisible();
    await page.getByText("The same as a table").click();
    await expect(page.getByRole("columnheader", { name: "Lasted" })).toBeVisible();
    await page.getByRole("link", { name: "All calls" }).click();
    await expect(page).toHaveURL("/calls");
    await expect(page.getByRole("heading", { name: "Calls", exact: true })).toBeVisible();
  });
});
