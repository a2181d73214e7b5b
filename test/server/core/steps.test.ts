import { describe, expect, test } from "vitest";
import type { Receipt, ReplyData } from "../../../src/protocol/client-messages.ts";
import { durations, limits } from "../../../src/protocol/limits.ts";
import type { ServerSteps } from "../../../src/protocol/steps.ts";
import { Scene } from "../../support/account-scene.ts";
import { servingCluster } from "../../support/core-cluster.ts";
import { kindsOf, message, publish, step, traceOf } from "../../support/core-traces.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

describe("the steps of an event", () => {
  test("[Q14] a receipt and a publication of the same moment have Lamport clocks in the order of the steps", () => {
    const cluster = servingCluster(3);
    const [first] = cluster.servers as [VirtualServer];
    cluster.subscribe("#geral\0");
    const { entry } = publish(cluster, first, { after: {} });
    const [origin] = traceOf(cluster, first, (entry as Receipt).id).servers as [ServerSteps];
    expect(step(origin, "published").atMs).toBe(step(origin, "replied").atMs);
    const clocks = origin.steps.map((one) => one.clock);
    expect(clocks).toEqual([...clocks].sort((a, b) => a - b));
  });

  test("[Q14] a trace has each step of a message, at its origin and at both other members", () => {
    const cluster = servingCluster(3);
    const [first, second, third] = cluster.servers as [VirtualServer, VirtualServer, VirtualServer];
    cluster.subscribe("#geral\0");
    cluster.subscribe("geral");
    const { entry } = publish(cluster, first, { id: "a-1", clock: 3 });
    cluster.runFor(durations.heartbeatMs);
    const trace = traceOf(cluster, second, "a-1");
    const { server, seq, clock } = entry as Receipt;
    const event = { server, seq, clock, id: "a-1", operation: "publication" };
    expect(trace).toMatchObject({ event, silent: [] });
    expect(trace.servers.map(({ name }) => name)).toEqual([first.name, second.name, third.name]);
    const [origin] = trace.servers as [ServerSteps];
    expect(step(origin, "asked").sentClock).toBe(3);
    expect(step(origin, "made").clock).toBe(trace.event?.clock);
    const own = kindsOf(trace, first.name);
    expect(own.slice(0, 4)).toEqual(["asked", "made", "synced", "sent"]);
    expect(own.slice(4).sort()).toEqual(["committed", "heard", "heard", "published", "replied"]);
    for (const { name } of [second, third]) {
      const kinds = kindsOf(trace, name);
      expect(kinds.slice(0, 2)).toEqual(["received", "synced"]);
      expect(kinds).toEqual(expect.arrayContaining(["acknowledged", "committed", "heard"]));
    }
  });

  test("[Q14] in a trace, Lamport clocks respect which step happened before which", () => {
    const cluster = servingCluster(5);
    cluster.subscribe("#geral\0");
    const texts = Array.from({ length: 40 }, (_, at) => `a-${at}`);
    const questions = texts.map((id, at) => {
      cluster.runFor(at % 3);
      return cluster.ask(cluster.server(1 + (at % 5)), "publish", { ...message, id, clock: at });
    });
    cluster.runUntil(() => questions.every(({ reply }) => reply !== undefined), "all replies");
    cluster.runFor(durations.heartbeatMs);
    for (const id of texts) {
      const { servers, event } = traceOf(cluster, cluster.server(3), id);
      const sent = servers.flatMap(({ steps }) => steps).find(({ kind }) => kind === "sent");
      for (const server of servers) {
        const clocks = server.steps.map(({ clock }) => clock);
        expect(clocks).toEqual([...clocks].sort((a, b) => a - b));
        const times = server.steps.map(({ atMs }) => atMs);
        expect(times).toEqual([...times].sort((a, b) => a - b));
        for (const { sentClock = -1, clock } of server.steps) {
          expect(sentClock).toBeLessThan(clock);
        }
        if (server.name === event?.server) continue;
        expect(step(server, "received")).toMatchObject({
          peer: event?.server,
          sentClock: sent?.clock,
        });
      }
      for (const { name, steps } of servers) {
        for (const { kind, peer, sentClock = 0 } of steps) {
          if (kind !== "heard") continue;
          const told = servers.find((server) => server.name === peer)?.steps ?? [];
          const isTold = told.some((one) => one.kind === "acknowledged" && one.clock <= sentClock);
          expect(isTold, `${name} heard that ${peer} has it`).toBe(true);
        }
      }
    }
  });

  test("[Q14] an event is found by its name, also if its request had no id", () => {
    const cluster = servingCluster(3);
    const first = cluster.server(1);
    const { entry } = publish(cluster, first, { clock: 2 }) as { entry?: { id: string } };
    const trace = traceOf(cluster, cluster.server(3), entry?.id ?? "");
    expect(trace.event).toMatchObject({ id: entry?.id, server: first.name });
    expect(kindsOf(trace, first.name).slice(0, 2)).toEqual(["asked", "made"]);
    expect(step(trace.servers[0] as ServerSteps, "asked").sentClock).toBe(2);
  });

  test("[Q14] a trace of an event that no server remembers has neither the event nor steps", () => {
    const cluster = servingCluster(3);
    for (const of of ["unknown", `${cluster.server(1).name}/999`]) {
      const trace = traceOf(cluster, cluster.server(1), of);
      expect(trace.event).toBeUndefined();
      expect(trace.servers.flatMap(({ steps }) => steps)).toEqual([]);
      expect(trace.servers).toHaveLength(3);
    }
  });

  test("[Q14] a server without the record of an event asks its members again by the event's name", () => {
    const cluster = servingCluster(3);
    const first = cluster.server(1);
    publish(cluster, first, { id: "a-1" });
    cluster.runFor(durations.heartbeatMs);
    const second = cluster.server(2);
    cluster.kill(second);
    cluster.start(second);
    cluster.runUntilServing();
    const trace = traceOf(cluster, second, "a-1");
    expect(trace.event).toMatchObject({ server: first.name, id: "a-1" });
    expect(kindsOf(trace, first.name)).toContain("made");
    expect(kindsOf(trace, cluster.server(3).name)).toContain("received");
  });

  test("[O63] a server that restarts has no steps of the events that it loads from its disk", () => {
    const cluster = servingCluster(3);
    const [first, second, third] = cluster.servers as [VirtualServer, VirtualServer, VirtualServer];
    publish(cluster, first, { id: "a-1" });
    cluster.runFor(durations.heartbeatMs);
    for (const server of [first, third]) {
      cluster.kill(server);
      cluster.start(server);
    }
    cluster.runUntilServing();
    publish(cluster, first, { id: "a-2" });
    cluster.runFor(3 * durations.heartbeatMs);
    const old = traceOf(cluster, second, "a-1");
    expect(old.event).toMatchObject({ id: "a-1" });
    for (const { name } of [first, third]) expect(kindsOf(old, name)).toEqual([]);
    const later = traceOf(cluster, second, "a-2");
    expect(kindsOf(later, first.name)).toEqual(
      expect.arrayContaining(["asked", "made", "synced", "sent", "heard", "committed", "replied"]),
    );
    expect(kindsOf(later, third.name)).toEqual(
      expect.arrayContaining(["received", "synced", "acknowledged", "committed"]),
    );
  });

  test("[Q14] a member that does not answer within a second is silent", () => {
    const cluster = servingCluster(3);
    publish(cluster, cluster.server(1), { id: "a-1" });
    const absent = cluster.server(3);
    cluster.freeze(absent);
    const from = cluster.time.nowMs;
    const { silent, servers } = traceOf(cluster, cluster.server(1), "a-1");
    expect(silent).toEqual([absent.name]);
    expect(servers.map(({ name }) => name)).not.toContain(absent.name);
    expect(cluster.time.nowMs - from).toBeLessThan(durations.peerRequestMs + 200);
  });

  test("[Q14] a server has a bounded number of open traces, and refuses further ones", () => {
    const cluster = servingCluster(3);
    for (const server of cluster.servers.slice(1)) cluster.freeze(server);
    const ask = (connection: string) => {
      const payload = { service: "trace", data: { of: "a-1" } };
      return cluster.askPayload(cluster.server(1), payload, connection);
    };
    const questions = Array.from({ length: limits.openTraces }, (_, at) => ask(`${at}`));
    const refused = ask("one");
    cluster.runUntil(() => refused.reply !== undefined, "a refusal", 100);
    expect(refused.reply).toMatchObject({ code: "unavailable", retry: true });
    cluster.runUntil(() => questions.every(({ reply }) => reply !== undefined), "all replies");
    for (const { reply } of questions) expect(reply).toMatchObject({ status: "OK" });
  });

  test("[Q14] a connection with three open traces gets no further one, and others do", () => {
    const cluster = servingCluster(3);
    const ask = (connection: string) => {
      const payload = { service: "trace", data: { of: "a-1" } };
      return cluster.askPayload(cluster.server(1), payload, connection);
    };
    const all = ["one", "one", "one", "one", "two"].map(ask);
    cluster.runUntil(() => all.every(({ reply }) => reply !== undefined), "all replies");
    const codes = all.map(({ reply }) => reply?.code);
    expect(codes).toEqual([undefined, undefined, undefined, "unavailable", undefined]);
    const again = ask("one");
    cluster.runUntil(() => again.reply !== undefined, "a reply");
    expect(again.reply).toMatchObject({ status: "OK" });
  });

  test("[X4] a trace counts as 20 requests for its connection's pace", () => {
    const cluster = servingCluster(1, 1, {
      flood: { user: undefined, connection: { perSecond: 1, burst: 45 } },
    });
    const ask = () => cluster.request(cluster.server(1), "trace", { of: "a-1" }).code;
    expect([ask(), ask(), ask()]).toEqual([undefined, undefined, "rate_limited"]);
  });

  test("[Q14] a payload asks for at most as many traces as its reply has room for", () => {
    const cluster = servingCluster(3);
    const payload = Array.from({ length: 100 }, () => ({ service: "trace", data: { of: "x" } }));
    const question = cluster.askPayload(cluster.server(1), payload);
    cluster.runUntil(() => question.reply !== undefined, "a reply");
    const codes = new Set(question.replies?.map(({ data }) => data.code));
    expect(codes).toEqual(new Set([undefined, "unavailable", "too_large"]));
  });

  test("[Q14] without accounts, a person behind a gateway must be on the gateway's machine", () => {
    const cluster = servingCluster(1);
    const asked = (via?: string) => {
      const question = cluster.askParsed.bind(cluster);
      let reply: ReplyData | undefined;
      const request = { service: "trace", of: "a-1", clock: 1, id: undefined, via } as const;
      question(cluster.server(1), request, (data) => {
        reply = data;
      });
      cluster.runUntil(() => reply !== undefined, "a reply");
      return reply;
    };
    for (const via of [undefined, "127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"]) {
      expect(asked(via)).toMatchObject({ status: "OK" });
    }
    for (const via of ["192.0.2.1", "::ffff:192.0.2.1", "127.0.0.1.example", "::2", "1127.0.0.1"]) {
      expect(asked(via)).toMatchObject({ code: "forbidden", retry: false });
    }
  });

  test("[Q14] with accounts, only administrators may ask, from any address", () => {
    const scene = new Scene();
    const ana = scene.user("ana");
    const refused = scene.ask("trace", { of: "a-1", token: ana });
    expect(refused).toMatchObject({ code: "forbidden", reason: "not_administrator" });
    const via = { of: "a-1", via: "192.0.2.1", token: scene.operator };
    expect(scene.ask("trace", via)).toMatchObject({ status: "OK" });
  });

  test("[Q14] a trace has nothing of a message's text and of its users", () => {
    const cluster = servingCluster(3);
    publish(cluster, cluster.server(1), { id: "a-1", message: "a very secret text" });
    const text = JSON.stringify(traceOf(cluster, cluster.server(2), "a-1"));
    expect(text).not.toMatch(/secret|ana|geral/);
  });
});
