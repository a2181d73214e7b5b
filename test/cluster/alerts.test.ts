import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cp, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serveMetricsOfAll } from "../../src/cluster/metrics-of-all.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import { roles } from "../../src/protocol/reference-messages.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";

const rules = "ops/prometheus/rules.yml";
const hasPrometheus = ["prometheus", "promtool"].every((program) => {
  return spawnSync(program, ["--version"]).status === 0;
});
const why = hasPrometheus ? "" : " (skipped: prometheus and promtool are not installed)";

test("[O51] each alert has a heading in docs/operations.md, and its `runbook` leads there", async () => {
  const text = await readFile(rules, "utf8");
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
    for (const [, alert] of (await readFile(rules, "utf8")).matchAll(/alert: (\w+)/g)) {
      expect(text).toContain(`name: ${alert} fires`);
      expect(text).toContain(`name: ${alert} stays quiet`);
    }
  });

  describe("a Prometheus that scrapes a cluster", () => {
    let cluster: LocalCluster;
    beforeAll(async () => {
      cluster = await LocalCluster.start({ hasMetrics: true });
    }, 60_000);
    afterAll(() => cluster?.[Symbol.asyncDispose](), 30_000);

    test("a Prometheus that scrapes a healthy cluster knows every metric of the alerts, and fires none", async () => {
      // Only services that were asked for have a counter.
      await cluster.client().login(parseUserName("ana"));
      await using folder = await temporaryFolder();
      await using all = await serveMetricsOfAll("tcp://127.0.0.1:*", () =>
        roles.flatMap((role) => cluster.of(role)),
      );
      await using prometheus = await Prometheus.start(
        folder.path,
        all.endpoint.replace("tcp:", "http:"),
      );
      const found = await prometheus.rules();
      const metrics = found.flatMap(
        ({ query }) => query.match(/(?:tertulia|nodejs|process)_\w+/g) ?? [],
      );
      await until(
        async () => {
          const known = await prometheus.get<readonly string[]>("label/__name__/values");
          return metrics.every((name) => known.includes(name));
        },
        "every metric is known",
        60_000,
      );
      for (const { name, query } of found) {
        const answer = await prometheus.get<{ resultType: string }>(
          `query?query=${encodeURIComponent(query)}`,
        );
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

interface Rule {
  readonly name: string;
  readonly query: string;
  readonly state: string;
}

/** A running Prometheus with the alerts, in a folder of its own. */
class Prometheus implements AsyncDisposable {
  readonly #url: string;
  readonly #end: () => Promise<void>;

  private constructor(url: string, end: () => Promise<void>) {
    this.#url = url;
    this.#end = end;
  }

  static async start(folder: string, metrics: string): Promise<Prometheus> {
    const port = await freePort();
    await cp(rules, join(folder, "rules.yml"));
    const config = `
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [rules.yml]
scrape_configs:
  - job_name: tertulia
    http_sd_configs: [{ url: "${metrics}/targets", refresh_interval: 1s }]
`;
    await writeFile(join(folder, "prometheus.yml"), config);
    const child = spawn(
      "prometheus",
      [
        `--config.file=${join(folder, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: "ignore" },
    );
    const exited = once(child, "exit");
    const end = async () => {
      child.kill("SIGKILL");
      await exited;
    };
    const started = new Prometheus(`http://127.0.0.1:${port}/api/v1/`, end);
    const isUp = () =>
      started.rules().then(
        () => true,
        () => false,
      );
    await until(isUp, "Prometheus answers", 30_000);
    return started;
  }

  async get<T>(path: string): Promise<T> {
    const { status, data } = (await (await fetch(this.#url + path)).json()) as {
      status: string;
      data: T;
    };
    expect(status).toBe("success");
    return data;
  }

  async rules(): Promise<readonly Rule[]> {
    const { groups } = await this.get<{ groups: readonly { rules: readonly Rule[] }[] }>("rules");
    return groups.flatMap((group) => group.rules);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
