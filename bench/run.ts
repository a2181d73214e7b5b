import { execFileSync } from "node:child_process";
import { LocalCluster } from "../src/trials/local-cluster.ts";
import type { Figures } from "./measure.ts";
import { raw } from "./raw.ts";
import { writes } from "./writes.ts";

/**
 * `npm run bench [-- SECONDS [ROUNDS]]`: writes with the full promise (three servers, a majority's
 * disks before each answer) beside raw ZeroMQ, in the same run, several rounds.
 */
const seconds = Number(process.argv[2] ?? 4);
const rounds = Number(process.argv[3] ?? 3);

function line(...cells: (string | number)[]): void {
  const widths = [22, 10, 12, 10, 10];
  process.stdout.write(
    `${cells.map((cell, at) => String(cell).padStart(widths[at] ?? 10)).join("")}\n`,
  );
}

function figures(name: string, inFlight: number, { perSecond, p50Ms, p99Ms }: Figures): void {
  line(name, inFlight, Math.round(perSecond), p50Ms.toFixed(2), p99Ms.toFixed(2));
}

function idleMegabytes(pid: number): number {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)]).toString()) / 1_024;
}

for (let round = 1; round <= rounds; round += 1) {
  line(`round ${round}`, "in flight", "per second", "p50 ms", "p99 ms");
  await using cluster = await LocalCluster.start({ logLevel: "info" });
  const idle = cluster.of("server").map(({ pid = 0 }) => idleMegabytes(pid));
  for (const inFlight of [1, 32, 512]) {
    figures("writes", inFlight, await writes(cluster, { inFlight, seconds }));
    figures("raw ZeroMQ", inFlight, await raw({ inFlight, seconds: Math.min(seconds, 2) }));
  }
  line("idle server, MB", Math.max(...idle).toFixed(0));
}
