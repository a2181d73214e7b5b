import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { LocalCluster } from "../../src/trials/local-cluster.ts";

const readme = fileURLToPath(new URL("../../README.md", import.meta.url));

/** A Python that can run README's example; undefined if this machine has none. */
export const python = ["python3", "/usr/bin/python3"].find(
  (candidate) => spawnSync(candidate, ["-c", "import zmq, msgpack"]).status === 0,
);

/**
 * README's example with the endpoints of this cluster: its definitions, and the statements after
 * them.
 */
export function readmePython({ endpoints }: LocalCluster): { defines: string; does: string } {
  const [, block = ""] = /```python\n(.*?)```/s.exec(readFileSync(readme, "utf8")) ?? [];
  const source = block
    .replace("tcp://127.0.0.1:5555", endpoints.broker)
    .replace("tcp://127.0.0.1:5558", endpoints.proxy);
  const start = source.indexOf("\nprint(");
  return { defines: source.slice(0, start), does: source.slice(start) };
}
