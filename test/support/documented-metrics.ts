import { readFileSync } from "node:fs";
import { LocalCluster } from "../../src/trials/local-cluster.ts";

const page = new URL("../../docs/operations.md", import.meta.url);

/** Returns the cells of the rows about metrics in docs/operations.md. */
function rows(): string[][] {
  const lines = readFileSync(page, "utf8").split("\n");
  return lines
    .filter((line) => line.startsWith("| `tertulia_"))
    .map((line) => line.split("|").map((cell) => cell.trim()));
}

const namesIn = (cells: readonly string[]) => cells.join(" ").match(/tertulia_\w+/g) ?? [];

/**
 * The documented metrics that a cluster of a test has: it has no Redis, and with an engine its servers are
 * no replicas.
 */
export function metricsOfCluster(): ReadonlySet<string> {
  const absent = ["server with a Redis", ...(LocalCluster.hasEngine ? ["replica"] : [])];
  const own = rows().filter(([, , of = ""]) => !absent.includes(of));
  return new Set(own.flatMap(namesIn));
}

/** Whether servers of a test's cluster have what an expression asks for. */
export function isMeasured(expression: string): boolean {
  if (!LocalCluster.hasEngine) return true;
  const ofReplicas = new Set(
    rows().flatMap(([, names = "", of = ""]) => (of.includes("replica") ? namesIn([names]) : [])),
  );
  const names = namesIn([expression]).map((name) => name.replace(/_(bucket|sum|count)$/, ""));
  return !names.some((name) => ofReplicas.has(name));
}
