import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { serveMetricsOfAll } from "../../src/cluster/metrics-of-all.ts";
import { roles } from "../../src/protocol/reference-messages.ts";
import { freePort } from "../../src/trials/free-ports.ts";
import type { LocalCluster } from "../../src/trials/local-cluster.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { until } from "./until.ts";

/** The alerts of this project. */
export const rulesFile = "ops/prometheus/rules.yml";

export const hasPrometheus = ["prometheus", "promtool"].every((program) => {
  return spawnSync(program, ["--version"]).status === 0;
});

export interface Rule {
  readonly name: string;
  readonly query: string;
  readonly state: string;
}

/** One time series: its labels, and its values as text, each with its time in seconds since 1970. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}

/** A running Prometheus with the alerts, in a folder of its own. */
export class Prometheus implements AsyncDisposable {
  readonly #url: string;
  readonly #end: () => Promise<void>;

  private constructor(url: string, end: () => Promise<void>) {
    this.#url = url;
    this.#end = end;
  }

  /** Starts a Prometheus that scrapes all processes of a cluster with metrics. */
  static async of(cluster: LocalCluster): Promise<Prometheus> {
    const all = await serveMetricsOfAll("tcp://127.0.0.1:*", () =>
      roles.flatMap((role) => cluster.of(role)),
    );
    return await Prometheus.start(configOf(all.endpoint.replace("tcp:", "http:")), all);
  }

  /** @param settings its settings, in YAML @param served is closed when Prometheus has ended */
  static async start(settings: string, served?: AsyncDisposable): Promise<Prometheus> {
    const folder = await temporaryFolder();
    const port = await freePort();
    const config = join(folder.path, "prometheus.yml");
    await cp(rulesFile, join(folder.path, "rules.yml"));
    await writeFile(config, settings);
    const flags = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder.path, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    const child = spawn("prometheus", flags, { stdio: "ignore" });
    const exited = once(child, "exit");
    const started = new Prometheus(`http://127.0.0.1:${port}/api/v1/`, async () => {
      child.kill("SIGKILL");
      await exited;
      await served?.[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    });
    const isUp = () =>
      started.rules().then(
        () => true,
        () => false,
      );
    await until(isUp, "Prometheus answers", 30_000);
    return started;
  }

  /** @throws Error if Prometheus refuses the query */
  async get<T>(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<T> {
    const query = new URLSearchParams(parameters).toString();
    const response = await fetch(`${this.#url}${path}?${query}`);
    const answer = (await response.json()) as { status: string; data: T; error?: string };
    if (answer.status !== "success") throw new Error(`${path} ${query}: ${answer.error}`);
    return answer.data;
  }

  async rules(): Promise<readonly Rule[]> {
    const { groups } = await this.get<{ groups: readonly { rules: readonly Rule[] }[] }>("rules");
    return groups.flatMap((group) => group.rules);
  }

  /** The names of all metrics that were scraped. */
  metrics(): Promise<readonly string[]> {
    return this.get("label/__name__/values");
  }

  /** @param from and `to`: in seconds since 1970 @returns a value for each second */
  async range(query: string, { from, to }: { from: number; to: number }): Promise<Series[]> {
    const times = { start: String(from), end: String(to), step: "1" };
    const { result } = await this.get<{ result: Series[] }>("query_range", { query, ...times });
    return result;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end();
  }
}

/** Each process is scraped each second. */
function configOf(metrics: string): string {
  return `
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [rules.yml]
scrape_configs:
  - job_name: tertulia
    http_sd_configs: [{ url: "${metrics}/targets", refresh_interval: 1s }]
`;
}
