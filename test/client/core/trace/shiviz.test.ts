import { expect, test } from "vitest";
import { diagramOf } from "../../../../src/client/core/trace/diagram.ts";
import { happensBefore } from "../../../../src/client/core/trace/points.ts";
import { shivizLog } from "../../../../src/client/core/trace/shiviz.ts";
import { textsIn } from "../../../../src/texts/texts.ts";
import { startMs, wholeTrace } from "../../../support/traces.ts";

/** The parser that ShiViz proposes for such logs. */
const parser = /(?<host>\S*) (?<clock>{.*})\n(?<event>.*)/g;

test.each([1, 3, 7])(
  "ShiViz accepts the log of %i servers, and finds the same causes in it",
  (count) => {
    const client = { sentMs: startMs - 1, answer: { atMs: startMs + 9, clock: 40 } };
    const diagram = diagramOf(wholeTrace(count), client);
    const log = shivizLog(diagram, textsIn("en")).join("\n");
    const events = [...log.matchAll(parser)].map(({ groups = {} }) => {
      const { host = "", clock = "", event = "" } = groups;
      return { host, event, clock: JSON.parse(clock) as Record<string, number> };
    });
    expect(events).toHaveLength(diagram.points.length);
    const hosts = new Map<string, typeof events>();
    for (const one of events) hosts.set(one.host, [...(hosts.get(one.host) ?? []), one]);
    for (const [host, own] of hosts) {
      // ShiViz refuses a process whose own count does not rise by one from 1 on.
      expect(own.map(({ clock }) => clock[host])).toEqual(own.map((_, at) => at + 1));
      for (const { clock } of own) {
        for (const [other, seen] of Object.entries(clock)) {
          expect(seen).toBeGreaterThanOrEqual(1);
          expect(hosts.get(other)?.length).toBeGreaterThanOrEqual(seen);
        }
      }
    }
    for (const [a, { host, clock }] of events.entries()) {
      for (const [b, later] of events.entries()) {
        const [first, second] = [diagram.points[a], diagram.points[b]];
        if (first === undefined || second === undefined) throw new Error("a point is missing");
        const isBefore = a !== b && (later.clock[host] ?? 0) >= (clock[host] ?? 0);
        expect(isBefore).toBe(happensBefore(first, second));
      }
    }
  },
);

test("the ShiViz log has the Lamport clock and the time of each step", () => {
  const [host, words] = shivizLog(diagramOf(wholeTrace(3)), textsIn("en"));
  expect(host).toBe('client {"client":1}');
  expect(words).toBe("sent the request (– ms, Lamport 5)");
});
