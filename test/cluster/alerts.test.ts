import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { isMeasured } from "../support/documented-metrics.ts";
import { hasPrometheus, Prometheus, rulesFile } from "../support/prometheus.ts";
import { until } from "../support/until.ts";

const why = hasPrometheus ? "" : " (skipped: prometheus and promtool are not installed)";

test("[O51] each alert has a heading in docs/operations.md, and its `runbook` leads there", async () => {
  const text = await readFile(rulesFile, "utf8");
  const alerts = [...text.matchAll(/alert: (\w+)/g)].map(([, name = ""]) => name);
  const runbooks = [...text.matchAll(/runbook: (\S+)/g)].map(([, link]) => link);
  expect(alerts.length).toBeGreaterThan(10);
  expect(runbooks).toEqual(alerts.map((name) => `docs/operations.md#${name.toLowerCase()}`));
  const page = await readFile("docs/operations.md", "utf8");
  const headings = [...page.matchAll(/^### (Tertulia\w+)$/gm)].map(([, name]) => name);
  expect(headings).toEqual(alerts);
});

describe.skipIf(!hasPrometheus)(`[O51] alerts${why}`, { timeout: 120_000 }, () => {
  test("each alert fires in one case and stays quiet in another, and both cases are listed", async () => {
    const tests = "ops/prometheus/rules.test.yml";
    const run = spawnSync("promtool", ["test", "rules", tests], { encoding: "utf8" });
    expect(`${run.stdout}${run.stderr}`).toContain("SUCCESS");
    expect(run.status).toBe(0);
    const text = await readFile(tests, "utf8");
    for (const [, alert] of (await readFile(rulesFile, "utf8")).matchAll(/alert: (\w+)/g)) {
      expect(text).toContain(`name: ${alert} fires`);
      expect(text).toContain(`name: ${alert} stays quiet`);
    }
  });

  describe("a Prometheus that scrapes a cluster", () => {
    let cluster: LocalCluster;
    beforeAll(async () => {
      cluster = await LocalCluster.start({ hasMetrics: true, gateways: 1 });
    }, 60_000);
    afterAll(() => cluster?.[Symbol.asyncDispose](), 30_000);

    test("a Prometheus that scrapes a healthy cluster knows every metric of the alerts, and fires none", async () => {
      // Only services that were asked for have a counter.
      await cluster.client().login(parseUserName("ana"));
      await using prometheus = await Prometheus.of(cluster);
      const rules = await prometheus.rules();
      const found = rules.filter(({ query }) => isMeasured(query));
      const metrics = found.flatMap(
        ({ query }) => query.match(/(?:tertulia|nodejs|process)_\w+/g) ?? [],
      );
      await until(
        async () => {
          const known = await prometheus.metrics();
          return metrics.every((name) => known.includes(name));
        },
        "every metric is known",
        60_000,
      );
      for (const { name, query } of found) {
        const answer = await prometheus.get<{ resultType: string }>("query", { query });
        expect(answer.resultType, name).toBe("vector");
      }
      await until(
        async () => (await prometheus.rules()).every(({ state }) => state === "inactive"),
        "no alert fires",
        60_000,
      );
    });
  });
});
