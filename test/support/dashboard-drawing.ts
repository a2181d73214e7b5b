import type { Panel } from "./dashboards.ts";

interface Line {
  readonly name: string;
  /** Each with its time in seconds since 1970. */
  readonly points: readonly (readonly [number, number])[];
}

export interface Drawn {
  readonly panel: Panel;
  readonly lines: readonly Line[];
}

interface Span {
  readonly from: number;
  readonly to: number;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const [column, row, gap, head] = [50, 27, 8, 44];
const legendRow = 15;
const colours = ["#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#b877d9", "#5794f2"];
const [page, plate, edge, text, dim] = ["#111217", "#181b1f", "#2c3235", "#d8d9da", "#8e9196"];

/** Returns a picture of a dashboard as SVG, in Grafana's arrangement. */
export function drawing(title: string, panels: readonly Drawn[], span: Span): string {
  const rows = Math.max(...panels.map(({ panel: { gridPos } }) => gridPos.y + gridPos.h));
  const [width, height] = [24 * column, head + rows * row];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="11">`,
    `<rect width="100%" height="100%" fill="${page}"/>`,
    word(title, { x: gap, y: 28, size: 18 }),
    ...panels.map((drawn) => panelOf(drawn, span)),
    "</svg>\n",
  ].join("\n");
}

function panelOf({ panel, lines }: Drawn, span: Span): string {
  const { x, y, w, h } = panel.gridPos;
  const [left, top] = [x * column + gap / 2, head + y * row];
  const [width, height] = [w * column - gap, h * row - gap];
  const inside = { left: left + 60, top: top + 28, width: width - 72, height: height - 28 };
  return [
    `<rect x="${left}" y="${top}" width="${width}" height="${height}" rx="3" fill="${plate}" stroke="${edge}"/>`,
    word(panel.title, { x: left + 8, y: top + 17, size: 12 }),
    panel.type === "stat"
      ? statOf({ panel, lines }, inside)
      : chartOf({ panel, lines }, inside, span),
  ].join("\n");
}

function statOf({ panel, lines }: Drawn, { left, top, width, height }: Box): string {
  const { unit } = panel.fieldConfig.defaults;
  const shown = written(lines[0]?.points.at(-1)?.[1] ?? Number.NaN, unit);
  const place = { x: left + width / 2, y: top + height / 2 + 8, size: 34, colour: colours[0] };
  return word(shown, { ...place, anchor: "middle" });
}

function chartOf({ panel, lines }: Drawn, inside: Box, span: Span): string {
  const { left, top, width } = inside;
  const legend = legendOf(lines, inside);
  const height = inside.height - 22 - legend.height;
  const { unit, min, max } = panel.fieldConfig.defaults;
  const values = lines.flatMap(({ points }) => points.map(([, value]) => value));
  const finite = values.filter(Number.isFinite);
  const [low, high] = [min ?? Math.min(0, ...finite), max ?? Math.max(...finite)];
  const scale = ticksOf(low, high, finite.every(Number.isInteger) ? 1 : 0);
  const [bottom, ceiling] = [scale[0] ?? 0, scale.at(-1) ?? 1];
  const yOf = (value: number) => top + height * (1 - (value - bottom) / (ceiling - bottom));
  const xOf = (time: number) => left + (width * (time - span.from)) / (span.to - span.from);
  const grid = scale.map((tick) => {
    const y = yOf(tick).toFixed(1);
    const mark = word(written(tick, unit), {
      x: left - 6,
      y: Number(y) + 4,
      anchor: "end",
      colour: dim,
    });
    return `<path d="M${left} ${y}h${width}" stroke="${edge}"/>${mark}`;
  });
  const times = [];
  for (let second = 0; second <= span.to - span.from; second += 15) {
    const x = xOf(span.from + second);
    times.push(word(`${second} s`, { x, y: top + height + 15, anchor: "middle", colour: dim }));
  }
  const paths = lines.map(({ points }, number) => {
    const path = points.flatMap(([time, value], at) => {
      if (!Number.isFinite(value)) return [];
      // A pause in the answers is a gap in the line.
      const [before, last] = points[at - 1] ?? [0, Number.NaN];
      const command = time - before > 1.5 || !Number.isFinite(last) ? "M" : "L";
      return `${command}${xOf(time).toFixed(1)} ${yOf(value).toFixed(1)}`;
    });
    const colour = colours[number % colours.length];
    return `<path d="${path.join("")}" fill="none" stroke="${colour}" stroke-width="1.5" stroke-linejoin="round"/>`;
  });
  return [...grid, ...times, ...paths, legend.drawn].join("\n");
}

/** Returns the names of the lines in rows at the bottom of the box. */
function legendOf(lines: readonly Line[], { left, top, width, height }: Box) {
  let [x, rows] = [left - 48, 1];
  const places = lines.map(({ name }, number) => {
    const size = 24 + name.length * 6;
    if (x + size > left + width) [x, rows] = [left - 48, rows + 1];
    const place = { name, x, row: rows, colour: colours[number % colours.length] };
    x += size;
    return place;
  });
  const drawn = places.map(({ name, x: at, row: number, colour }) => {
    const y = top + height - (rows - number) * legendRow - 8;
    return `<path d="M${at} ${y - 4}h10" stroke="${colour}" stroke-width="3"/>${word(name, { x: at + 14, y })}`;
  });
  return { height: rows * legendRow, drawn: drawn.join("\n") };
}

/** Returns round values that enclose the two values, at least `least` apart. */
function ticksOf(low: number, high: number, least: number): number[] {
  const range = high > low ? high - low : 1;
  const magnitude = 10 ** Math.floor(Math.log10(range));
  const step = [0.2, 0.25, 0.5, 1, 2].map((one) => one * magnitude).find((one) => range / one <= 5);
  const size = Math.max(least, step ?? magnitude);
  const first = Math.floor(low / size + 1e-9);
  const count = Math.max(1, Math.ceil((low + range) / size - 1e-9) - first);
  return Array.from({ length: count + 1 }, (_, index) => (first + index) * size);
}

/** A value with Grafana's short unit. */
function written(value: number, unit: string): string {
  if (unit === "s" && value !== 0 && Math.abs(value) < 1) return `${short(value * 1_000)} ms`;
  if (unit === "percentunit") return `${short(value * 100)} %`;
  const scale = [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const;
  const [size, prefix] = scale.find(([least]) => Math.abs(value) >= least) ?? [1, ""];
  const names: Readonly<Record<string, string>> = { s: " s", reqps: " req/s", cps: " /s" };
  const name = unit === "bytes" ? ` ${prefix}B` : `${prefix}${names[unit] ?? ""}`;
  return `${short(value / size)}${name}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly size?: number;
  readonly colour?: string | undefined;
  readonly anchor?: string;
}

function word(shown: string, { x, y, size = 11, colour = text, anchor = "start" }: Place): string {
  const safe = shown.replace(/[&<>]/g, (one) => `&#${one.charCodeAt(0)};`);
  return `<text x="${x.toFixed(0)}" y="${y.toFixed(0)}" font-size="${size}" fill="${colour}" text-anchor="${anchor}">${safe}</text>`;
}
