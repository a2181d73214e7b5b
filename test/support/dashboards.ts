import { readdirSync, readFileSync } from "node:fs";

const folder = "ops/grafana";

export interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description: string;
  /** In the 24 columns of Grafana's grid. */
  readonly gridPos: Readonly<Record<"x" | "y" | "w" | "h", number>>;
  readonly fieldConfig: {
    readonly defaults: { readonly unit: string; readonly min?: number; readonly max?: number };
  };
  readonly targets: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly legendFormat: string;
  }[];
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly templating: { readonly list: readonly { readonly name: string }[] };
  readonly panels: readonly Panel[];
}

/** The dashboards of `ops/grafana/` by file name without `.json`. */
export function dashboards(): ReadonlyMap<string, Dashboard> {
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return new Map(
    files.sort().map((name) => {
      const text = readFileSync(`${folder}/${name}`, "utf8");
      return [name.replace(".json", ""), JSON.parse(text) as Dashboard];
    }),
  );
}

/**
 * An expression as Grafana sends it to Prometheus, for a cluster that `up` has started.
 * @param window over which rates are computed, such as `1m`
 */
export function filled(
  expression: string,
  { window, server }: { readonly window: string; readonly server: string },
): string {
  const values: Readonly<Record<string, string>> = {
    $job: "tertulia",
    $instance: server,
    $__rate_interval: window,
  };
  return expression.replace(/\$\w+/g, (name) => values[name] ?? name);
}

/** The legend of a series, whose labels replace the names in double braces. */
export function legend(format: string, labels: Readonly<Record<string, string>>): string {
  return format.replace(/\{\{(\w+)\}\}/g, (_, name) => labels[name] ?? "");
}
