import { expect, test } from "vitest";
import { diagramOf } from "../../../../src/client/core/trace/diagram.ts";
import { diagramLines } from "../../../../src/client/core/trace/lines.ts";
import { textsIn } from "../../../../src/texts/texts.ts";
import {
  changed,
  firstSteps,
  origin,
  serverName,
  startMs,
  traceOf,
  wholeTrace,
} from "../../../support/traces.ts";

const linesOf = (...args: Parameters<typeof diagramOf>) => {
  return diagramLines(diagramOf(...args), textsIn("en"));
};

test("the text of a trace has a line per step, with the steps that are concurrent with it", () => {
  const answer = { atMs: startMs + 8, clock: 40 };
  const lines = linesOf(wholeTrace(2), { sentMs: startMs - 0.5, answer });
  expect(lines.join("\n")).toBe(
    `
Event server_00000000/7 (publish), Lamport clock 12, id the-id

 #    MS  CLOCK  PROCESS          STEP                                       CONCURRENT WITH
 1  0.00      5  client           sent the request
 2  0.50     11  server_00000000  received the request
 3  0.70     12  server_00000000  made the event
 4  1.70     12  server_00000000  synced the event to disk
 5  1.80     13  server_00000000  sent the event to the other servers
 6  3.50     15  server_00000001  received the event from server_00000000
 7  4.50     15  server_00000001  synced the event to disk
 8  5.00     16  server_00000001  acknowledged: it is on disk here
 9  5.50     30  server_00000000  heard that server_00000001 has it on disk
10  5.60     30  server_00000000  knows that a quorum has it on disk
11  5.61     30  server_00000000  sent the receipt
12  5.62     30  server_00000000  sent the message to the subscribers        13
13  8.50     40  client           received the receipt                       12

By the origin's clock, from its first step: on its disk after 1.20 ms, committed after 5.10 ms, receipt sent after 5.11 ms, published after 5.12 ms.
The client had its receipt after 8.50 ms by its own clock.
Corrections of the clocks in ms: server_00000000 0.00, server_00000001 0.00.`.trimStart(),
  );
});

test("the text says that an event without a quorum is not committed, and which servers are silent", () => {
  const own = { name: origin, offsetMs: null, steps: firstSteps };
  const silent = [serverName(1), serverName(2)];
  const lines = linesOf(traceOf([own], silent), { sentMs: startMs, answer: undefined });
  expect(lines).toContain(
    "As far as these servers know, no quorum has the event on disk, so it is not committed.",
  );
  expect(lines).toContain(
    "No answer from server_00000001, server_00000002, so their steps are missing here.",
  );
  expect(lines).toContain("The client has received no receipt.");
});

test("the text says by how much clocks contradict each other, in both languages", () => {
  const trace = changed(wholeTrace(3), serverName(1), ({ steps }) => {
    return { steps: steps.map((one) => ({ ...one, atMs: one.atMs - 5 })) };
  });
  expect(linesOf(trace)).toContain(
    "By the clocks, server_00000001 received a message of server_00000000 before it was sent: these clocks differ by at least 3.30 ms.",
  );
  expect(diagramLines(diagramOf(trace), textsIn("pt-br")).join("\n")).toContain(
    "server_00000001 recebeu uma mensagem de server_00000000 antes do envio",
  );
});

test("the text names servers that have no step of the event, or have forgotten their first steps", () => {
  const none = changed(wholeTrace(3), serverName(1), () => ({ steps: [] }));
  expect(linesOf(none).join("\n")).toContain("No step from server_00000001:");
  const some = changed(wholeTrace(3), origin, ({ steps }) => ({ steps: steps.slice(2) }));
  expect(linesOf(some).join("\n")).toMatch(
    /first steps of these servers are missing .*: server_00000000\./,
  );
  expect(linesOf(some).join("\n")).not.toContain("from its first step");
});
