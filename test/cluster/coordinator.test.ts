import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { ChatClient } from "../../src/client/chat-client.ts";
import type { Child } from "../../src/cluster/child.ts";
import { LocalCluster, type LocalClusterOptions } from "../../src/cluster/local-cluster.ts";
import { durations } from "../../src/protocol/limits.ts";
import type { Receipt } from "../../src/protocol/messages.ts";
import { until } from "../support/until.ts";
import { folderOf, killAnd, logOf } from "./folders.ts";

const clusters: LocalCluster[] = [];

afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster[Symbol.asyncDispose]();
});

async function start(options: LocalClusterOptions): Promise<LocalCluster> {
  const cluster = await LocalCluster.start(options);
  clusters.push(cluster);
  return cluster;
}

const skewsMs = [-1_000, 0, 1_000];

interface Told {
  coordinator: string | undefined;
  /** What each live server's corrected time is ahead of the machine's one clock. */
  aheadMs: number[];
}

/** All processes of a machine have one clock: what a server says it is off by shows its time. */
async function tell(client: ChatClient, cluster: LocalCluster): Promise<Told> {
  const status = await client.status();
  const members = status.members as { name: string; live: boolean; offsetMs?: number }[];
  const skewOf = new Map(
    cluster.of("server").map(({ ready, number }) => [ready?.name, skewsMs[number - 1] ?? 0]),
  );
  // One that has just started has not been told the time yet.
  const aheadMs = members.flatMap(({ name, live, offsetMs }) =>
    live && typeof offsetMs === "number" ? [(skewOf.get(name) ?? 0) + offsetMs] : [],
  );
  return { coordinator: status.coordinator as string | undefined, aheadMs };
}

function spread({ aheadMs }: Told): number {
  return Math.max(...aheadMs) - Math.min(...aheadMs);
}

test("[E5] servers a second apart agree to 20 ms; a failover makes no jump, no time runs backwards", {
  timeout: 90_000,
}, async () => {
  const settings: LocalClusterOptions["settings"] = ({ number }) => ({
    TERTULIA_CLOCK_SKEW: String(skewsMs[number - 1] ?? 0),
  });
  const cluster = await start({ settings });
  const client = cluster.client();
  await client.ask("login", { user: "ana" });
  await client.ask("channel", { channel: "geral" });

  const stamped = new Map<string, { seq: number; timestamp: string }[]>();
  let isWriting = true;
  const writing = (async () => {
    for (let count = 0; isWriting; count += 1) {
      const data = { user: "ana", channel: "geral", message: `${count}` };
      const { entry } = await client.ask("publish", data);
      const { server, seq, timestamp } = entry as Receipt;
      stamped.set(server, [...(stamped.get(server) ?? []), { seq, timestamp }]);
    }
  })();

  let told = await tell(client, cluster);
  const agree = async (count: number) => {
    told = await tell(client, cluster);
    return told.aheadMs.length === count && spread(told) <= 20;
  };
  await until(() => agree(3), "three agree", 5 * durations.clockRoundMs);
  const before = told;
  const first = cluster.of("server").find(({ ready }) => ready?.name === told.coordinator) as Child;
  // It comes back as one that was stopped for good: two are left to look at.
  first.signal("SIGKILL");
  await until(async () => {
    told = await tell(client, cluster);
    const isOther = told.coordinator !== undefined && told.coordinator !== before.coordinator;
    expect(spread(told)).toBeLessThanOrEqual(20);
    return isOther && told.aheadMs.length === 3;
  }, "another is in office, and the killed one is back");
  const drifted = told.aheadMs.map((ms) =>
    Math.min(...before.aheadMs.map((b) => Math.abs(ms - b))),
  );
  expect(Math.max(...drifted)).toBeLessThanOrEqual(20);
  isWriting = false;
  await writing;

  expect(stamped.size).toBe(3);
  for (const [server, events] of stamped) {
    events.sort((a, b) => a.seq - b.seq);
    const times = events.map(({ timestamp }) => timestamp);
    expect(times, server).toEqual([...times].sort());
  }
});

test("[E2] a damaged promise file stops its server with the way out; the others go on", async () => {
  const cluster = await start({});
  const [victim] = cluster.of("server") as [Child];
  const path = join(folderOf(cluster, victim), "promises.json");
  await killAnd(victim, () => writeFileSync(path, readFileSync(path, "utf8").slice(0, 20)));
  const way = /promises\.json.*second coordinator into office.*tertulia servers remove NAME/;
  await until(() => way.test(logOf(cluster, victim)), "it says what to do");
  const client = cluster.client();
  expect(await client.ask("login", { user: "ana" })).toMatchObject({ status: "sucesso" });
  expect(existsSync(path)).toBe(true);
});
