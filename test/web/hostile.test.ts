import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { spokenText } from "../../src/client/core/slash-command.ts";
import { piecesOf } from "../../src/gateway/web/core/pieces.ts";
import { newHookToken } from "../../src/platform/hook-token.ts";
import type { ChannelName, HookName, UserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";
import { hostileNames, hostileTexts } from "./hostile-texts.ts";
import { goTo, hasBrowser, inBrowser, lines, People, type Person } from "./people.ts";

const channel = "hostile" as ChannelName;

describe.skipIf(!hasBrowser)(inBrowser("texts and names that attack the page"), () => {
  let cluster: LocalCluster;
  let people: People;
  let ana: Person;
  const requested: string[] = [];

  beforeAll(async () => {
    cluster = await LocalCluster.start({ servers: 1, gateways: 1 });
    people = await People.start(cluster.endpoints.http);
    const mallory = cluster.client();
    await mallory.login("mallory" as UserName);
    await mallory.createChannel(channel);
    for (const text of hostileTexts) await mallory.publish(channel, text);
    ana = await people.enter("ana");
    ana.page.on("request", (request) => requested.push(request.url()));
    ana.page.on("dialog", (dialog) => requested.push(dialog.message()));
    ana.page.on("popup", (popup) => requested.push(popup.url()));
    await goTo(ana, "#hostile");
    const { length } = hostileTexts;
    await until(async () => (await lines(ana)).length === length, "all texts are there");
  }, 60_000);
  afterAll(async () => {
    await people?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  }, 30_000);

  test("[G35] more than 60 hostile texts are shown as what they are: text", async () => {
    expect(hostileTexts.length).toBeGreaterThan(60);
    const shown = await ana.page.locator(".message .text").allTextContents();
    const wanted = hostileTexts.map((text) => {
      const isAction = spokenText(text) !== text;
      const pieces = piecesOf(spokenText(text), "ana").map((piece) => piece.text);
      return `${isAction ? "* mallory " : ""}${pieces.join("")}`;
    });
    expect(shown).toEqual(wanted);
    expect(await ana.page.evaluate("globalThis.hacked")).toBeUndefined();
    const elements: string[] = await ana.page.evaluate(
      `[...new Set([...document.querySelectorAll(".text *")].map((one) => one.localName))].sort()`,
    );
    expect(elements).toEqual(["a", "bdi", "mark"]);
  });

  test("[G35] each link leads to a web address, opens apart, and tells the other site nothing", async () => {
    const links: readonly (readonly (string | null)[])[] = await ana.page.evaluate(
      `[...document.querySelectorAll(".text a")].map((one) =>
        [one.getAttribute("href"), one.getAttribute("rel"), one.getAttribute("target")])`,
    );
    expect(links.length).toBeGreaterThan(3);
    for (const [href, rel, target] of links) {
      expect(href).toMatch(/^https?:\/\/[^\s"'<>]+$/u);
      expect([rel, target]).toEqual(["noopener noreferrer", "_blank"]);
    }
  });

  test("[G35] people with strange names are shown, written to and read like others", async () => {
    for (const name of hostileNames) {
      const client = cluster.client();
      await client.login(name as UserName);
      await client.message("ana" as UserName, `I am ${name}`);
      client.close();
    }
    for (const name of hostileNames) {
      await goTo(ana, `@${name}`);
      await until(async () => (await lines(ana)).includes(`I am ${name}`), `${name} is read`);
    }
  }, 60_000);

  test("[G35] [Q16] a hook's message has its owner's name before the hook's, and does not join the owner's messages", async () => {
    const client = cluster.client();
    const user = "mallory" as UserName;
    await client.login(user);
    const hooks = "hooks" as ChannelName;
    await client.createChannel(hooks);
    const hookToken = newHookToken();
    await client.ask("hook", { user, channel: hooks, name: "ana" as HookName, hookToken });
    await client.publish(hooks, "by hand");
    await client.ask("post", { hookToken, message: "by hook" });
    await client.publish(hooks, "by hand again");
    client.close();
    await goTo(ana, "#hooks");
    await until(async () => (await lines(ana)).length === 3, "all is read");
    const authors = await ana.page.locator(".message:not(.follows) .author").allTextContents();
    expect(authors).toEqual(["mallory", "mallory via ana", "mallory"]);
    const label = await ana.page.locator(".message").nth(1).getAttribute("aria-label");
    expect(label).toMatch(/^mallory via ana: by hook, /);
  });

  test("[G33] while no server answers, the page says so, also when it is opened again, and then goes on", async () => {
    const server = cluster.server(1);
    server.signal("SIGSTOP");
    try {
      const told = /The gateway answers, but the chat behind it does not \(no server answers\)/;
      await ana.page.getByText(told).waitFor({ timeout: 60_000 });
      const page = await fetch(cluster.endpoints.http, { headers: { accept: "text/html" } });
      expect(page.status).toBe(503);
      expect(await page.text()).toContain("<title>Tertulia</title>");
    } finally {
      server.signal("SIGCONT");
    }
    await ana.page.getByText("Next try").waitFor({ state: "detached", timeout: 30_000 });
  }, 120_000);

  test("[G35] the page has asked only its own gateway, and no text was refused as markup", () => {
    const origin = new URL(cluster.endpoints.http).host;
    expect(requested.filter((url) => new URL(url).host !== origin)).toEqual([]);
    expect(ana.errors).toEqual([]);
  });
});
