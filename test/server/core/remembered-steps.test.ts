import { describe, expect, test } from "vitest";
import type { Receipt } from "../../../src/protocol/client-messages.ts";
import { FineTime } from "../../../src/protocol/fine-time.ts";
import type { ReplicaSummary } from "../../../src/protocol/peer-messages.ts";
import type { ServerSteps, Trace } from "../../../src/protocol/steps.ts";
import type { Vector } from "../../../src/protocol/vector.ts";
import { RememberedSteps } from "../../../src/server/core/steps/remembered-steps.ts";
import { StepRecorder } from "../../../src/server/core/steps/step-recorder.ts";
import { Scene } from "../../support/account-scene.ts";
import { servingCluster } from "../../support/core-cluster.ts";
import { kindsOf, message, publish, step, traceOf } from "../../support/core-traces.ts";
import { serverName } from "../../support/event-lines.ts";

describe("the memory of steps", () => {
  const name = serverName(1);
  const addMade = (memory: RememberedSteps, seq: number) => {
    memory.begin("made", seq, seq);
    memory.setEvents(name, seq, seq);
    memory.setWritten(`a-${seq}`, "login", seq);
  };

  test("[O63] a server remembers as many records as `--steps` says, and forgets the oldest first", () => {
    const memory = new RememberedSteps(name, 10);
    for (let seq = 1; seq <= 25; seq += 1) addMade(memory, seq);
    const seqs = Array.from({ length: 26 }, (_, seq) => seq);
    const known = seqs.filter((seq) => memory.recall(`a-${seq}`, {}).event !== undefined);
    expect(known).toEqual([16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
    expect(memory.recall("a-15", {})).toEqual({ steps: [] });
  });

  test("[O63] a server that has forgotten how it got an event still finds later steps by the event's name", () => {
    const memory = new RememberedSteps(name, 2);
    addMade(memory, 1);
    memory.begin("committed", 2, 2);
    memory.setEvents(name, 1, 1);
    addMade(memory, 2);
    const { event, steps } = memory.recall(`${name}/1`, {});
    expect(event).toBeUndefined();
    expect(steps).toEqual([{ kind: "committed", atMs: 2, clock: 2 }]);
  });

  test("[Q14] of two events with one id, a server tells the committed one, or else the first in the order", () => {
    const [other, third] = [serverName(2), serverName(3)];
    const memory = new RememberedSteps(name, 10);
    for (const [server, clock] of [
      [third, 9],
      [other, 7],
      [name, 8],
    ] as const) {
      memory.begin("received", 1, 1);
      memory.setEvents(server, 1, 1);
      memory.setWritten("x", "login", clock);
    }
    const chosen = (committed: Vector) => memory.recall("x", committed).event?.server;
    expect(chosen({})).toBe(other);
    expect(chosen({ [name]: 1, [other]: 1, [third]: 1 })).toBe(other);
    expect(chosen({ [third]: 1, [other]: 0 })).toBe(third);
  });

  test("[O63] an idle server forgets no steps, because it adds none", () => {
    const cluster = servingCluster(3, 1, { steps: 30 });
    publish(cluster, cluster.server(1), { id: "a-1" });
    cluster.runFor(60_000);
    const trace = traceOf(cluster, cluster.server(1), "a-1");
    expect(kindsOf(trace, cluster.server(1).name)).toContain("made");
    expect(kindsOf(trace, cluster.server(2).name)).toContain("received");
  });

  test("[O63] requests that are refused, or that only read, overwrite no steps", () => {
    const cluster = servingCluster(3, 1, { steps: 30 });
    const first = cluster.server(1);
    publish(cluster, first, { id: "a-1" });
    const steps = () => traceOf(cluster, first, "a-1").servers[0]?.steps.slice(0, 4);
    const before = steps();
    for (let at = 0; at < 100; at += 1) {
      const refused = cluster.request(first, "publish", {
        ...message,
        channel: "nope",
        id: `${at}`,
      });
      expect(refused).toMatchObject({ code: "channel_not_found" });
      cluster.request(first, "hooks", { user: "ana" });
    }
    expect(steps()).toEqual(before);
    expect(before?.map(({ kind }) => kind)).toEqual(["asked", "made", "synced", "sent"]);
  });

  test("[O63] each event of a payload has the step of its own request, also if requests have no id", () => {
    const cluster = servingCluster(3);
    const first = cluster.server(1);
    const clocksOf = (...channels: string[]) => {
      const payload = channels.map((channel, at) => {
        return { service: "publish", data: { ...message, channel, clock: at + 1 } };
      });
      const question = cluster.askPayload(first, payload);
      cluster.runUntil(() => question.reply !== undefined, "a reply");
      const entries = question.replies?.flatMap(({ data }) => (data.entry as Receipt) ?? []) ?? [];
      return entries.map(({ id }) => {
        const [origin] = traceOf(cluster, first, id).servers as [ServerSteps];
        return step(origin, "asked").sentClock;
      });
    };
    publish(cluster, first);
    expect(clocksOf("geral", "geral", "geral")).toEqual([1, 2, 3]);
    // Which of the requests was refused is unknown here, so the clock of the other is unknown too.
    expect(clocksOf("nope", "geral")).toEqual([undefined]);
  });

  test("[O63] a request that waited for the check of its password has its step at the time when it came", () => {
    const scene = new Scene();
    scene.user("ana");
    scene.ask("login", { user: "ana", password: "ana's", id: "l-1", clock: 5 });
    const trace = scene.ask("trace", { of: "l-1", token: scene.operator }) as unknown as Trace;
    const [origin] = trace.servers as [ServerSteps];
    expect(step(origin, "asked").sentClock).toBe(5);
    expect(step(origin, "asked").atMs).toBeLessThan(step(origin, "made").atMs);
    expect(step(origin, "asked").clock).toBeLessThan(step(origin, "made").clock);
  });

  test("[O63] a server forgets what it has heard from servers that its core has forgotten", () => {
    const memory = new RememberedSteps(name, 100);
    const at = { wallMs: 1, steadyMs: 1 };
    const recorder = new StepRecorder({ name, memory, now: () => at, originMs: 0 });
    const { core } = servingCluster(1).server(1);
    const { peers } = core.replication;
    const other = serverName(2);
    const hear = () => {
      const durable = { [name]: 1 };
      core.replication.peer(other).durable = durable;
      const summary = { server: other, durable, clock: 1 } as ReplicaSummary;
      for (const _ of recorder.watch({ core, input: { type: "ack", summary }, now: at }, []));
      return memory.recall(`${name}/1`, {}).steps.filter(({ kind }) => kind === "heard").length;
    };
    expect([hear(), hear()]).toEqual([1, 1]);
    peers.clear();
    for (const _ of recorder.watch({ core, input: { type: "tick" }, now: at }, []));
    expect(hear()).toBe(2);
  });

  test("[O63] a server with --steps 0 remembers nothing, and still asks the other members", () => {
    const cluster = servingCluster(3, 1, { steps: 0 });
    publish(cluster, cluster.server(1), { id: "a-1" });
    const trace = traceOf(cluster, cluster.server(1), "a-1");
    expect(trace.event).toBeUndefined();
    expect(trace.servers.map(({ steps }) => steps)).toEqual([[], [], []]);
  });

  test("[Q14] the time of a step never leaves the millisecond of the machine's clock, even if that clock is set", () => {
    const time = new FineTime(1_000.4);
    expect(time.at({ wallMs: 1_001, steadyMs: 0.75 })).toBe(1_001.15);
    expect(time.at({ wallMs: 1_003, steadyMs: 0.85 })).toBe(1_003);
    expect(time.at({ wallMs: 1_003, steadyMs: 1.1 })).toBe(1_003.25);
    expect(time.at({ wallMs: 500, steadyMs: 1.2 })).toBe(500.999);
  });
});
