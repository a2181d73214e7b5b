import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { until } from "../support/until.ts";

/** The browser of the tests: Debian's, unless CHROMIUM names another one. */
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

export const hasBrowser = existsSync(executablePath);

/** The name of a group of tests, which tells why the group is skipped. */
export function inBrowser(title: string): string {
  return hasBrowser ? title : `${title} (skipped: there is no browser at ${executablePath})`;
}

function launchOptions() {
  // Chromium has no sandbox for root.
  return { executablePath, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] };
}

export interface Person {
  readonly name: string;
  readonly page: Page;
  /** What the page has reported as an error, besides failures of the network. */
  readonly errors: readonly string[];
}

/** People in browsers, each with a profile of their own. */
export class People implements AsyncDisposable {
  readonly #browser: Browser;
  readonly #url: string;

  private constructor(browser: Browser, url: string) {
    this.#browser = browser;
    this.#url = url;
  }

  static async start(url: string): Promise<People> {
    return new People(await chromium.launch(launchOptions()), url);
  }

  /** Opens the page in a profile that a browser keeps in this folder, before any log-in. */
  static async keeping(folder: string, url: string): Promise<AsyncDisposable & { page: Page }> {
    const context = await chromium.launchPersistentContext(folder, launchOptions());
    const page = await context.newPage();
    await page.goto(url);
    return { page, [Symbol.asyncDispose]: () => context.close() };
  }

  /** Opens the page in a new profile, before any log-in. @param path `/cluster` for the cluster */
  async visitor(options: BrowserContextOptions = {}, path = "/"): Promise<Person> {
    const context = await this.#browser.newContext({
      locale: "en-US",
      timezoneId: "UTC",
      reducedMotion: "reduce",
      ...options,
    });
    context.setDefaultTimeout(15_000);
    return this.#open(await context.newPage(), "", path);
  }

  /** Opens the page in a new profile, and logs a person in. */
  async enter(name: string, options: BrowserContextOptions = {}): Promise<Person> {
    const visitor = await this.visitor(options);
    const { page } = visitor;
    await page.getByLabel(/^(Name|Nome)$/).fill(name);
    await page.keyboard.press("Enter");
    await page.locator("#line").waitFor({ state: "attached" });
    return { ...visitor, name };
  }

  /** Opens one more tab of a person. */
  async tab({ name, page }: Person): Promise<Person> {
    const tab = await this.#open(await page.context().newPage(), name);
    await tab.page.locator("#line").waitFor({ state: "attached" });
    return tab;
  }

  async #open(page: Page, name: string, path = "/"): Promise<Person> {
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => {
      const isNetwork = /Failed to load resource|WebSocket connection/.test(message.text());
      if (message.type() === "error" && !isNetwork) errors.push(message.text());
    });
    await page.goto(this.#url + path);
    return { name, page, errors };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}

/** Writes a line and presses Enter. */
export async function say({ page }: Person, line: string): Promise<void> {
  await page.locator("#line").fill(line);
  await page.locator("#line").press("Enter");
}

/** Goes to a conversation, such as `#geral`, by the quick switch. */
export async function goTo({ page }: Person, name: string): Promise<void> {
  const heading = page.getByRole("heading", { name, exact: true });
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill(name);
  const option = page.getByRole("option", { name, exact: true });
  // The quick switch does not list the conversation that is already open.
  await option.or(heading).first().waitFor();
  if (await heading.isVisible()) await page.keyboard.press("Escape");
  else await option.click();
  await heading.waitFor();
}

/** The texts of the open conversation's messages, in their order. */
export function lines({ page }: Person): Promise<string[]> {
  return page.locator(".message .text").allInnerTexts();
}

/** Waits until each person sees exactly these lines, each once and in this order. */
export async function allSee(people: readonly Person[], wanted: readonly string[]): Promise<void> {
  let seen: string[][] = [];
  const text = JSON.stringify(wanted);
  try {
    await until(
      async () => {
        seen = await Promise.all(people.map(lines));
        return seen.every((one) => JSON.stringify(one) === text);
      },
      "everybody sees the lines",
      30_000,
    );
  } catch {
    const told = people.map(({ name }, at) => `${name}: ${JSON.stringify(seen[at])}`);
    throw new Error(`wanted by all: ${text}\n${told.join("\n")}`);
  }
}
