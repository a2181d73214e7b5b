import { mkdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Locator } from "playwright-core";
import type { ChannelName, UserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";
import { goTo, lines, People, type Person, say } from "./people.ts";

/** `npm run pictures`: makes the pictures of the page that the docs show. */

const folder = fileURLToPath(new URL("../../docs/pictures/", import.meta.url));
const mostBytes = 200_000;
const desktop = { width: 1_000, height: 640 };
/** High enough for all processes of a small cluster. */
const high = { width: 1_000, height: 850 };
const phone = { width: 390, height: 780 };

/** @param part the part of the page that the picture shows; all of the window by default */
async function shoot({ page }: Person, name: string, part?: Locator): Promise<void> {
  const path = `${folder}${name}.png`;
  if (part === undefined) await page.mouse.move(0, 0);
  await (part ?? page).screenshot({ path, animations: "disabled" });
  const { size } = statSync(path);
  if (size > mostBytes) throw new Error(`${path} has ${size} bytes, above ${mostBytes}`);
}

const talk = [
  ["bia", "Bom dia! Who brings the cake today?"],
  ["caio", "I do. Two of them, in fact"],
  ["caio", "/me opens the window"],
  ["bia", "The agenda is at https://example.org/agenda/2026-11"],
  ["bia", "@ana, can you take the notes?"],
] as const;

async function people(cluster: LocalCluster): Promise<void> {
  const founder = cluster.client();
  await founder.login("bia" as UserName);
  for (const channel of ["geral", "café", "books"]) {
    await founder.createChannel(channel as ChannelName);
  }
  const caio = cluster.client();
  await caio.login("caio" as UserName);
  for (const [user, text] of talk) {
    await (user === "bia" ? founder : caio).publish("geral" as ChannelName, text);
  }
}

async function write(cluster: LocalCluster): Promise<void> {
  const dora = cluster.client();
  await dora.login("dora" as UserName);
  await dora.message("ana" as UserName, "Are we still on for Friday?");
  await dora.publish("café" as ChannelName, "The new beans are here");
  await dora.publish("café" as ChannelName, "ana, one for you too?");
  await dora.presence("online");
}

mkdirSync(folder, { recursive: true });
await using cluster = await LocalCluster.start({ gateways: 1 });
await people(cluster);
await using browser = await People.start(cluster.endpoints.http);

const visitor = await browser.visitor({ viewport: desktop, colorScheme: "light" });
await visitor.page.getByRole("button", { name: "Log in" }).waitFor();
await shoot(visitor, "log-in");

const ana = await browser.enter("ana", { viewport: desktop, colorScheme: "light" });
const { page } = ana;
await say(ana, "/join #café");
await say(ana, "/join #geral");
await page.getByRole("button", { name: "café" }).waitFor();
await goTo(ana, "#geral");
await until(async () => (await lines(ana)).length === talk.length, "the channel is there");
await write(cluster);
await say(ana, "Of course. And I'll bring coffee");
await page.getByRole("button", { name: /dora.*unread: 1/ }).waitFor();
await page.getByRole("button", { name: /café.*mentions: 1/ }).waitFor();
// The next report of presence, at most 10 s later, shows the online users.
await page.getByRole("button", { name: /online dora/ }).waitFor();
await page.locator(".is-pending").waitFor({ state: "detached" });
await shoot(ana, "chat-light");
await page.emulateMedia({ colorScheme: "dark" });
await shoot(ana, "chat-dark");
await page.keyboard.press("Control+k");
await page.getByRole("option").first().waitFor();
await shoot(ana, "go-to");
await page.keyboard.press("Escape");
await page.getByRole("button", { name: "Settings" }).click();
await shoot(ana, "settings");
await page.keyboard.press("Escape");
await page.emulateMedia({ colorScheme: "light" });
await page.context().setOffline(true);
await page.getByText("This device is offline").waitFor();
await say(ana, "This waits until the network is back");
await page.locator(".is-pending").waitFor();
await shoot(ana, "offline");
await page.context().setOffline(false);
await page.locator(".is-pending").waitFor({ state: "detached" });
await page.getByRole("button", { name: "Settings" }).click();
await page.getByLabel("Português").check();
await shoot(ana, "portuguese");
await page.keyboard.press("Escape");
await page.setViewportSize(phone);
await shoot(ana, "phone-list");
await page.getByRole("button", { name: "geral" }).click();
await page.locator("#line").waitFor();
await shoot(ana, "phone-chat");

const caio = await browser.enter("caio", { viewport: high, colorScheme: "light" });
await caio.page.goto(`${cluster.endpoints.http}/cluster`);
await caio.page.getByRole("heading", { name: "Healthy", exact: true }).waitFor();
// The lines of the clocks begin when the page is opened, and fill their width after half a minute.
const path = caio.page.locator(".processes path:not(.highest)").first();
await until(
  async () => /^M0 /.test((await path.getAttribute("d")) ?? ""),
  "the lines are full",
  40_000,
);
await caio.page.emulateMedia({ colorScheme: "dark" });
await shoot(caio, "cluster-dark");
await caio.page.emulateMedia({ colorScheme: "light" });
const stopped = cluster.server(3);
stopped.signal("SIGSTOP");
// Long enough that the picture shows how the stopped server's clock stands still.
await caio.page.getByText(/\b[5-9]\d\d behind/).waitFor({ timeout: 40_000 });
await shoot(caio, "cluster-light");
stopped.signal("SIGCONT");
await caio.page.getByRole("heading", { name: "Healthy", exact: true }).waitFor();
await caio.page.getByLabel("Channel").fill("geral");
await caio.page.keyboard.press("Tab");
await caio.page.getByLabel("Message", { exact: true }).fill("How far does this go?");
await caio.page.keyboard.press("Enter");
const steps = caio.page.getByRole("option");
await until(
  async () => (await steps.filter({ hasText: "knows that a quorum" }).count()) === 3,
  "each server knows that the message is committed",
);
await caio.page.setViewportSize({ width: 1_100, height: 850 });
await steps.filter({ hasText: "received the event" }).first().hover();
await shoot(caio, "life-of-a-message", caio.page.locator(".life"));
