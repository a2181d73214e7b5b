import { afterEach, describe, expect, test } from "vitest";
import { durations } from "../../src/protocol/limits.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { describeReplicas } from "../support/describe-replicas.ts";
import { until } from "../support/until.ts";
import { expectNothingLost, Writer } from "./writer.ts";

const clusters: LocalCluster[] = [];

async function start(): Promise<LocalCluster> {
  // This small limit makes servers save states and remove journal files during the faults.
  const settings = () => ({ TERTULIA_CHECKPOINT_BYTES: "65536" });
  const cluster = await LocalCluster.start({ settings });
  clusters.push(cluster);
  return cluster;
}

afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster[Symbol.asyncDispose]();
});

/** A time in ms that is longer than any timeout between servers and than any write. */
const longMs = 2 * Math.max(durations.commitMs, durations.peerSilenceMs, durations.aliveMs) + 1_000;

/** Waits for `ms`, the time that a fault must last. */
async function lasting(ms: number): Promise<void> {
  const end = performance.now() + ms;
  await until(() => performance.now() >= end, `${ms} ms`, 2 * ms);
}

describe("kill -9 under load", { timeout: 60_000 }, () => {
  test("[R2] [R5] [R6] no acknowledged write is lost or doubled when servers are killed one after another", async () => {
    const cluster = await start();
    const writer = await Writer.start(cluster);
    for (let kill = 0; kill < 5; kill += 1) {
      // The kills hit different moments: a flush, a start, or catching up.
      await writer.progress(40 + 33 * kill);
      const victim = cluster.server(1 + (kill % 3));
      const back = victim.nextReady();
      victim.signal("SIGKILL");
      await back;
    }
    await writer.progress(100);
    await writer.stop();
    await expectNothingLost(cluster, writer);
  });

  test("[R2] [R5] [R6] no acknowledged write is lost or doubled when all servers are killed at once, three times", async () => {
    const cluster = await start();
    const writer = await Writer.start(cluster);
    for (let kill = 0; kill < 3; kill += 1) {
      await writer.progress(150);
      const servers = cluster.of("server");
      const back = Promise.all(servers.map((server) => server.nextReady()));
      for (const server of servers) server.signal("SIGKILL");
      await back;
    }
    await writer.progress(100);
    await writer.stop();
    await expectNothingLost(cluster, writer);
  });
});

describeReplicas("servers that hang for longer than all timeouts", { timeout: 60_000 }, () => {
  test("[R3] [R8] three servers acknowledge writes while one hangs, acknowledge none while two hang, and lose no acknowledged write", async () => {
    const cluster = await start();
    const writer = await Writer.start(cluster);
    await writer.progress(100);
    const [first, second] = [cluster.server(2), cluster.server(3)];
    first.signal("SIGSTOP");
    await lasting(longMs);
    await writer.progress(200);
    second.signal("SIGSTOP");
    await lasting(durations.commitMs);
    // A retry may still be acknowledged if a majority had the write before the second server hung.
    const { attempted } = writer;
    await lasting(longMs - durations.commitMs);
    const numbers = [...writer.acknowledged.keys()].map((text) =>
      Number.parseInt(text.slice("message ".length), 10),
    );
    expect(Math.max(...numbers)).toBeLessThanOrEqual(attempted);
    for (const victim of [first, second]) victim.signal("SIGCONT");
    await writer.progress(200);
    await writer.stop();
    expect(cluster.of("server").map(({ starts }) => starts)).toEqual([1, 1, 1]);
    await expectNothingLost(cluster, writer);
  });
});
