// Everything a browser complains about while a test runs; what the test did not announce fails it.
import type { BrowserContext, Page } from "@playwright/test";

export class Troubles {
  readonly #seen: string[] = [];
  readonly #announced: RegExp[] = [];

  /** Announces a complaint that belongs to the test, such as a connection lost on purpose. */
  announce(pattern: RegExp): void {
    this.#announced.push(pattern);
  }

  watch(context: BrowserContext): void {
    context.on("page", (page) => this.#watchPage(page));
    // Blocked by the content security policy: Chromium also logs these as errors, except in report-only mode.
    context.on("console", (message) => {
      if (message.type() === "error" || /content security policy/i.test(message.text())) {
        this.#seen.push(`console: ${message.text()} (${message.location().url})`);
      }
    });
    context.on("weberror", (error) => this.#seen.push(`exception: ${error.error().stack ?? error.error().message}`));
  }

  /** What nobody announced. */
  get unexpected(): string[] {
    return this.#seen.filter((trouble) => !this.#announced.some((pattern) => pattern.test(trouble)));
  }

  #watchPage(page: Page): void {
    page.on("crash", () => this.#seen.push("the page crashed"));
    page.on("response", (response) => {
      if (response.status() >= 500) this.#seen.push(`status ${response.status()} for ${response.url()}`);
    });
  }
}
