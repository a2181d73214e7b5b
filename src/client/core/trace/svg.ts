import type { Text } from "../../../texts/texts.ts";
import type { Diagram } from "./diagram.ts";
import { type Label, type Layout, layoutOf, type Row, type Shaft } from "./layout.ts";
import { notesOf, titleOf } from "./words.ts";

/** Colours for light and dark backgrounds; the program that shows the picture chooses. */
const style = `
.trace { font: 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.trace text { fill: #1f2328; white-space: pre; }
.trace .paper { fill: #ffffff; }
.trace .title, .trace .name { font-weight: bold; }
.trace .faint { fill: #59636e; }
.trace .band { fill: #eef1f4; }
.trace .lane { stroke: #818b98; stroke-width: 1.5; }
.trace .guide { stroke: #d1d9e0; stroke-dasharray: 1 4; }
.trace .silent, .trace .open { stroke-dasharray: 4 4; }
.trace .clock { paint-order: stroke; stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round; }
.trace .dot { fill: #1f2328; }
.trace .client { stroke: #8250df; } .trace .client-head { fill: #8250df; }
.trace .event { stroke: #0969da; } .trace .event-head { fill: #0969da; }
.trace .acknowledgement { stroke: #1a7f37; } .trace .acknowledgement-head { fill: #1a7f37; }
.trace .arrow { stroke-width: 1.5; fill: none; }
@media (prefers-color-scheme: dark) {
.trace text { fill: #e6edf3; }
.trace .paper { fill: #0d1117; }
.trace .faint { fill: #9198a1; }
.trace .band { fill: #1c2430; }
.trace .lane { stroke: #656c76; }
.trace .guide { stroke: #3d444d; }
.trace .clock { stroke: #0d1117; }
.trace .dot { fill: #e6edf3; }
.trace .client { stroke: #bc8cff; } .trace .client-head { fill: #bc8cff; }
.trace .event { stroke: #58a6ff; } .trace .event-head { fill: #58a6ff; }
.trace .acknowledgement { stroke: #3fb950; } .trace .acknowledgement-head { fill: #3fb950; }
}`;

/** Returns a diagram as the lines of an SVG file. */
export function svgOf(diagram: Diagram, text: Text): string[] {
  const layout = layoutOf(diagram, text);
  const { width, height, title, lanes, headings, rows, arrows, bands, notes } = layout;
  const right = width - 8;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" class="trace" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<title>${escaped(titleOf(diagram, text))}</title>`,
    `<desc>${escaped(notesOf(diagram, text).join(" "))}</desc>`,
    ...`<style>${style}</style>`.split("\n"),
    `<rect class="paper" width="${width}" height="${height}" rx="8"/>`,
    ...bands.map(({ y, height: tall }) => {
      return `<rect class="band" x="8" y="${pixels(y)}" width="${right - 8}" height="${tall}" rx="6"/>`;
    }),
    ...lanes.map(({ x, top, bottom, isSilent }) => {
      return line(isSilent ? "lane silent" : "lane", { x, y: top }, { x, y: bottom });
    }),
    ...rows.map((row) => line("guide", row, { x: guideEnd(layout, row), y: row.y })),
    ...arrows.flatMap(arrowMarks),
    ...rows.map(({ x, y }) => `<circle class="dot" cx="${x}" cy="${y}" r="5"/>`),
    ...rows.map(({ clock }) => label("clock", clock)),
    label("title", title),
    ...lanes.flatMap(({ heading }) => heading.map((part) => label("name", part))),
    ...headings.map((heading) => label("faint", heading)),
    ...rows.flatMap(({ cells }) => cells.map((cell) => label("cell", cell))),
    ...notes.map((note) => label("note", note)),
    "</svg>",
  ];
}

function guideEnd({ headings, width }: Layout, { x }: Row): number {
  return Math.max(x, (headings[0]?.x ?? width) - 24);
}

function arrowMarks({ kind, from, via, to, head, isOpen }: Shaft): string[] {
  const corners = head.map(place).join(" ");
  return [
    `<path class="arrow ${kind}${isOpen ? " open" : ""}" d="M${place(from)} Q${place(via)} ${place(to)}"/>`,
    `<polygon class="${kind}-head" points="${corners}"/>`,
  ];
}

interface Place {
  readonly x: number;
  readonly y: number;
}

function line(look: string, from: Place, to: Place): string {
  const [x1, y1, x2, y2] = [from.x, from.y, to.x, to.y].map(pixels);
  return `<line class="${look}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;
}

function place({ x, y }: Place): string {
  return `${pixels(x)},${pixels(y)}`;
}

function label(look: string, { x, y, anchor, words }: Label): string {
  if (words === "") return "";
  const at = `x="${pixels(x)}" y="${pixels(y)}" text-anchor="${anchor}"`;
  return `<text class="${look}" ${at}>${escaped(words)}</text>`;
}

function pixels(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escaped(words: string): string {
  return words
    .replace(notXml, "\ufffd")
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Matches characters that no XML document can have, also not escaped. Source: XML 1.0, `Char`. */
const notXml = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;
