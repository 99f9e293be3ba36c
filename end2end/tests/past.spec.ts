// The time machine in a browser: an instant stands still, steps and the slider lead to others, it runs.
import { setTimeout as pause } from "node:timers/promises";
import { violations } from "../harness/accessibility.ts";
import { expect as impatient, test } from "../harness/test.ts";

// An unoptimised server on a busy machine may need several turns for the way to an instant; the page says so and
// loads itself again.
const expect = impatient.configure({ timeout: 90_000 });
test.describe.configure({ timeout: 300_000 });
test.beforeEach(({ troubles }) => troubles.announce(/503/));

/** The instant a page of the past was asked for. */
const instant = (address: string) => Date.parse(new URL(address).searchParams.get("at") ?? "");

test("an instant stands still and says that it is the past", async ({ page }) => {
  await page.goto("/wall?at=-2s");
  await expect(page.locator("html")).toHaveAttribute("data-live", "yes");
  await expect(page.getByRole("region", { name: "The past" })).toContainText("The past");
  expect(page.url()).toMatch(/at=\d{4}-\d\d-\d\dT\d\d%3A\d\d%3A\d\dZ$/);
  const clock = page.locator(".clock time");
  const shown = await clock.textContent();
  const board = await page.locator("tbody").innerText();
  // Two seconds of a live board would have changed its clock.
  await page.waitForFunction((since) => performance.now() - since > 2_500, await page.evaluate(() => performance.now()));
  expect(await clock.textContent()).toBe(shown);
  expect(await page.locator("tbody").innerText()).toBe(board);
  expect(await violations(page)).toEqual([]);
  await page.getByRole("link", { name: "Back to now" }).click();
  await expect(page).toHaveURL(/\/wall$/);
  await expect(page.getByRole("region", { name: "The past" })).toBeHidden();
});

test("steps, the slider and links keep to the past", async ({ page }) => {
  await page.goto("/queues?at=-8s&sort=-offered");
  const asked = instant(page.url());
  await page.getByRole("link", { name: "Play at 1 times the speed" }).click();
  await expect(page).toHaveURL(/speed=1/);
  await page.getByRole("link", { name: "Pause" }).click();
  await expect(page).not.toHaveURL(/speed=/);
  // What is shown of an instant was published up to a second before it.
  expect(instant(page.url()), "paused where it was").toBeGreaterThan(asked - 1_500);
  await page.getByRole("link", { name: "Offered" }).click();
  await expect(page).toHaveURL(/at=/);
  await page.locator("tbody a.row-name").first().click();
  await expect(page).toHaveURL(/\/queues\/.+at=/);
  await expect(page.getByRole("region", { name: "The past" })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  // Let go at the end of the slider: the latest minute there is.
  await page.goto(page.url());
  await page.getByLabel("Minute of the day").focus();
  await page.keyboard.press("End");
  await expect(page).toHaveURL(/at=/);
  await expect(page.getByRole("region", { name: "The past" })).toBeVisible();
});

test("the slider says where it stands, and keys lead on once they rest", async ({ page }) => {
  await page.goto("/queues?at=-2s");
  await expect(page.locator("html")).toHaveAttribute("data-live", "yes");
  const slider = page.getByLabel("Minute of the day");
  const stands = page.locator(".past output");
  const before = await stands.textContent();
  const loads: string[] = [];
  page.on("framenavigated", (frame) => loads.push(frame.url()));
  // This server has hardly a minute on record.
  await slider.evaluate((range: HTMLInputElement) => (range.min = "0"));
  await slider.focus();
  for (let key = 0; key < 3; key++) await page.keyboard.press("ArrowLeft");
  await expect(stands).not.toHaveText(before ?? "");
  await expect(slider).toHaveAttribute("aria-valuetext", (await stands.textContent()) ?? "");
  await expect(page).toHaveURL(/at=.+#minute$/);
  await expect(slider).toBeFocused();
  expect(loads.length, "three keys, one way").toBe(1);
});

test("links of a board of the past stay there, and steps beyond now lead nowhere", async ({ page }) => {
  await page.goto("/wall?at=-2s");
  const at = new URL(page.url()).searchParams.get("at");
  await expect(page.getByRole("link", { name: "+1 h" })).toHaveAttribute("aria-disabled", "true");
  await expect(page.getByText("There is no later board than that of now")).toBeVisible();
  await page.getByRole("link", { name: "All numbers" }).click();
  await expect(page).toHaveURL(/\/queues\?at=/);
  expect(instant(page.url())).toBe(Date.parse(at ?? ""));
  await page.getByRole("link", { name: "Wall", exact: true }).click();
  await expect(page).toHaveURL(/\/wall\?at=/);
  await expect(page.getByRole("region", { name: "The past" })).toBeVisible();
});

test("it runs, by the same stream as the live board", async ({ page }) => {
  await page.goto("/wall?at=-5s&speed=1");
  const now = () => page.locator("[data-now]").getAttribute("data-now").then(Number);
  const began = await now();
  await expect.poll(now, { timeout: 10_000 }).toBeGreaterThan(began + 2_000);
  // The slider goes along, from wherever it stood.
  const slider = page.getByLabel("Minute of the day");
  const minute = await slider.evaluate((range: HTMLInputElement) => {
    [range.min, range.value] = ["0", "0"];
    return Math.floor((Number(document.querySelector<HTMLElement>("[data-now]")?.dataset.now) - Number(range.dataset.scrub)) / 60_000);
  });
  await expect.poll(async () => Number(await slider.inputValue())).toBeGreaterThanOrEqual(Math.min(minute, 1));
  await expect.poll(async () => Number(await slider.inputValue()) - minute).toBeLessThanOrEqual(1);
});

test("what has caught up with now is not called the past", async ({ page }) => {
  await page.goto("/wall?at=-5s&speed=60");
  await expect(page).toHaveURL(/\/wall$/, { timeout: 20_000 });
  await expect(page.getByRole("region", { name: "The past" })).toBeHidden();
});

test("a page that was long on its way notices as well that it has caught up", async ({ page }) => {
  await page.route(/\/wall\?/, async (route) => {
    // A server that has much to do: the page is made three seconds after it was asked for.
    await pause(3_000);
    await route.continue();
  });
  await page.goto("/wall?at=-5s&speed=60");
  await expect(page).toHaveURL(/\/wall$/, { timeout: 20_000 });
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("links and the form lead through the past", async ({ page }) => {
    await page.goto("/queues?at=-2s");
    await expect(page.getByRole("region", { name: "The past" })).toBeVisible();
    await page.getByLabel("Minute of the day").press("End");
    await page.getByRole("button", { name: "Go" }).click();
    await expect(page).toHaveURL(/\/queues\?at=/);
    await expect(page.getByRole("region", { name: "The past" })).toBeVisible();
  });
});

test("what was not kept is said, with a way on", async ({ page, troubles }) => {
  troubles.announce(/404/);
  const answer = await page.goto("/wall?at=2001-01-01T00:00:00Z");
  expect(answer?.status()).toBe(404);
  await expect(page.getByText("Nothing was kept of that time")).toBeVisible();
  await expect(page.getByRole("link", { name: "The earliest instant on record" })).toHaveAttribute("href", /\/wall\?at=/);
  await page.getByRole("link", { name: "The board as it is now" }).click();
  await expect(page).toHaveURL(/\/wall$/);
});
