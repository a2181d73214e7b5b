import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { spokenText } from "../../src/client/core/slash-command.ts";
import { harmless } from "../../src/protocol/harmless.ts";
import type { ChannelName, UserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";
import { CliProcess, clusterVariables } from "../terminal/cli-process.ts";
import { faultsOf } from "./faults.ts";
import { hostileTexts } from "./hostile-texts.ts";
import { hasBrowser, inBrowser, People, type Person } from "./people.ts";

const geral = "geral" as ChannelName;
const refusal = /Only administrators may see the cluster at work/;
const noSteps = "servers with an engine keep no steps";
const clocks = /Lamport clocks/;
/** The number of messages among which the person chooses. */
const listed = 8;

describe.skipIf(!hasBrowser)(inBrowser("the page about the cluster"), () => {
  let cluster: LocalCluster;
  let people: People;
  let ana: Person;

  beforeAll(async () => {
    const settings = () => ({ TERTULIA_TRUSTED_PROXIES: "127.0.0.1" });
    cluster = await LocalCluster.start({ gateways: 1, settings });
    people = await People.start(cluster.endpoints.http);
    const bia = cluster.client();
    await bia.login("bia" as UserName);
    await bia.createChannel(geral);
    await bia.publish(geral, "Good morning");
    ana = await people.enter("ana");
  }, 60_000);
  afterAll(async () => {
    await people?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  }, 30_000);

  /** Stops processes without ending them, until the result is disposed of. */
  function hang(...all: readonly { signal(name: NodeJS.Signals): void }[]): Disposable {
    for (const process of all) process.signal("SIGSTOP");
    return {
      [Symbol.dispose]() {
        for (const process of all) process.signal("SIGCONT");
      },
    };
  }

  const clockOf = async (name: string) => {
    const row = ana.page.locator(".processes > li").filter({ hasText: name });
    return Number(await row.locator(".clock b").textContent());
  };

  test("[G47] the settings of the chat lead to the cluster at work, and the cluster leads back", async () => {
    const { page } = ana;
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("link", { name: "The cluster at work" }).click();
    await page.getByRole("heading", { name: clocks }).waitFor();
    expect(await page.title()).toBe("The cluster at work · Tertulia");
    await page.getByRole("link", { name: "To the chat" }).click();
    await page.locator("#line").waitFor();
    await page.goto(`${cluster.endpoints.http}/cluster`);
    await page.getByRole("heading", { name: clocks }).waitFor();
  }, 60_000);

  test("[G47] in a cluster without accounts, a person at another address gets a sentence, and no numbers", async () => {
    const extraHTTPHeaders = { "x-forwarded-for": "198.51.100.7" };
    const { page } = await people.visitor({ extraHTTPHeaders }, "/cluster");
    await page.getByText(refusal).waitFor();
    expect(await page.getByRole("heading", { name: clocks }).count()).toBe(0);
    const far = await people.enter("caio", { extraHTTPHeaders });
    await far.page.getByRole("button", { name: "Settings" }).click();
    await far.page.getByRole("button", { name: "Log out" }).waitFor();
    // Only the matches of cards, which everybody may play.
    expect(await far.page.getByRole("link").count()).toBe(1);
    expect(await far.page.getByRole("link").getAttribute("href")).toBe("/duel");
    await page.context().close();
    await far.page.context().close();
  }, 60_000);

  test("[G48] each process has a row with its Lamport clock, which rises while the person looks", async () => {
    const { page } = ana;
    await page.getByRole("heading", { name: "Healthy", exact: true }).waitFor({ timeout: 30_000 });
    const all = ["server", "broker", "proxy", "gateway"] as const;
    for (const role of all) {
      const rows = page.locator(".processes > li").filter({ hasText: `${role}_` });
      await until(async () => (await rows.count()) === cluster.of(role).length, `each ${role}`);
    }
    for (const name of ["reference", "broker_", "gateway_"]) {
      const before = await clockOf(name);
      await until(async () => (await clockOf(name)) > before, `the clock of ${name} rises`);
    }
    expect(await page.locator(".processes strong").textContent()).toBe("coordinator");
    expect(await page.locator(".facts").textContent()).toContain("3 of 3");
  }, 60_000);

  test("[G49] a message that is sent from the page is shown with its steps, and choosing a step by keyboard tells what is related", async (context) => {
    context.skip(LocalCluster.hasEngine, noSteps);
    const { page } = ana;
    await page.getByLabel("Channel").waitFor();
    await until(
      async () => (await page.getByLabel("Channel").inputValue()) === "geral",
      "the channel is chosen",
    );
    await page.getByLabel("Message", { exact: true }).fill("How far does this go?");
    await page.keyboard.press("Enter");
    const steps = page.getByRole("option");
    await page.getByText("sent the receipt").waitFor();
    await until(async () => {
      const texts = await steps.allInnerTexts();
      return texts.filter((text) => text.includes("received the event from")).length === 2;
    }, "both other servers have the event");
    await steps.first().focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    const third = page.locator('[role="option"][aria-selected="true"]');
    expect(await third.textContent()).toContain("made the event");
    const sentence = page.locator(".relations");
    expect(await sentence.textContent()).toMatch(/^Step 3: happened before it: 1–2; after it: 4–/);
    expect(await page.locator(".step.is-before").count()).toBe(2);
    expect(await page.locator(".stripe.is-before").count()).toBe(2);
    await page.keyboard.press("End");
    expect(await sentence.textContent()).toMatch(/after it: none/);
    await steps.nth(1).hover();
    expect(await sentence.textContent()).toMatch(/^Step 2: happened before it: 1;/);
    await page.getByRole("button", { name: "How far does this go?" }).waitFor();
  }, 60_000);

  test("[G49] the diagram can be kept as SVG and as a log for ShiViz", async (context) => {
    context.skip(LocalCluster.hasEngine, noSteps);
    const { page } = ana;
    const kept: string[] = [];
    for (const name of ["Save as SVG", "Save for ShiViz"]) {
      const download = page.waitForEvent("download");
      await page.getByRole("button", { name }).click();
      const stream = await (await download).createReadStream();
      let text = "";
      for await (const piece of stream) text += String(piece);
      kept.push(text);
    }
    expect(kept[0]).toMatch(/^<svg xmlns=/);
    expect(kept[1]).toMatch(/^server_[0-9a-f]{8} \{.*\}$/m);
  }, 60_000);

  test("[G49] an unknown id, an invalid one and a missing channel each get a sentence", async (context) => {
    context.skip(LocalCluster.hasEngine, noSteps);
    const { page } = ana;
    const field = page.getByLabel("Id of a message");
    await field.fill("an id of nothing");
    await field.press("Enter");
    await page.getByText("No server remembers the event").waitFor();
    await field.fill("x".repeat(500));
    await field.press("Enter");
    await page.getByRole("alert").filter({ hasText: "could not make sense" }).waitFor();
    await page.getByLabel("Channel").fill("nowhere");
    await page.keyboard.press("Tab");
    await page.getByRole("alert").filter({ hasText: "There is no such channel" }).waitFor();
    await page.getByLabel("Channel").fill("#geral");
    await page.keyboard.press("Tab");
    await page.getByRole("button", { name: "bia: Good morning" }).click();
    await page.getByText("made the event").waitFor();
  }, 60_000);

  test.for(["light", "dark"] as const)(
    "[G36] the page about the cluster breaks no rule in %s colours, also on a narrow screen",
    { timeout: 60_000 },
    async (colorScheme, context) => {
      context.skip(LocalCluster.hasEngine, noSteps);
      const { page } = ana;
      await page.emulateMedia({ colorScheme });
      await page.getByRole("option").nth(3).hover();
      expect(await faultsOf(ana)).toEqual([]);
      await page.setViewportSize({ width: 320, height: 640 });
      expect(await faultsOf(ana)).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth > innerWidth")).toBe(false);
      await page.setViewportSize({ width: 1_280, height: 720 });
    },
  );

  test("[G37] the page about the cluster is in Portuguese too", async (context) => {
    context.skip(LocalCluster.hasEngine, noSteps);
    const { page } = ana;
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByLabel("Português").check();
    expect(await faultsOf(ana)).toEqual([]);
    await page.getByRole("button", { name: "Fechar" }).click();
    await page.getByRole("heading", { name: "O cluster em ação" }).waitFor();
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await page.evaluate("document.documentElement.scrollWidth > innerWidth")).toBe(false);
    await page.setViewportSize({ width: 1_280, height: 720 });
    await page.getByText(/^Passo \d+: antes dele/).waitFor();
    await page.getByRole("button", { name: "Ajustes" }).click();
    await page.getByLabel("English").check();
    await page.keyboard.press("Escape");
  }, 60_000);

  test("[G35] hostile texts are shown as text among the newest messages", async () => {
    const { page } = ana;
    const mallory = cluster.client();
    await mallory.login("__proto__" as UserName);
    await mallory.createChannel("hostile" as ChannelName);
    for (let from = 0; from < hostileTexts.length; from += listed) {
      const texts = hostileTexts.slice(from, from + listed);
      for (const text of texts) await mallory.publish("hostile" as ChannelName, text);
      await page.getByLabel("Channel").fill("");
      await page.keyboard.press("Tab");
      await page.getByLabel("Channel").fill("hostile");
      await page.keyboard.press("Tab");
      const newest = harmless(spokenText(texts.at(-1) ?? ""));
      const first = page.locator(".ways .row").first();
      await until(
        async () => (await first.textContent()) === `__proto__: ${newest}`,
        `the text is shown: ${newest}`,
      );
    }
    expect(await page.evaluate("globalThis.hacked")).toBeUndefined();
    const elements: string[] = await page.evaluate(
      `[...new Set([...document.querySelectorAll(".ways .row *")].map((one) => one.localName))].sort()`,
    );
    expect(elements).toEqual(["bdi", "span"]);
  }, 60_000);

  test("[G49] a server that does not answer is named below the steps", async (context) => {
    context.skip(LocalCluster.hasEngine, noSteps);
    const { page } = ana;
    using _hanging = hang(cluster.server(3));
    await page.getByLabel("Channel").fill("geral");
    await page.keyboard.press("Tab");
    await page.getByRole("button", { name: "bia: Good morning" }).click();
    await page.getByText(/^No answer from server_/).waitFor({ timeout: 30_000 });
  }, 60_000);

  test("[G48] without a quorum the page shows what the reference knows, also if it is opened again", async (context) => {
    context.skip(LocalCluster.hasEngine, "with an engine, nobody waits for a server that is gone");
    const { page } = ana;
    await page.getByRole("heading", { name: "Healthy", exact: true }).waitFor({ timeout: 30_000 });
    using _hanging = hang(cluster.server(2), cluster.server(3));
    for (const isAnew of [false, true]) {
      if (isAnew) expect((await page.reload())?.status()).toBe(503);
      await page.getByText("Problem: No server answers").waitFor({ timeout: 30_000 });
      await page.getByText("Live members: 1 of 3").waitFor({ timeout: 30_000 });
      await page
        .getByText(/^Problem: The server server_\w+ of the cluster/)
        .nth(1)
        .waitFor();
      const before = await clockOf("reference");
      await until(async () => (await clockOf("reference")) > before, "the reference's clock rises");
      expect(await faultsOf(ana)).toEqual([]);
    }
  }, 90_000);

  test("[G48] if the gateway does not answer, the page says how old its numbers are", async () => {
    const { page } = ana;
    await page.getByRole("heading", { name: "Healthy", exact: true }).waitFor({ timeout: 60_000 });
    using _hanging = hang(...cluster.of("gateway"));
    await page.getByText(/^These numbers are [3-9] s old/).waitFor();
  }, 90_000);

  test("[G48] the page about the cluster has reported no error", () => {
    expect(ana.errors).toEqual([]);
  });
});

describe.skipIf(!hasBrowser)(inBrowser("the page about a cluster with accounts"), () => {
  test("[G47] an administrator logs in and sees the cluster, and another person gets a sentence", async () => {
    await using cluster = await LocalCluster.start({ servers: 1, gateways: 1, auth: "required" });
    await using people = await People.start(cluster.endpoints.http);
    const password = "a long password";
    const operator = cluster.client();
    for (const user of ["ana", "bia"]) await operator.register(user as UserName, password);
    using promotion = new CliProcess(
      ["accounts", "promote", "ana", "--data", cluster.folder],
      clusterVariables(cluster.endpoints),
    );
    expect((await promotion.end()).code).toBe(0);
    const seenBy = async (user: string) => {
      const person = await people.visitor({}, "/cluster");
      await person.page.getByLabel("Name").fill(user);
      await person.page.getByLabel("Password").fill(password);
      await person.page.keyboard.press("Enter");
      return person;
    };
    const bia = await seenBy("bia");
    await bia.page.getByText(refusal).waitFor();
    expect(await faultsOf(bia)).toEqual([]);
    const ana = await seenBy("ana");
    await ana.page.getByRole("heading", { name: clocks }).waitFor();
    await ana.page.getByRole("button", { name: "Settings" }).click();
    await ana.page.getByRole("button", { name: "Log out" }).click();
    await ana.page.getByLabel("Password").waitFor();
  }, 90_000);
});
