import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ChannelName, UserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { HttpProxy, type ProxyName } from "../support/http-proxy.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { allSee, hasBrowser, inBrowser, People, type Person, say } from "./people.ts";

const program: ProxyName = "nginx";
const hasNginx = spawnSync(program, ["-v"]).error === undefined;

describe.skipIf(!hasBrowser || !hasNginx)(inBrowser("the page behind Nginx"), () => {
  let folder: TemporaryFolder;
  let cluster: LocalCluster;
  let proxy: HttpProxy;
  let people: People;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const settings = () => ({ TERTULIA_TRUSTED_PROXIES: "127.0.0.1" });
    cluster = await LocalCluster.start({ gateways: 2, settings });
    const gateways = cluster.endpoints.http.split(",").map((url) => url.replace("http://", ""));
    proxy = await HttpProxy.start(program, folder.path, gateways);
    people = await People.start(proxy.url);
  }, 60_000);
  afterAll(async () => {
    await people?.[Symbol.asyncDispose]();
    await proxy?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  }, 30_000);

  /** Resolves when a gateway that was killed serves again. */
  async function serves(number: number): Promise<void> {
    const address = cluster.endpoints.http.split(",")[number];
    const isReady = () =>
      fetch(`${address}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until(isReady, "the gateway is back", 60_000);
  }

  test("[G34] [G41] each gateway is killed in turn under the pages of two people, who go on at the other one and see each line once", async () => {
    const founder = cluster.client();
    await founder.login("founder" as UserName);
    await founder.createChannel("geral" as ChannelName);
    const pair: readonly Person[] = [await people.enter("ana"), await people.enter("bia")];
    for (const person of pair) {
      await say(person, "/join #geral");
      await person.page.getByText("the beginning").waitFor();
    }
    const wanted: string[] = [];
    for (const [round, number] of [0, 1, 0, 1].entries()) {
      cluster.of("gateway")[number]?.signal("SIGKILL");
      for (const writer of pair) {
        const line = `${writer.name} in round ${round}`;
        wanted.push(line);
        await say(writer, line);
        await allSee(pair, wanted);
      }
      await serves(number);
    }
    expect(pair.flatMap(({ errors }) => errors)).toEqual([]);
  }, 180_000);
});
