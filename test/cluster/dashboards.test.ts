import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pause } from "../../src/platform/clock.ts";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { dashboards, filled } from "../support/dashboards.ts";
import { isMeasured } from "../support/documented-metrics.ts";
import { hasPrometheus, Prometheus } from "../support/prometheus.ts";
import { until } from "../support/until.ts";

const why = hasPrometheus ? "" : " (skipped: prometheus and promtool are not installed)";

const everyExpression = [...dashboards()].flatMap(([file, { panels }]) =>
  panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => ({ name: `${file}: ${title}`, expr })),
  ),
);
/** Those that a cluster of this test answers. */
const expressions = everyExpression.filter(({ expr }) => isMeasured(expr));

test("[O51] each panel of the dashboards has a title, a description, a unit, and a legend for each expression", () => {
  for (const { panels, templating } of dashboards().values()) {
    expect(templating.list.map(({ name }) => name)).toContain("datasource");
    for (const { title, description, fieldConfig, targets } of panels) {
      expect([title, description, fieldConfig.defaults.unit]).not.toContain("");
      for (const { legendFormat } of targets) expect(legendFormat, title).not.toBe("");
    }
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
  }
  expect(everyExpression.length).toBeGreaterThan(40);
});

test("[O51] no expression of a dashboard asks for a user or a channel, and all are bound to one cluster", () => {
  for (const { name, expr } of everyExpression) {
    expect(expr, name).not.toMatch(/\b(user|channel)\b/);
    const selectors = expr.match(/(?:tertulia|nodejs|process)_\w+(\{[^}]*)?/g) ?? [];
    for (const selector of selectors) expect(selector, name).toContain('job="$job"');
  }
});

describe.skipIf(!hasPrometheus)(`[O51] dashboards${why}`, { timeout: 120_000 }, () => {
  let cluster: LocalCluster;
  let prometheus: Prometheus;
  beforeAll(async () => {
    cluster = await LocalCluster.start({ hasMetrics: true, gateways: 1 });
    prometheus = await Prometheus.of(cluster);
  }, 90_000);
  afterAll(async () => {
    await prometheus?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  }, 30_000);

  test("a Prometheus that scrapes a busy cluster knows every metric of the dashboards, and answers every expression with at least one series", async () => {
    const client = cluster.client();
    await client.login(parseUserName("ana"));
    await client.createChannel(parseChannelName("geral"));
    const stop = new AbortController();
    const writing = write(client, cluster.http(), stop.signal);
    try {
      const metrics = expressions.flatMap(
        ({ expr }) => expr.match(/\b(?:tertulia|nodejs|process)_\w+/g) ?? [],
      );
      const unknown = async () => {
        const known = new Set(await prometheus.metrics());
        return metrics.filter((name) => !known.has(name));
      };
      await until(async () => (await unknown()).length === 0, "each metric is known", 60_000);
      await until(async () => (await empty(prometheus)).length === 0, "no panel is empty", 60_000);
    } catch (error) {
      expect(await empty(prometheus), String(error)).toEqual([]);
      throw error;
    } finally {
      stop.abort();
      await writing;
    }
  });
});

/** Writes to a channel that exists and to one that does not, and asks a gateway, until the signal. */
async function write(
  client: ReturnType<LocalCluster["client"]>,
  gateway: string,
  until: AbortSignal,
) {
  while (!until.aborted) {
    await fetch(`${gateway}/api/v1/time`);
    for (const channel of ["geral", "nowhere"]) {
      await client.publish(parseChannelName(channel), "hello").catch(() => {});
    }
    // A machine that only writes has no time for the scrapes.
    await pause(10);
  }
}

/** Returns the expressions that have no series, or only values that are no numbers. */
async function empty(prometheus: Prometheus): Promise<string[]> {
  const found = await Promise.all(
    expressions.map(async ({ name, expr }) => {
      const query = filled(expr, { window: "1m", server: "server 1" });
      const { result } = await prometheus.get<Answer>("query", { query });
      return result.some(({ value: [, text] }) => Number.isFinite(Number(text)))
        ? []
        : `${name}: ${query}`;
    }),
  );
  return found.flat();
}

interface Answer {
  readonly result: readonly { readonly value: readonly [number, string] }[];
}
