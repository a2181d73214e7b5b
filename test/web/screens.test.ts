import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ChannelName, UserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { CliProcess, clusterVariables } from "../terminal/cli-process.ts";
import { faultsOf } from "./faults.ts";
import { goTo, hasBrowser, inBrowser, lines, People, type Person, say } from "./people.ts";

const password = "a long password of ana";

describe.skipIf(!hasBrowser)(inBrowser("the screens of the page"), () => {
  let cluster: LocalCluster;
  let people: People;
  let ana: Person;
  let invitation = "";

  async function settled(): Promise<void> {
    const client = cluster.client();
    await client.register("bia" as UserName, password);
    await client.login("bia" as UserName, password);
    await client.createChannel("geral" as ChannelName);
    await client.publish("geral" as ChannelName, "Good morning, ana! See https://example.org/");
    await client.publish("geral" as ChannelName, "/me waves");
    using change = new CliProcess(
      ["accounts", "registration", "invitation", "--json", "--data", cluster.folder],
      clusterVariables(cluster.endpoints),
    );
    const { stdout, code } = await change.end();
    expect(code).toBe(0);
    invitation = JSON.parse(stdout).invitation;
  }

  beforeAll(async () => {
    cluster = await LocalCluster.start({ servers: 1, gateways: 1, auth: "required" });
    people = await People.start(cluster.endpoints.http);
    await settled();
    ana = { ...(await people.visitor()), name: "ana" };
    await ana.page.getByRole("button", { name: "Log in" }).waitFor();
  }, 60_000);
  afterAll(async () => {
    await people?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  }, 30_000);

  test("[G36] a person registers by invitation, writes, reads, turns pages and logs out with the keyboard alone", async () => {
    const { page } = ana;
    const { keyboard } = page;
    const tabTo = async (name: string) => {
      const focused = page.locator(":focus");
      await until(async () => {
        await keyboard.press("Tab");
        const isThere = (await focused.count()) > 0;
        return isThere && (await focused.and(page.getByRole("button", { name })).count()) > 0;
      }, `Tab reaches ${name}`);
    };
    expect(await faultsOf(ana)).toEqual([]);
    await tabTo("I have no account yet");
    await keyboard.press("Enter");
    await page.getByLabel("Invitation").waitFor();
    expect(await faultsOf(ana)).toEqual([]);
    await page.getByLabel("Name").focus();
    const given = ["ana", password, password, "not an invitation"];
    for (const text of given) {
      await keyboard.type(text);
      await keyboard.press("Tab");
    }
    await page.getByRole("button", { name: "Create account" }).press("Enter");
    await page.getByRole("alert").filter({ hasText: /\w/ }).waitFor();
    expect(await faultsOf(ana)).toEqual([]);
    await page.getByLabel("Invitation").focus();
    await keyboard.press("Control+a");
    await keyboard.type(invitation);
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: "#geral" }).waitFor();
    await page.locator("#line:focus").waitFor();
    await keyboard.type("with the keyboard alone");
    await keyboard.press("Shift+Enter");
    await keyboard.type("and two lines");
    await keyboard.press("Enter");
    const wanted = "with the keyboard alone\nand two lines";
    await until(async () => (await lines(ana)).at(-1) === wanted, "the message is there");
    await page.locator(".is-pending").waitFor({ state: "detached" });
    await keyboard.press("ArrowUp");
    const focused = page.locator("article:focus");
    expect(await focused.getAttribute("aria-label")).toMatch(
      /^ana: with the keyboard alone\nand two lines, \d\d:\d\d [AP]M, stored by a majority/,
    );
    await keyboard.press("Home");
    expect(await focused.getAttribute("aria-label")).toMatch(/^bia: Good morning, ana!/);
    await keyboard.press("ArrowDown");
    expect(await focused.getAttribute("aria-label")).toMatch(/^bia: waves, /);
    await keyboard.press("Escape");
    await page.locator("#line:focus").waitFor();
    await keyboard.press("Control+k");
    await keyboard.type("bia");
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: "@bia" }).waitFor();
    await keyboard.press("Alt+ArrowUp");
    await page.getByRole("heading", { name: "#geral" }).waitFor();
    // The page puts the focus here once it shows the channel, and would take it from the button.
    await page.locator("#line:focus").waitFor();
    await page.getByRole("button", { name: "Settings" }).focus();
    await keyboard.press("Enter");
    await tabTo("Log out");
    await keyboard.press("Enter");
    await page.getByRole("button", { name: "Log in" }).waitFor();
    await page.getByLabel("Name").focus();
    await keyboard.type("ana");
    await keyboard.press("Tab");
    await keyboard.type(password);
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: "#geral" }).waitFor();
  }, 60_000);

  test("[G36] the quick switch opens although Escape has just closed it", async () => {
    const { page } = ana;
    for (let times = 0; times < 20; times += 1) {
      await page.keyboard.press("Control+k");
      await page.getByRole("combobox").waitFor({ timeout: 3_000 });
      // Both keys arrive before the browser tells the page that the dialog is closed.
      await Promise.all([page.keyboard.press("Escape"), page.keyboard.press("Control+k")]);
      await page.getByRole("combobox").waitFor({ timeout: 3_000 });
      await page.keyboard.press("Escape");
      await page.getByRole("combobox").waitFor({ state: "detached" });
    }
  }, 60_000);

  test("[G36] the messages are a log with a name, in which each message is named by author, text and time", async () => {
    const log = ana.page.getByRole("log", { name: "Messages in #geral" });
    await log.getByRole("article", { name: /^bia: Good morning.*, \d\d:\d\d [AP]M$/ }).waitFor();
    expect(await log.getAttribute("aria-live")).toBe("polite");
  });

  test.each(["light", "dark"] as const)(
    "[G36] no screen breaks a rule of WCAG 2.2 A or AA, in %s colours",
    async (colorScheme) => {
      const { page } = ana;
      await page.emulateMedia({ colorScheme });
      const client = cluster.client();
      await client.login("bia" as UserName, password);
      await client.message("ana" as UserName, `ana, in ${colorScheme} colours`);
      await say(ana, "/join #nowhere");
      await page.getByText("There is no channel #nowhere").last().waitFor();
      await goTo(ana, "#geral");
      expect(await faultsOf(ana)).toEqual([]);
      await page.keyboard.press("Control+k");
      await page.getByRole("option").first().waitFor();
      expect(await faultsOf(ana)).toEqual([]);
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Settings" }).click();
      expect(await faultsOf(ana)).toEqual([]);
      await page.getByRole("button", { name: "Keys and commands" }).click();
      expect(await faultsOf(ana)).toEqual([]);
      await page.keyboard.press("Escape");
      await page.context().setOffline(true);
      await page.getByText("This device is offline").waitFor();
      await say(ana, `this waits in ${colorScheme} colours`);
      await page.locator(".is-pending").waitFor();
      expect(await faultsOf(ana)).toEqual([]);
      await page.context().setOffline(false);
      await page.locator(".is-pending").waitFor({ state: "detached" });
    },
    60_000,
  );

  test("[G37] a hidden page tells of a mention and of a private message, and of nothing else", async () => {
    const { page } = ana;
    await page.context().grantPermissions(["notifications"]);
    await page.evaluate(`
      globalThis.shown = [];
      globalThis.Notification = class extends Notification {
        constructor(title, options) {
          super(title, options);
          globalThis.shown.push([title, options.body]);
        }
      }`);
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByLabel(/^Tell me/).check();
    await page.getByRole("button", { name: "Close" }).click();
    const client = cluster.client();
    await client.login("bia" as UserName, password);
    await client.publish("geral" as ChannelName, "ana, the page is visible");
    await page.getByText("the page is visible").waitFor();
    await page.evaluate(`
      Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));`);
    await client.publish("geral" as ChannelName, "nobody is meant");
    await client.publish("geral" as ChannelName, "are you there, @ana?");
    await client.message("ana" as UserName, "only for you");
    const shown = () => page.evaluate("globalThis.shown") as Promise<[string, string][]>;
    await until(async () => (await shown()).length >= 2, "two are told");
    expect((await shown()).sort()).toEqual([
      ["bia · #geral", "are you there, @ana?"],
      ["bia", "only for you"],
    ]);
    await page.evaluate(`
      delete document.hidden;
      document.dispatchEvent(new Event("visibilitychange"));`);
  }, 60_000);

  test("[G37] Chromium finds nothing that keeps the page from being installed", async () => {
    await using profile = await temporaryFolder();
    // Chromium installs nothing from a profile that it does not keep.
    await using kept = await People.keeping(profile.path, cluster.endpoints.http);
    await kept.page.getByRole("button", { name: "Log in" }).waitFor();
    const devTools = await kept.page.context().newCDPSession(kept.page);
    const found = await devTools.send("Page.getInstallabilityErrors");
    expect(found.installabilityErrors).toEqual([]);
  }, 60_000);

  test("[G33] after the session has ended the person logs in again, and the chat goes on", async () => {
    const { page } = ana;
    const client = cluster.client();
    await client.login("ana" as UserName, password);
    await client.changePassword("ana" as UserName, password, `${password}, changed`);
    await page.getByText("Your session has ended").waitFor({ timeout: 30_000 });
    expect(await page.getByLabel("Name").inputValue()).toBe("ana");
    expect(await faultsOf(ana)).toEqual([]);
    await page.getByLabel("Password").fill(`${password}, changed`);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "#geral" }).waitFor();
    await say(ana, "back again");
    await until(async () => (await lines(ana)).at(-1) === "back again", "the message is there");
    await page.locator(".is-pending").waitFor({ state: "detached" });
  }, 60_000);

  test("[G37] on a narrow screen the page has one column, in Portuguese too, and nothing is cut off", async () => {
    const { page } = ana;
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByLabel("Português").check();
    await page.getByRole("button", { name: "Fechar" }).click();
    await page.setViewportSize({ width: 320, height: 640 });
    const isWide = "document.documentElement.scrollWidth > innerWidth";
    await page.getByRole("navigation", { name: "Conversas" }).waitFor({ state: "hidden" });
    await page.getByRole("button", { name: "Todas as conversas" }).click();
    await page.getByRole("navigation", { name: "Conversas" }).waitFor();
    expect(await page.locator("#line").isVisible()).toBe(false);
    expect(await page.evaluate(isWide)).toBe(false);
    expect(await faultsOf(ana)).toEqual([]);
    await page.getByRole("button", { name: "geral" }).click();
    await page.locator("#line").waitFor();
    expect(await page.evaluate(isWide)).toBe(false);
    expect(await faultsOf(ana)).toEqual([]);
    expect(await page.locator("html").getAttribute("lang")).toBe("pt-br");
  }, 60_000);

  test("[G36] after all screens the page has reported no error", () => {
    expect(ana.errors).toEqual([]);
  });
});
