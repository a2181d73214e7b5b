import { expect, test } from "vitest";
import { diagramOf } from "../../../../src/client/core/trace/diagram.ts";
import {
  bandsOf,
  type Label,
  type Layout,
  layoutOf,
} from "../../../../src/client/core/trace/layout.ts";
import { concurrent } from "../../../../src/client/core/trace/points.ts";
import { svgOf } from "../../../../src/client/core/trace/svg.ts";
import { harmless } from "../../../../src/protocol/harmless.ts";
import type { ServerName } from "../../../../src/protocol/ids.ts";
import type { Trace } from "../../../../src/protocol/steps.ts";
import { languages, textsIn } from "../../../../src/texts/texts.ts";
import { changed, origin, serverName, startMs, step, wholeTrace } from "../../../support/traces.ts";

const client = { sentMs: startMs - 1, answer: { atMs: startMs + 20, clock: 40 } };
const characterWidth = 7.3;

/** The box that a text fills. */
function boxOf({ x, y, anchor, words }: Label) {
  const width = words.length * characterWidth;
  const left = anchor === "start" ? x : anchor === "end" ? x - width : x - width / 2;
  return { left, right: left + width, top: y - 10, bottom: y + 3, words };
}

/** The trace with the largest Lamport clocks, which take the most space. */
function withLargeClocks(trace: Trace): Trace {
  const large = (clock: number) => Number.MAX_SAFE_INTEGER - 100 + clock;
  const servers = trace.servers.map(({ steps, ...server }) => {
    const raised = steps.map((one) => ({ ...one, clock: large(one.clock) }));
    return { ...server, steps: raised };
  });
  return { ...trace, servers };
}

for (const language of languages) {
  test.each([1, 2, 3, 5, 7])(
    `in the picture of %i servers in the language ${language}, no two texts overlap, and all are inside`,
    (count) => {
      for (const trace of [wholeTrace(count), withLargeClocks(wholeTrace(count))]) {
        areApart(layoutOf(diagramOf(trace, client), textsIn(language)));
      }
    },
  );
}

function areApart(layout: Layout): void {
  const { lanes, rows, headings, notes, title } = layout;
  const labels = [
    title,
    ...lanes.flatMap(({ heading }) => heading),
    ...headings,
    ...rows.flatMap(({ clock, cells }) => [clock, ...cells]),
    ...notes,
  ].filter(({ words }) => words !== "");
  const boxes = labels.map(boxOf);
  for (const [at, a] of boxes.entries()) {
    expect(a.left, a.words).toBeGreaterThanOrEqual(0);
    expect(a.right, a.words).toBeLessThanOrEqual(layout.width);
    expect(a.bottom, a.words).toBeLessThanOrEqual(layout.height);
    for (const b of boxes.slice(at + 1)) {
      const apart =
        a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
      expect(apart, `"${a.words}" overlaps "${b.words}"`).toBe(true);
    }
  }
}

test("every arrow of the picture points down, also if the clocks are wrong", () => {
  const trace = changed(wholeTrace(7), serverName(3), ({ steps }) => {
    return { steps: steps.map((one) => ({ ...one, atMs: one.atMs - 900 })) };
  });
  const { arrows } = layoutOf(diagramOf(trace, client), textsIn("en"));
  expect(arrows.length).toBeGreaterThan(12);
  for (const { from, to } of arrows) expect(to.y).toBeGreaterThan(from.y);
});

test("each band of the picture holds successive steps that are concurrent with each other", () => {
  const { points } = diagramOf(wholeTrace(3), client);
  const bands = bandsOf(points);
  expect(bands.length).toBeGreaterThan(0);
  for (const [first, last] of bands) {
    const inside = points.slice(first, last + 1);
    for (const a of inside) {
      for (const b of inside) expect(a === b || concurrent(a, b)).toBe(true);
    }
  }
});

test("the picture shows hostile names, ids and operations as text, and stays one XML document", () => {
  const notXml = "\ufffe\uffff\ud800";
  const evil = `</text><script>alert("1")</script>&'` as ServerName;
  const whole = wholeTrace(3);
  const trace = {
    ...whole,
    event: { server: evil, seq: 1, clock: 1, id: `<b>\u202e\u0000${notXml}`, operation: "]]>" },
    servers: [{ name: evil, offsetMs: 0, steps: [step("heard", [1, 1], { peer: evil })] }],
    silent: [evil, origin],
  };
  const svg = svgOf(diagramOf(trace), textsIn("en")).join("\n");
  expect(svg).not.toContain("<script");
  expect(svg).not.toContain("<b>");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: XML allows no NUL
  expect(svg).not.toMatch(/[\u0000\u202e\ufffe\uffff]/);
  expect(svg.isWellFormed()).toBe(true);
  expect(svg.match(/<text /g)?.length).toBe(svg.match(/<\/text>/g)?.length);
});

test("the picture has a title and a description for screen readers, and needs no other file", () => {
  const lines = svgOf(diagramOf(wholeTrace(3), client), textsIn("en"));
  // A command makes each line harmless, and would replace a line end in it.
  expect(lines.map(harmless)).toEqual(lines);
  const svg = lines.join("\n");
  expect(svg).toContain('role="img"');
  expect(svg).toContain("<title>Event server_00000000/7 (publish)");
  expect(svg).toMatch(/<desc>By the origin&#39;s clock/);
  expect(svg).toContain("@media (prefers-color-scheme: dark)");
  expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(/https?:|href|url\(/);
});
