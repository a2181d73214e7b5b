import type { ChaosResult } from "./chaos.ts";
import type { Failover } from "./core/failovers.ts";
import type { Fault } from "./core/fault-plan.ts";
import type { Latency } from "./core/pace.ts";

type Run = Pick<ChaosResult, "failovers" | "lengthMs" | "marks" | "pace" | "nodes" | "terms">;

/** The texts that the report shows while the pointer is on a mark. */
export interface Captions {
  fault(fault: Fault): string;
  failover(failover: Failover): string;
}

export const faultKinds = ["kill", "stop", "cut", "slow", "reset", "promote"] as const;

/**
 * Sizes of the drawings in pixels. All drawings have the same width, so that a moment is at the
 * same place in each of them.
 */
const width = 1_060;
const left = 90;
const right = 16;
const axisHeight = 24;
const laneHeight = 26;
const rateHeight = 110;
const latencyHeight = 170;
/** The least width of a fault's mark in pixels, so that the shortest fault is visible. */
const leastWidth = 3;

export function escaped(text: string): string {
  const codes: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text.replace(/[&<>"]/g, (sign) => codes[sign] ?? sign);
}

/**
 * Draws one lane for each process, with its faults and its terms as coordinator. Also draws each
 * failover, from the fault to the next granted claim.
 */
export function timeline(run: Run, captions: Captions): string {
  const { nodes, marks, lengthMs } = run;
  const height = nodes.length * laneHeight;
  const x = timeScale(run);
  const lanes = nodes.map((node, at) => {
    const top = at * laneHeight;
    const own = marks
      .filter((mark) => mark.node === node)
      .map(({ fault, fromMs, toMs }) => {
        const from = x(fromMs);
        const wide = Math.max(leastWidth, x(Math.min(toMs ?? lengthMs, lengthMs)) - from);
        const shape = `y="${top + 5}" height="${laneHeight - 10}"`;
        const title = `<title>${seconds(fromMs)}: ${escaped(captions.fault(fault))}</title>`;
        const { kind } = fault;
        return (
          `<g class="${kind}">${title}` +
          `<rect class="lasting" x="${px(from)}" width="${px(wide)}" ${shape} rx="2"/>` +
          `<rect x="${px(from)}" width="${leastWidth}" ${shape}/></g>`
        );
      });
    const name = `<text class="name" x="0" y="${top + 17}">${escaped(node)}</text>`;
    return name + own.join("");
  });
  const failovers = run.failovers.map((one) => failoverMark(run, one, captions));
  return svg(height, [
    gaps(run, height),
    timeAxis(run, height),
    ...terms(run),
    ...lanes,
    ...failovers,
  ]);
}

/** Draws each term as a line at the bottom of the coordinator's lane. */
function terms(run: Run): string[] {
  const x = timeScale(run);
  return run.terms.flatMap(({ node, atMs }, at) => {
    const lane = run.nodes.indexOf(node);
    const endMs = run.terms[at + 1]?.atMs ?? run.lengthMs;
    if (lane < 0 || endMs <= 0) return [];
    const from = x(Math.max(0, atMs));
    const size = `width="${px(Math.max(1, x(endMs) - from))}" height="3"`;
    return `<rect class="term" x="${px(from)}" y="${(lane + 1) * laneHeight - 4}" ${size}/>`;
  });
}

/**
 * Draws a failover as a line from the old coordinator's lane to the new coordinator's lane, and on
 * to the next granted claim.
 */
function failoverMark(run: Run, failover: Failover, captions: Captions): string {
  const { coordinator, successor, atMs, officeAfterMs, servedAfterMs } = failover;
  const x = timeScale(run);
  const y = (node: string) => (run.nodes.indexOf(node) + 0.5) * laneHeight;
  const servedMs = Math.min(atMs + (servedAfterMs ?? officeAfterMs), run.lengthMs);
  const [from, entered, served] = [atMs, atMs + officeAfterMs, servedMs].map((ms) => px(x(ms)));
  const path = `M${from} ${y(coordinator)}L${entered} ${y(successor)}H${served}`;
  return (
    `<g class="failover"><title>${escaped(captions.failover(failover))}</title>` +
    `<path d="${path}"/><circle cx="${entered}" cy="${y(successor)}" r="5"/></g>`
  );
}

/** Draws how many writes were acknowledged in each span. */
export function rateChart(run: Run): string {
  const { spans, spanMs } = run.pace;
  const x = timeScale(run);
  const most = roundedUp(Math.max(1, ...spans.map(({ acknowledged }) => acknowledged)));
  const y = (count: number) => rateHeight - (count / most) * (rateHeight - 12);
  const barWidth = Math.max(0.5, x(spanMs) - x(0) - 1);
  const bars = spans.map(({ fromMs, acknowledged }) => {
    const top = y(acknowledged);
    const title = `<title>${seconds(fromMs)}: ${acknowledged}</title>`;
    const size = `width="${px(barWidth)}" height="${px(rateHeight - top)}"`;
    return `<rect class="rate" x="${px(x(fromMs))}" y="${px(top)}" ${size}>${title}</rect>`;
  });
  const lines = [0, most / 2, most].map((count) => gridLine(y(count), String(count)));
  return svg(rateHeight, [gaps(run, rateHeight), ...lines, timeAxis(run, rateHeight), ...bars]);
}

/** Draws median, 99th percentile and maximum latency of each span, on a logarithmic scale. */
export function latencyChart(run: Run): string {
  const { spans, spanMs, latency } = run.pace;
  const x = timeScale(run);
  const decades = Math.max(2, Math.ceil(Math.log10(Math.max(10, latency?.maxMs ?? 10))));
  const y = (ms: number) =>
    latencyHeight - (Math.log10(Math.max(1, ms)) / decades) * (latencyHeight - 12);
  const lines = Array.from({ length: decades + 1 }, (_, power) => {
    return gridLine(y(10 ** power), power < 3 ? `${10 ** power} ms` : `${10 ** (power - 3)} s`);
  });
  const curve = (kind: string, value: (latency: Latency) => number) => {
    let pen = "M";
    const points = spans.map(({ fromMs, latency: own }) => {
      // A span without an acknowledged write interrupts the line.
      if (own === undefined) {
        pen = "M";
        return "";
      }
      const point = `${pen}${px(x(fromMs + spanMs / 2))} ${px(y(value(own)))}`;
      // `h0` draws a dot, so that a point between two interruptions is visible.
      const dot = pen === "M" ? "h0" : "";
      pen = "L";
      return point + dot;
    });
    return `<path class="${kind}" d="${points.join("")}"/>`;
  };
  return svg(latencyHeight, [
    gaps(run, latencyHeight),
    ...lines,
    timeAxis(run, latencyHeight),
    curve("max", ({ maxMs }) => maxMs),
    curve("p99", ({ p99Ms }) => p99Ms),
    curve("p50", ({ p50Ms }) => p50Ms),
  ]);
}

function svg(height: number, inside: readonly string[]): string {
  const size = `viewBox="0 0 ${width} ${height + axisHeight}"`;
  return `<svg ${size} xmlns="http://www.w3.org/2000/svg" role="img">\n${inside.join("\n")}\n</svg>`;
}

function timeScale({ lengthMs }: Run): (ms: number) => number {
  return (ms) => left + (ms / Math.max(1, lengthMs)) * (width - left - right);
}

/** Draws a background behind each time without an acknowledged write. */
function gaps(run: Run, height: number): string {
  const x = timeScale(run);
  const shown = run.pace.gaps.map(({ fromMs, toMs }) => {
    const title = `<title>${seconds(fromMs)} – ${seconds(toMs)}</title>`;
    const size = `width="${px(x(toMs) - x(fromMs))}" height="${height}"`;
    return `<rect class="gap" x="${px(x(fromMs))}" y="0" ${size}>${title}</rect>`;
  });
  return shown.join("");
}

function timeAxis(run: Run, height: number): string {
  const x = timeScale(run);
  const stepMs = 1_000 * roundedUp(run.lengthMs / 12_000);
  const count = Math.floor(run.lengthMs / stepMs) + 1;
  const ticks = Array.from({ length: count }, (_, at) => at * stepMs).map((ms) => {
    const at = px(x(ms));
    return (
      `<line class="grid" x1="${at}" x2="${at}" y1="0" y2="${height}"/>` +
      `<text x="${at}" y="${height + 17}" text-anchor="middle">${Math.round(ms / 1_000)} s</text>`
    );
  });
  return ticks.join("");
}

function gridLine(y: number, label: string): string {
  return (
    `<line class="grid" x1="${left}" x2="${width - right}" y1="${px(y)}" y2="${px(y)}"/>` +
    `<text x="${left - 8}" y="${px(y + 4)}" text-anchor="end">${label}</text>`
  );
}

/** Rounds up to the next of 1, 2, 5, 10, 20, 50 … */
function roundedUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return power * ([1, 2, 5].find((step) => step * power >= value) ?? 10);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function px(value: number): string {
  return value.toFixed(1);
}
