import { expect, test } from "vitest";
import { outlookOf } from "../../src/gateway/core/outlook.ts";
import { durations } from "../../src/protocol/limits.ts";
import { parseStatus } from "../../src/protocol/parse-status.ts";
import { servingCluster } from "../support/core-cluster.ts";
import type { VirtualServer } from "../support/virtual-server.ts";

const { peerSilenceMs } = durations;

/** The status of a cluster whose members have been silent for these milliseconds. */
function silent(...silences: readonly (number | null)[]) {
  const members = silences.map((silentMs, index) => ({
    name: `server_0000000${index}`,
    member: true,
    live: silentMs === null || silentMs <= peerSilenceMs,
    silentMs,
  }));
  const view = { number: 1, members: members.map(({ name }) => name) };
  return parseStatus({ members, view });
}

test.each([
  ["a single server", [0], peerSilenceMs],
  ["all were just heard", [0, 100, 200], peerSilenceMs - 100],
  ["one of three is down", [0, 400, 60_000], peerSilenceMs - 400],
  ["two of three were killed a second ago", [0, 1_000, 1_000], peerSilenceMs - 1_000],
  ["two of five are down", [0, 100, 300, 9_000, 9_000], peerSilenceMs - 300],
  [
    "servers of an older version do not tell how long others are silent",
    [null, null, null],
    peerSilenceMs,
  ],
] as const)(
  "[G5] %s: the quorum can't be lost before one of its members counts as silent",
  (_, silences, safeMs) => {
    expect(outlookOf(silent(...silences))).toEqual({ lack: undefined, safeMs });
  },
);

test("[G5] a cluster with too few live members lacks a quorum, and is not safe for any time", () => {
  const lack = "no quorum: 1 of 3 servers are live";
  expect(outlookOf(silent(0, 1_501, 1_501))).toEqual({ lack, safeMs: 0 });
});

test("[G5] [Q10] a server loses its quorum no earlier than its status has told", () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const cluster = servingCluster(3, seed);
    const [left, ...others] = cluster.servers as [VirtualServer, ...VirtualServer[]];
    let earliestMs = 0;
    for (let look = 0; look < 200; look += 1) {
      cluster.runFor(10 + seed);
      if (look === 50) for (const server of others) cluster.kill(server);
      const status = parseStatus(cluster.request(left, "status"));
      const { lack, safeMs } = outlookOf(status);
      if (lack !== undefined) break;
      expect(look).toBeLessThan(199);
      earliestMs = cluster.time.nowMs + safeMs;
    }
    expect(cluster.time.nowMs).toBeGreaterThan(earliestMs - 1);
    // The last prediction is exact.
    expect(cluster.time.nowMs).toBeLessThan(earliestMs + 50);
  }
});
