// The wall: alive without flicker, whole on every screen it is promised for, honest when a link breaks.
import { Callboard } from "../harness/callboard.ts";
import { cutOff, overflow, picture, SCREENS, type Screen } from "../harness/screen.ts";
import { alive, expect, test } from "../harness/test.ts";

test("ticks in place: texts change, no element comes or goes", async ({ page }) => {
  await page.goto("/wall");
  await alive(page);
  const seen = await page.evaluateHandle(() => {
    const counts = { texts: 0, nodes: 0 };
    const observer = new MutationObserver((records) => {
      for (const record of records) {
        if (record.type === "characterData") counts.texts += 1;
        else counts.nodes += record.addedNodes.length + record.removedNodes.length;
      }
    });
    // Rows may change places; what is inside of one may not be made anew.
    for (const part of document.querySelectorAll(".strip, .figures, tbody > tr > *")) {
      observer.observe(part, { characterData: true, childList: true, subtree: true });
    }
    return counts;
  });
  await expect.poll(() => seen.evaluate((counts) => counts.texts), { timeout: 30_000 }).toBeGreaterThan(30);
  expect(await seen.evaluate((counts) => counts.nodes)).toBe(0);
});

test("every queue has a wall of its own", async ({ page }) => {
  await page.goto("/wall");
  const link = page.locator("tbody a.row-name").first();
  const name = await link.getAttribute("title");
  await link.click();
  await expect(page).toHaveURL(/\/wall\/./);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name ?? "a queue");
  await alive(page);
  await expect(page.locator("[data-figure=waiting] .number")).toHaveText(/^\d+$/);
});

test("a queue that does not exist is a page that says so", async ({ page, troubles }) => {
  troubles.announce(/404/);
  const response = await page.goto("/wall/nobody");
  expect(response?.status()).toBe(404);
  await expect(page.getByRole("link").first()).toBeVisible();
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("has every number and says when it was made", async ({ page }) => {
    await page.goto("/wall");
    await expect(page.locator("[data-figure=waiting] .number")).toHaveText(/^\d+$/);
    await expect(page.locator("tbody tr")).not.toHaveCount(0);
    // Not by its text: what stands in noscript counts as no text for Playwright.
    await expect(page.locator("noscript p.still")).toBeVisible();
  });
});

for (const name of ["wall", "wall-of-a-queue", "queues"]) {
  for (const screen of Object.keys(SCREENS) as Screen[]) {
    test(`${name} fits a ${screen}`, async ({ page }, info) => {
      for (const scheme of ["dark", "light"] as const) {
        await page.goto(name === "queues" ? "/queues" : "/wall");
        let path = new URL(page.url()).pathname;
        if (name === "wall-of-a-queue") {
          path = (await page.locator("tbody a.row-name").first().getAttribute("href")) ?? path;
        }
        await page.goto(`${path}?theme=${scheme}`);
        await alive(page);
        await picture(page, info, name, { screen, scheme });
        expect(await overflow(page), `${path} in ${scheme}`).toBe(0);
        expect(await cutOff(page), `cut off in ${path}`).toEqual([]);
      }
    });
  }
}

test.describe("when a link breaks", () => {
  test("a killed server is late, then stale; its return is noticed without anybody's help", async ({ page, troubles }) => {
    test.setTimeout(120_000);
    troubles.announce(/ERR_|Failed to load resource/);
    const own = await Callboard.start();
    try {
      await page.goto(`${own.url}/wall`);
      await alive(page);
      const screen = page.locator(".screen");
      await expect(screen).toHaveAttribute("data-freshness", "live");
      const offered = () => page.locator("tbody td[data-column=offered] .number, tbody .number").allInnerTexts();
      await own.kill();
      await expect(screen).toHaveAttribute("data-freshness", "late", { timeout: 15_000 });
      await expect(page.getByText("reconnecting")).toBeVisible();
      await expect(screen).toHaveAttribute("data-freshness", "stale", { timeout: 25_000 });
      await expect(page.locator(".band")).toContainText("This screen has lost the Callboard server");
      expect((await offered()).length).toBeGreaterThan(0);
      await own.resume();
      await expect(screen).toHaveAttribute("data-freshness", "live", { timeout: 40_000 });
      await expect(page.locator(".band")).toBeHidden();
    } finally {
      await own.remove();
    }
  });

  test("after five minutes the numbers are hidden rather than trusted", async ({ page, troubles }) => {
    test.setTimeout(120_000);
    troubles.announce(/ERR_|Failed to load resource/);
    const own = await Callboard.start();
    try {
      await page.clock.install();
      await page.goto(`${own.url}/wall`);
      await alive(page);
      await own.kill();
      await page.clock.fastForward("06:00");
      await expect(page.locator(".screen")).toHaveAttribute("data-freshness", "blind");
      await expect(page.locator(".band")).toContainText("Numbers are hidden until they are true again");
      await expect(page.locator("[data-figure=waiting] .number")).toBeHidden();
    } finally {
      await own.discard();
    }
  });
});
