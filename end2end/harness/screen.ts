// The screens we promise to look good on.
import type { Page, TestInfo } from "@playwright/test";

export const SCREENS = {
  wall: { width: 1920, height: 1080 },
  bigWall: { width: 3840, height: 2160 },
  laptop: { width: 1280, height: 720 },
  phone: { width: 390, height: 844 },
} as const;

export type Screen = keyof typeof SCREENS;

/** Takes a picture for people to look at; it is kept in test-results/ and attached to the report. */
export async function picture(
  page: Page,
  test: TestInfo,
  name: string,
  { screen, scheme }: { screen: Screen; scheme: "dark" | "light" },
): Promise<Buffer> {
  await page.setViewportSize(SCREENS[screen]);
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
  const file = `${name}-${screen}-${scheme}.png`;
  const bytes = await page.screenshot({ path: test.outputPath(file), animations: "disabled", caret: "hide" });
  await test.attach(file, { body: bytes, contentType: "image/png" });
  return bytes;
}

/** Pixels that stick out to the right: more than none means the page scrolls sideways. */
export async function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/** Texts that do not fit their place and are cut off. */
export async function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>("h1, dt, dd, .figure-note span, td, th, .row-name, .link")]
      .filter((part) => part.checkVisibility() && part.scrollWidth > part.clientWidth + 1 && part.clientWidth > 0)
      .filter((part) => getComputedStyle(part).overflowX !== "visible")
      .map((part) => part.innerText.trim())
      .filter((text) => text !== ""),
  );
}
