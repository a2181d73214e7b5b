import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Diagram, diagramOf } from "../../../../src/client/core/trace/diagram.ts";
import { concurrent, happensBefore, type Point } from "../../../../src/client/core/trace/points.ts";
import { type Step, stepKinds, type Trace } from "../../../../src/protocol/steps.ts";
import {
  changed,
  firstSteps,
  follower,
  origin,
  serverName,
  startMs,
  step,
  traceOf,
  wholeTrace,
} from "../../../support/traces.ts";

/** A point's name in the expectations, such as `0 sent`; the client is `client`. */
const nameOf = ({ lines }: Diagram, { line, kind }: Point) => {
  return `${lines[line]?.server?.slice(-1) ?? "client"} ${kind}`;
};

function arrowsOf(diagram: Diagram): string[] {
  return diagram.arrows.map(({ from, fromLine, to }) => {
    const source = from === undefined ? `line ${fromLine}` : nameOf(diagram, from);
    return `${source} → ${nameOf(diagram, to)}`;
  });
}

function find(diagram: Diagram, name: string): Point {
  const found = diagram.points.find((point) => nameOf(diagram, point) === name);
  if (found === undefined) throw new Error(`the diagram has no point ${name}`);
  return found;
}

/** Fails if a point comes before one of its causes, in the order or by the vector clocks. */
function isOrdered({ points, arrows }: Diagram): void {
  const place = new Map(points.map((point, at) => [point, at]));
  for (const { from, to } of arrows) {
    if (from === undefined) continue;
    expect(place.get(from)).toBeLessThan(place.get(to) ?? -1);
    expect(happensBefore(from, to)).toBe(true);
  }
  for (const [at, point] of points.entries()) {
    for (const later of points.slice(at + 1)) expect(happensBefore(later, point)).toBe(false);
  }
}

const client = { sentMs: startMs - 1, answer: { atMs: startMs + 8, clock: 40 } };

test("the arrows of an event lead from the client over its origin to the peers and back", () => {
  const diagram = diagramOf(wholeTrace(3), client);
  expect(arrowsOf(diagram).sort()).toEqual([
    "0 replied → client answered",
    "0 sent → 1 received",
    "0 sent → 2 received",
    "1 acknowledged → 0 heard",
    "2 acknowledged → 0 heard",
    "client requested → 0 asked",
  ]);
  expect(diagram.lines.map(({ server }) => server)).toEqual([
    undefined,
    origin,
    serverName(1),
    serverName(2),
  ]);
  expect(diagram.skews).toEqual([]);
  isOrdered(diagram);
});

test("steps of different processes are concurrent unless messages lead from one to the other", () => {
  const diagram = diagramOf(wholeTrace(3), client);
  const point = (name: string) => find(diagram, name);
  expect(happensBefore(point("client requested"), point("2 synced"))).toBe(true);
  expect(happensBefore(point("1 synced"), point("0 committed"))).toBe(true);
  expect(happensBefore(point("0 committed"), point("1 synced"))).toBe(false);
  expect(concurrent(point("1 synced"), point("2 synced"))).toBe(true);
  expect(concurrent(point("0 replied"), point("2 acknowledged"))).toBe(true);
  expect(concurrent(point("0 sent"), point("0 sent"))).toBe(false);
});

test("each point's vector clock counts the points of each process that are its causes", () => {
  const diagram = diagramOf(wholeTrace(3), client);
  expect(find(diagram, "client requested").vector).toEqual([1, 0, 0, 0]);
  expect(find(diagram, "0 sent").vector).toEqual([1, 4, 0, 0]);
  expect(find(diagram, "1 acknowledged").vector).toEqual([1, 4, 3, 0]);
  expect(find(diagram, "0 committed").vector).toEqual([1, 6, 3, 0]);
  expect(find(diagram, "client answered").vector).toEqual([2, 7, 3, 0]);
});

test("no arrow points back if a server's clock is behind, and the contradiction is measured", () => {
  const trace = changed(wholeTrace(3), serverName(1), ({ steps }) => {
    return { steps: steps.map((one) => ({ ...one, atMs: one.atMs - 5 })) };
  });
  const diagram = diagramOf(trace, client);
  isOrdered(diagram);
  const [skew] = diagram.skews;
  expect(diagram.skews).toHaveLength(1);
  expect([skew?.from.server, skew?.to.server]).toEqual([origin, serverName(1)]);
  // The event left at 1.3 ms, and arrived at 3 - 5 ms.
  expect(skew?.ms).toBeCloseTo(3.3, 3);
});

test("a known correction of a server's clock is applied to its times", () => {
  const trace = changed(wholeTrace(3), serverName(1), ({ steps }) => {
    return { offsetMs: 5, steps: steps.map((one) => ({ ...one, atMs: one.atMs - 5 })) };
  });
  expect(diagramOf(trace).skews).toEqual([]);
  expect(find(diagramOf(trace), "1 received").timeMs).toBe(startMs + 3);
});

test("a silent server has a line without points, and its acknowledgement has no known source", () => {
  const whole = wholeTrace(3);
  const silent = { ...whole, servers: whole.servers.slice(0, 2), silent: [serverName(2)] };
  const diagram = diagramOf(silent);
  expect(diagram.lines.at(-1)).toMatchObject({ server: serverName(2), isSilent: true });
  expect(arrowsOf(diagram)).toContain("line 3 → 0 heard");
  expect(diagram.stepless).toEqual([]);
});

test("servers that have no step of the event, or have forgotten their first steps, are named", () => {
  const none = changed(wholeTrace(3), serverName(1), () => ({ steps: [] }));
  expect(diagramOf(none).stepless).toEqual([serverName(1)]);
  const some = changed(wholeTrace(3), origin, ({ steps }) => ({ steps: steps.slice(3) }));
  expect(diagramOf(some).forgetful).toEqual([origin]);
  expect(diagramOf(wholeTrace(3)).forgetful).toEqual([]);
});

test("if a heartbeat replaces a lost acknowledgement, its arrow begins at the last known step before it", () => {
  const [told, heard] = [follower(1), { peer: serverName(1), sentClock: 40 }];
  const steps = [...firstSteps, step("heard", [500, 41], heard)];
  const servers = [{ name: origin, offsetMs: 0, steps }, told];
  expect(arrowsOf(diagramOf(traceOf(servers)))).toContain("1 acknowledged → 0 heard");
  const unsaid = { ...told, steps: told.steps.slice(0, 2) };
  const diagram = diagramOf(traceOf([servers[0] as typeof told, unsaid]));
  expect(arrowsOf(diagram)).toContain("1 synced → 0 heard");
  isOrdered(diagram);
});

test("each of two acknowledgements of one server has an arrow from the step that sent it", () => {
  const again = follower(1);
  const steps = [...again.steps, step("acknowledged", [6, 18])];
  const heard = [16, 18].map((clock) => {
    return step("heard", [clock / 2, clock + 10], { peer: serverName(1), sentClock: clock });
  });
  const own = { name: origin, offsetMs: 0, steps: [...firstSteps, ...heard] };
  const { arrows } = diagramOf(traceOf([own, { ...again, steps }]));
  const sources = arrows.filter(({ to }) => to.kind === "heard").map(({ from }) => from?.clock);
  expect(sources).toEqual([16, 18]);
});

test("a server that fetched the event from a peer has an arrow from that peer", () => {
  const late = follower(2, 400);
  const fetched = { peer: serverName(1), sentClock: 60 };
  const steps = [step("received", [400, 61], fetched), ...late.steps.slice(1)];
  const trace = changed(wholeTrace(3), serverName(2), () => ({ steps }));
  expect(arrowsOf(diagramOf(trace))).toContain("1 acknowledged → 2 received");
});

test("the receipt of a repeated request comes from the server that sent it, which need not be the origin", () => {
  const trace = changed(wholeTrace(3), serverName(2), ({ steps }) => {
    return { steps: [...steps, step("replied", [9, 35])] };
  });
  expect(arrowsOf(diagramOf(trace, client))).toContain("2 replied → client answered");
  const early = { ...client, answer: { ...client.answer, clock: 34 } };
  expect(arrowsOf(diagramOf(trace, early))).toContain("0 replied → client answered");
});

test("without a quorum the diagram ends with what the origin did alone", () => {
  const own = { name: origin, offsetMs: null, steps: firstSteps };
  const silent = [serverName(1), serverName(2)];
  const diagram = diagramOf(traceOf([own], silent), { sentMs: startMs, answer: undefined });
  const names = diagram.points.map((point) => nameOf(diagram, point));
  expect(names).toEqual(["client requested", "0 asked", "0 made", "0 synced", "0 sent"]);
  expect(diagram.lines).toHaveLength(4);
});

test("the diagram of an event on seven servers has an arrow to and from each peer", () => {
  const diagram = diagramOf(wholeTrace(7), client);
  expect(diagram.points).toHaveLength(2 + 4 + 6 + 3 + 6 * 3);
  expect(diagram.arrows.filter(({ from }) => from !== undefined)).toHaveLength(2 + 6 + 6);
  isOrdered(diagram);
});

test("if no server remembers the event, the diagram has no points", () => {
  const diagram = diagramOf({ event: undefined, servers: [], silent: [origin] });
  expect(diagram.points).toEqual([]);
  expect(diagram.lines).toHaveLength(1);
});

test("all steps of a server that its message's clock is above happened before the message arrived", () => {
  const gaps = fc.array(fc.nat(3), { minLength: 3, maxLength: 8 });
  const anyTrace = fc.record({ gaps, acknowledged: fc.nat(7), sentAfter: fc.nat(30) });
  fc.assert(
    fc.property(anyTrace, ({ gaps: pauses, acknowledged, sentAfter }) => {
      let clock = 14;
      const peerSteps = pauses.map((pause, at): Step => {
        clock += pause;
        const kind = at === 0 ? "received" : at === acknowledged ? "acknowledged" : "committed";
        const sent = at === 0 ? { peer: origin, sentClock: 13 } : {};
        return step(kind, [2 + at, clock], sent);
      });
      const sentClock = 14 + sentAfter;
      const heard = step("heard", [20, sentClock + 60], { peer: serverName(1), sentClock });
      const servers = [
        { name: origin, offsetMs: 0, steps: [...firstSteps, heard] },
        { name: serverName(1), offsetMs: 0, steps: peerSteps },
      ];
      const diagram = diagramOf(traceOf(servers), client);
      const arrival = find(diagram, "0 heard");
      for (const point of diagram.points.filter(({ line }) => line === 2)) {
        if ((point.clock ?? 0) < sentClock) expect(happensBefore(point, arrival)).toBe(true);
      }
      isOrdered(diagram);
    }),
  );
});

test("a diagram of impossible clocks and peers still keeps the order of each line", () => {
  const anyStep = fc.record({
    kind: fc.constantFrom(...stepKinds),
    atMs: fc.double({ min: 0, max: 100, noNaN: true }),
    clock: fc.nat(9),
    peer: fc.option(fc.nat(3).map(serverName), { nil: undefined }),
    sentClock: fc.option(fc.nat(9), { nil: undefined }),
  });
  const anySteps = fc.array(fc.array(anyStep, { maxLength: 6 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(anySteps, (all: readonly (readonly Step[])[]) => {
      const servers = all.map((steps, at) => ({ name: serverName(at), offsetMs: null, steps }));
      const trace: Trace = traceOf(servers);
      const diagram = diagramOf(trace, client);
      expect(diagram.points).toHaveLength(all.flat().length + 2);
      isOrdered(diagram);
      for (const [at, { steps }] of servers.entries()) {
        const own = diagram.points.filter(({ line }) => line === at + 1);
        expect(own.map(({ kind, clock }) => [kind, clock])).toEqual(
          steps.map(({ kind, clock }) => [kind, clock]),
        );
      }
    }),
  );
});
