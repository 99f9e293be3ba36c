// `test` with a server behind it and an eye on the browser's complaints: what every spec imports.
import { test as base, expect, type Page } from "@playwright/test";
import { Callboard } from "./callboard.ts";
import { Troubles } from "./troubles.ts";

export { expect };

export const test = base.extend<{ troubles: Troubles }, { callboard: Callboard }>({
  callboard: [
    async ({}, use) => {
      const callboard = await Callboard.start();
      await use(callboard);
      await callboard.remove();
    },
    { scope: "worker", timeout: 90_000 },
  ],

  baseURL: async ({ callboard }, use) => use(callboard.url),

  troubles: [
    async ({ context }, use) => {
      const troubles = new Troubles();
      troubles.watch(context);
      await use(troubles);
      expect(troubles.unexpected, "the browser complained").toEqual([]);
    },
    { auto: true },
  ],
});

/** Waits until the islands of `page` have started. */
export async function alive(page: Page): Promise<void> {
  await expect(page.locator("html")).toHaveAttribute("data-live", "yes");
}
