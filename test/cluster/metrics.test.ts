import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Child } from "../../src/cluster/child.ts";
import { serveMetricsOfAll } from "../../src/cluster/metrics-of-all.ts";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { roles } from "../../src/protocol/reference-messages.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { metricsOfCluster } from "../support/documented-metrics.ts";
import { PlainRequest } from "../support/plain-client.ts";
import { until } from "../support/until.ts";
import { logOf } from "./folders.ts";

let cluster: LocalCluster;

beforeAll(async () => {
  cluster = await LocalCluster.start({ hasMetrics: true, logLevel: "info", gateways: 1, games: 1 });
}, 60_000);

afterAll(() => cluster?.[Symbol.asyncDispose](), 30_000);

/** The values of a process by metric and labels, such as `tertulia_connections{side="back"}`. */
async function scrape({ ready }: Child): Promise<ReadonlyMap<string, number>> {
  const url = `${ready?.endpoints.metrics?.replace("tcp:", "http:")}/metrics`;
  const lines = (await (await fetch(url)).text()).split("\n");
  const samples = lines.filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    samples.map((line) => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

async function traffic(proxy: Child): Promise<Record<string, number | undefined>> {
  const values = await scrape(proxy);
  const countOf = (name: string) => values.get(`tertulia_${name}_total`);
  return { publications: countOf("publications"), deliveries: countOf("deliveries") };
}

/** The sum over all servers. */
async function sumOf(metric: string): Promise<number> {
  const scrapes = await Promise.all(cluster.of("server").map(scrape));
  return scrapes.reduce((sum, values) => sum + (values.get(metric) ?? 0), 0);
}

describe("[O50] metrics of a real cluster", { timeout: 60_000 }, () => {
  test("servers count requests by service and code, and group services that they do not know", async () => {
    const client = cluster.client();
    await client.login(parseUserName("ana"));
    await client.createChannel(parseChannelName("geral"));
    for (let count = 0; count < 3; count += 1) {
      await client.publish(parseChannelName("geral"), "hello");
    }
    await client.publish(parseChannelName("nowhere"), "hello").catch(() => {});
    await new PlainRequest(cluster.endpoints.broker, ["nonsense", {}], 10_000).reply;
    expect(await sumOf('tertulia_requests_total{service="publish",code="OK"}')).toBe(3);
    expect(await sumOf('tertulia_requests_total{service="publish",code="channel_not_found"}')).toBe(
      1,
    );
    expect(await sumOf('tertulia_requests_total{service="other",code="unknown_service"}')).toBe(1);
    expect(await sumOf("tertulia_payload_seconds_count")).toBeGreaterThan(5);
    expect(await sumOf("tertulia_write_seconds_count")).toBe(4);
    expect(await sumOf("tertulia_published_messages_total")).toBe(3);
    if (LocalCluster.hasEngine) return;
    expect(await sumOf("tertulia_journal_sync_seconds_count")).toBeGreaterThan(5);
    expect(await sumOf("tertulia_journal_bytes")).toBeGreaterThan(1_000);
  });

  test("each server reports the view, one coordinator, and how far its peers are behind", async (context) => {
    context.skip(LocalCluster.hasEngine, "servers with an engine have no members");
    await until(async () => (await sumOf("tertulia_coordinator")) === 1, "there is a coordinator");
    for (const server of cluster.of("server")) {
      const values = await scrape(server);
      expect(values.get("tertulia_serving")).toBe(1);
      expect(values.get("tertulia_members")).toBe(3);
      expect(values.get("tertulia_live_members")).toBe(3);
      const peers = [...values].filter(([name]) =>
        name.startsWith("tertulia_peer_silence_seconds"),
      );
      expect(peers).toHaveLength(2);
      for (const [, seconds] of peers) expect(seconds).toBeLessThan(10);
      const ours = [...values.keys()].filter((name) => name.startsWith("tertulia_"));
      expect(ours.length).toBeGreaterThan(20);
      expect(values.size).toBeLessThanOrEqual(300);
    }
  });

  test("the metrics of all roles are those that the documentation lists", async () => {
    const processes = roles.flatMap((role) => cluster.of(role));
    await fetch(`${cluster.http()}/livez`);
    const found = (await Promise.all(processes.map(scrape))).flatMap((values) =>
      [...values.keys()].map((name) => name.replace(/\{.*|_(bucket|sum|count)$/g, "")),
    );
    const ours = found.map((name) => name.replace(/_(bucket|sum|count)$/, ""));
    const names = new Set(ours.filter((name) => name.startsWith("tertulia_")));
    expect([...names].sort()).toEqual([...metricsOfCluster()].sort());
  });

  test("the log of each process names the port of its metrics if the setting has no port", async () => {
    for (const child of roles.flatMap((role) => cluster.of(role))) {
      expect(logOf(cluster, child)).toContain(`"metrics":"${child.ready?.endpoints.metrics}"`);
    }
  });

  test("no metric names a user, a channel or a text", async () => {
    for (const child of cluster.of("server")) {
      for (const name of (await scrape(child)).keys()) expect(name).not.toMatch(/ana|geral|hello/);
    }
  });

  test("the broker and the proxy report their connections, and the reference the live processes", async () => {
    const [broker, proxy, reference] = (["broker", "proxy", "reference"] as const).map(
      (role) => cluster.of(role)[0] as Child,
    ) as [Child, Child, Child];
    expect((await scrape(broker)).get('tertulia_connections{side="back"}')).toBe(3);
    expect((await scrape(proxy)).get('tertulia_connections{side="front"}')).toBe(3);
    expect((await scrape(reference)).get('tertulia_live_processes{role="server"}')).toBe(3);
    const members = LocalCluster.hasEngine ? 0 : 3;
    expect((await scrape(reference)).get("tertulia_members")).toBe(members);
    const answered = (await scrape(broker)).get("tertulia_answered_payloads_total") ?? 0;
    expect(answered).toBeGreaterThan(5);
    // Servers with an engine tell each other nothing while nobody is online.
    if (LocalCluster.hasEngine) return;
    const { publications = 0, deliveries = 0 } = await traffic(proxy);
    expect(publications).toBeGreaterThan(0);
    // The servers subscribe to each other's messages.
    expect(deliveries).toBeGreaterThan(publications);
  });

  test("a gateway counts requests by route, method and status, and groups paths that it does not know", async () => {
    const [gateway] = cluster.of("gateway") as [Child];
    await until(async () => (await fetch(`${cluster.http()}/readyz`)).ok, "it is ready");
    await fetch(`${cluster.http()}/api/v1/channels/geral/messages`);
    await fetch(`${cluster.http()}/api/v1/channels/nowhere/messages`);
    await fetch(`${cluster.http()}/ana`);
    const read = 'route="/api/v1/channels/:channel/messages",method="GET"';
    const values = await scrape(gateway);
    expect(values.get(`tertulia_http_requests_total{${read},status="200"}`)).toBe(1);
    expect(values.get(`tertulia_http_requests_total{${read},status="404"}`)).toBe(1);
    const unknown = 'route="none",method="GET",status="404"';
    expect(values.get(`tertulia_http_requests_total{${unknown}}`)).toBe(1);
    expect(values.get("tertulia_http_request_seconds_count")).toBeGreaterThanOrEqual(3);
    expect(values.get("tertulia_live_connections")).toBe(0);
    for (const name of values.keys()) expect(name).not.toMatch(/ana|geral|nowhere/);
  });

  test("`up` shows all processes at one endpoint: targets for Prometheus, their metrics, and whether all are ready", async () => {
    await using all = await serveMetricsOfAll("tcp://127.0.0.1:*", () =>
      roles.flatMap((role) => cluster.of(role)),
    );
    const url = all.endpoint.replace("tcp:", "http:");
    const get = (path: string) => fetch(`${url}${path}`);
    const targets = (await (await get("/targets")).json()) as Target[];
    expect(targets.map(({ labels }) => labels.instance).sort()).toEqual([
      "broker 1",
      "game 1",
      "gateway 1",
      "proxy 1",
      "reference 1",
      "server 1",
      "server 2",
      "server 3",
    ]);
    for (const { targets: hosts, labels } of targets) {
      expect(hosts).toEqual([new URL(url).host]);
      const text = await (await get(labels.__metrics_path__)).text();
      const [role] = labels.instance.split(" ");
      expect(text).toContain(`tertulia_info{role="${role}"`);
    }
    expect((await get("/readyz")).status).toBe(200);
    const server = cluster.server(3);
    const again = server.nextReady();
    server.signal("SIGKILL");
    await until(async () => (await get("/readyz")).status === 503, "it is missed");
    expect((await get("/metrics/server/3")).status).toBe(502);
    await again;
    await until(async () => (await get("/readyz")).status === 200, "all are ready again");
  });
});

interface Target {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<"__metrics_path__" | "instance", string>>;
}
