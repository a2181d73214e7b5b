import type { WebSocketRoute } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";
import { allSee, goTo, hasBrowser, inBrowser, People, type Person, say } from "./people.ts";

describe.skipIf(!hasBrowser)(inBrowser("the page of a gateway that can't serve"), () => {
  let cluster: LocalCluster;
  let people: People;
  let ana: Person;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ gateways: 1 });
    people = await People.start(cluster.endpoints.http);
    const dora = cluster.client();
    await dora.login(parseUserName("dora"));
    await dora.createChannel(parseChannelName("geral"));
  }, 60_000);
  afterAll(async () => {
    await people?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  }, 30_000);

  test("[G33] a page whose servers lose their quorum says so within 3 s, and goes on by itself when they are back", async () => {
    ana = await people.enter("ana");
    await say(ana, "/join #geral");
    await goTo(ana, "#geral");
    const behind = ana.page.getByText("the chat behind it does not");
    {
      using _hanging = cluster.withoutQuorum();
      await behind.waitFor({ timeout: 3_000 });
      await ana.page.getByText(/Next try in \d+ s/).waitFor();
      await say(ana, "written meanwhile");
    }
    await behind.waitFor({ state: "detached", timeout: 30_000 });
    await allSee([ana], ["written meanwhile"]);
    await ana.page.locator(".is-pending").waitFor({ state: "detached" });
    expect(ana.errors).toEqual([]);
  }, 90_000);

  test("[G33] a page whose gateway is unready keeps its connection if the gateway is soon ready again, and otherwise connects again", async () => {
    const { page } = await people.visitor();
    const sockets: WebSocketRoute[] = [];
    await page.routeWebSocket("**/api/v1/ws", (socket) => {
      sockets.push(socket);
      socket.connectToServer();
    });
    await page.reload();
    await page.getByLabel("Name").fill("bia");
    await page.keyboard.press("Enter");
    const bia = { name: "bia", page, errors: [] };
    await say(bia, "/join #geral");
    await goTo(bia, "#geral");
    const tell = (frame: object) => sockets.at(-1)?.send(JSON.stringify(frame));
    const unready = page.getByText("the chat behind it does not (a test)");
    tell({ type: "unready", reason: "a test" });
    await unready.waitFor();
    tell({ type: "ready" });
    await unready.waitFor({ state: "detached" });
    await say(bia, "over the same connection");
    await page.locator(".is-pending").waitFor({ state: "detached" });
    expect(sockets).toHaveLength(1);
    tell({ type: "unready", reason: "a test" });
    await unready.waitFor();
    await until(() => sockets.length === 2, "the page connects again", 20_000);
    await unready.waitFor({ state: "detached" });
    await say(bia, "over a new connection");
    const said = ["over the same connection", "over a new connection"];
    await allSee([bia], ["written meanwhile", ...said]);
  }, 90_000);
});
