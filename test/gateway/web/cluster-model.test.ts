import { expect, test } from "vitest";
import { type ClusterStatus, clusterStatus } from "../../../src/client/core/cluster-status.ts";
import { diagramOf } from "../../../src/client/core/trace/diagram.ts";
import {
  type ClusterModel,
  clockOf,
  highestClock,
  lowestShown,
  nothingSeen,
  paceOf,
  seen,
  trackPath,
  windowMs,
} from "../../../src/gateway/web/core/cluster-model.ts";
import { relationsTo } from "../../../src/gateway/web/core/relations.ts";
import type { ServerName } from "../../../src/protocol/ids.ts";
import type { Step } from "../../../src/protocol/steps.ts";

/** What a gateway tells of processes with these Lamport clocks. */
function told(clocks: Readonly<Record<string, number>>): ClusterStatus {
  const list = Object.entries(clocks).map(([name, clock]) => {
    return { role: "broker", name, clock, isKnown: true };
  });
  const reply = { list, view: { number: 0, members: [] } };
  return clusterStatus({
    server: undefined,
    reference: { address: "tcp://127.0.0.1:5559", reply },
    configured: { brokers: 1, proxies: 1 },
  });
}

/** The model after answers that came a second after each other. */
function after(...answers: readonly Readonly<Record<string, number>>[]): ClusterModel {
  return answers.reduce<ClusterModel>(
    (model, clocks, second) => seen(model, told(clocks), second * 1_000),
    nothingSeen(0),
  );
}

function trackOf(model: ClusterModel, name: string) {
  const track = model.clocks.get(name);
  if (track === undefined) throw new Error(`there is no track of ${name}`);
  return track;
}

test("[G48] a Lamport clock never falls on the page, although an older report may come later", () => {
  const model = after({ a: 10, b: 5 }, { a: 30, b: 5 }, { a: 20, b: 6 });
  expect(clockOf(trackOf(model, "a"))).toBe(30);
  expect(clockOf(trackOf(model, "b"))).toBe(6);
  expect(highestClock(model)).toBe(30);
});

test("[G48] the page forgets processes that are gone, and clocks from before the shown time", () => {
  const long = Array.from({ length: windowMs / 1_000 + 40 }, (_, second) => ({ a: second }));
  const model = after({ a: 0, gone: 3 }, ...long);
  expect([...model.clocks.keys()]).toEqual(["a"]);
  const { samples } = trackOf(model, "a");
  expect(samples.length).toBeLessThanOrEqual(windowMs / 1_000 + 1);
  expect(samples[0]?.atMs).toBeLessThanOrEqual(model.nowMs - windowMs + 1_000);
});

test("[G48] the pace of a clock is the mean of the last seconds", () => {
  const model = after({ a: 100 }, { a: 140 }, { a: 180 }, { a: 220 });
  expect(paceOf(trackOf(model, "a"), model.nowMs)).toBe(40);
  expect(paceOf(trackOf(model, "a"), model.nowMs + 60_000)).toBe(0);
});

test("[G48] a process that is far behind does not flatten the lines of the others", () => {
  const model = after({ a: 1_000, far: 3 }, { a: 1_100, far: 3 });
  const low = lowestShown(model);
  expect(low).toBe(1_000);
  const frame = { width: 100, height: 10, nowMs: model.nowMs, low, high: highestClock(model) };
  expect(trackPath(trackOf(model, "a"), frame)).toBe("M96.7 10H96.7V10H100V0H100");
  expect(trackPath(trackOf(model, "far"), frame)).toBe("M96.7 10H96.7V10H100");
});

test("[G49] each step comes before, comes after, or is concurrent with the chosen one", () => {
  const step = (kind: Step["kind"], clock: number, more: Partial<Step> = {}): Step => {
    return { kind, clock, atMs: clock, ...more };
  };
  const [a, b] = ["server_0000000a", "server_0000000b"] as ServerName[] as [ServerName, ServerName];
  const { points } = diagramOf({
    event: { server: a, seq: 1, clock: 1, id: "x", operation: "publication" },
    servers: [
      { name: a, offsetMs: 0, steps: [step("made", 1), step("sent", 2), step("published", 3)] },
      { name: b, offsetMs: 0, steps: [step("received", 4, { peer: a, sentClock: 2 })] },
    ],
    silent: [],
  });
  const kinds = points.map(({ kind }) => kind);
  expect(kinds).toEqual(["made", "sent", "published", "received"]);
  const [, , published, received] = points;
  if (published === undefined || received === undefined) throw new Error("steps are missing");
  expect(relationsTo(published, points)).toEqual(["before", "before", "chosen", "concurrent"]);
  expect(relationsTo(received, points)).toEqual(["before", "before", "concurrent", "chosen"]);
});
