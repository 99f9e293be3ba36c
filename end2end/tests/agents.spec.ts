// The page of agents: who can help, found, sorted and paused by mouse, keyboard and address.
import { alive, expect, test } from "../harness/test.ts";
import { overflow, picture } from "../harness/screen.ts";

const STATES = [
  "available", "ringing", "on_queue_call", "on_other_call", "on_hold",
  "wrap_up", "opted_out", "do_not_disturb", "offline", "unknown",
];

test("is one click away and comes to life with everybody", async ({ page }) => {
  await page.goto("/queues");
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Agents" }).click();
  await expect(page).toHaveURL(/\/agents$/);
  await expect(page.getByRole("heading", { level: 1, name: "Agents" })).toBeVisible();
  await alive(page);
  const rows = page.locator("tbody tr");
  await expect(rows).not.toHaveCount(0);
  for (const state of await rows.evaluateAll((rows) => rows.map((row) => row.getAttribute("data-state")))) {
    expect(STATES).toContain(state);
  }
});

test("states change by themselves", async ({ page }) => {
  await page.goto("/agents");
  await alive(page);
  const rows = page.locator("tbody tr");
  await expect(rows).not.toHaveCount(0);
  const states = () =>
    rows.evaluateAll((rows) =>
      rows.map((row) => `${row.getAttribute("data-agent")} ${row.getAttribute("data-state")}`).sort(),
    );
  const before = await states();
  await expect.poll(states, { timeout: 60_000 }).not.toEqual(before);
  // Somebody talks in a demo, and for how long is told by the second.
  const talking = page.locator('tbody tr[data-state="on_queue_call"] td[data-column="time"]').first();
  await expect(talking).toHaveText(/\d+:\d\d/, { timeout: 60_000 });
});

test("sums are those of the rows, of all queues and of one", async ({ page }) => {
  await page.goto("/agents");
  await alive(page);
  await page.getByRole("button", { name: "Pause updates" }).click();
  const agree = async () => {
    const available = await page.locator('tbody tr[data-state="available"]').count();
    await expect(page.locator('[data-figure="available"] .number')).toHaveText(String(available));
    const rows = await page.locator("tbody tr").count();
    await expect(page.locator('[data-figure="available"] .figure-note > :last-child')).toHaveText(`of ${rows}`);
  };
  await agree();
  const all = await page.locator("tbody tr").count();
  await page.getByRole("navigation", { name: "Agents of one queue" }).getByRole("link").nth(1).click();
  await expect(page).toHaveURL(/queue=/);
  await alive(page);
  await page.getByRole("button", { name: "Pause updates" }).click();
  expect(await page.locator("tbody tr").count()).toBeLessThan(all);
  await agree();
});

test("finds an agent while the name is typed, and says when there is none", async ({ page }) => {
  await page.goto("/agents");
  await alive(page);
  const rows = page.locator("tbody tr");
  await expect(rows).not.toHaveCount(1);
  const name = await rows.first().getByRole("rowheader").innerText();
  await page.getByLabel("Find an agent").fill(name);
  await expect(rows).toHaveCount(1);
  await page.getByLabel("Find an agent").fill("nobody of that name");
  await expect(page.getByText("No agent to show.")).toBeVisible();
});

test("an address it cannot read is refused with reasons", async ({ page, troubles }) => {
  troubles.announce(/400/);
  const response = await page.goto("/agents?sort=beauty");
  expect(response?.status()).toBe(400);
  await expect(page.getByRole("main")).toContainText("sort");
});

test("fits a desk and a phone", async ({ page }, info) => {
  await page.goto("/agents");
  await alive(page);
  await picture(page, info, "agents", { screen: "wall", scheme: "dark" });
  expect(await overflow(page)).toBe(0);
  await picture(page, info, "agents", { screen: "phone", scheme: "light" });
  expect(await overflow(page)).toBe(0);
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("says the same, sorts, finds and chooses a queue", async ({ page }) => {
    const response = await page.goto("/agents");
    expect(response?.status()).toBe(200);
    const rows = page.locator("tbody tr");
    await expect(rows).not.toHaveCount(0);
    await page.getByRole("columnheader", { name: "Missed" }).getByRole("link").click();
    await expect(page).toHaveURL(/sort=-missed/);
    await expect(page.locator("th[data-column=missed]")).toHaveAttribute("aria-sort", "descending");
    await page.getByRole("navigation", { name: "Agents of one queue" }).getByRole("link").nth(1).click();
    await expect(page).toHaveURL(/queue=.*sort=-missed/);
    const name = await rows.first().getByRole("rowheader").innerText();
    await page.getByLabel("Find an agent").fill(name);
    await page.getByRole("button", { name: "Find" }).click();
    await expect(rows).toHaveCount(1);
  });
});
