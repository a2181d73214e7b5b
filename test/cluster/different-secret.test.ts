import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Child } from "../../src/cluster/child.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";
import { CliProcess } from "../terminal/cli-process.ts";
import { logOf } from "./folders.ts";

let cluster: LocalCluster;

beforeAll(async () => {
  cluster = await LocalCluster.start({ logLevel: "info" });
}, 60_000);

afterAll(() => cluster?.[Symbol.asyncDispose](), 30_000);

const logOfThe = (role: Child["role"]) => logOf(cluster, cluster.of(role)[0] as Child);

test("[X1] a server with a different secret can't join, and its own log and the proxy's log say why", async () => {
  const { brokerBack, proxyIn, proxy, reference } = cluster.endpoints;
  using server = new CliProcess(["server"], {
    TERTULIA_BROKER_BACK: brokerBack,
    TERTULIA_PROXY_IN: proxyIn,
    TERTULIA_PROXY: proxy,
    TERTULIA_REFERENCE: reference,
    TERTULIA_DATA: join(cluster.folder, "another"),
  });
  const sentence = /its secret differs: copy \S+ from the other machine/;
  // It knows that from the heartbeats of the others. Servers with an engine send none.
  const told = () => (LocalCluster.hasEngine ? logOfThe("reference") : server.stderr);
  await until(() => sentence.test(told()), "the log says why", 30_000);
  const [, name] = /"name":"(server_\w{8})"/.exec(server.stderr) ?? [];
  const isRefused = () => logOfThe("proxy").includes("it is no member of this cluster");
  await until(isRefused, "the others say why");
  const { view } = await cluster.client().status();
  expect(view?.members).toHaveLength(3);
  expect(view?.members).not.toContain(name);
}, 60_000);
