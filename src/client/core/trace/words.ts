import { harmless } from "../../../protocol/harmless.ts";
import type { Text } from "../../../texts/texts.ts";
import type { Diagram } from "./diagram.ts";
import { concurrent, type Line, type Point } from "./points.ts";

/** @returns the name of a line's process in the person's language */
export function lineName({ server }: Line, text: Text): string {
  return server === undefined ? text("trace.client") : harmless(server);
}

/** Says what happened at a point. */
export function pointWords({ kind, peer }: Point, text: Text): string {
  const name = harmless(peer ?? "?");
  return kind === "received" || kind === "heard"
    ? text(`trace.${kind}`, { name })
    : text(`trace.${kind}`);
}

/** Returns milliseconds with two decimals. */
function writeMs(ms: number): string {
  return (Math.abs(ms) < 0.005 ? 0 : ms).toFixed(2);
}

/** @returns for each point, the milliseconds since the first point of the order, or `–` */
export function msColumn({ points }: Diagram): string[] {
  const first = points.find(({ timeMs }) => timeMs !== undefined)?.timeMs ?? 0;
  return points.map(({ timeMs }) => (timeMs === undefined ? "–" : writeMs(timeMs - first)));
}

/** @returns for each point, the numbers of the points that are concurrent with it, such as `3–5 8` */
export function concurrentColumn({ points }: Diagram): string[] {
  return points.map((point) => {
    const others = points.flatMap((other, at) => (concurrent(point, other) ? [at + 1] : []));
    return writeNumbers(others);
  });
}

/** @param numbers rising numbers. @returns them as runs, such as `3–5 8` */
export function writeNumbers(numbers: readonly number[]): string {
  const runs: [first: number, last: number][] = [];
  for (const number of numbers) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] === number - 1) run[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`)).join(" ");
}

/** The sentence that names the event. */
export function titleOf({ event }: Diagram, text: Text): string {
  if (event === undefined) return text("trace.noEvent");
  const { server, seq, clock, operation, id } = event;
  const name = `${harmless(server)}/${seq}`;
  return text("trace.title", { name, clock, operation: harmless(operation), id: harmless(id) });
}

/** Sentences below the steps: how long it took, what is missing, and which clocks are wrong. */
export function notesOf(diagram: Diagram, text: Text): string[] {
  const { lines, points, skews, stepless, forgetful } = diagram;
  const silent = lines.flatMap(({ isSilent, server }) => (isSilent && server ? [server] : []));
  const names = (list: readonly string[]) => harmless(list.join(", "));
  const offsets = lines
    .filter(({ server, isSilent }) => server !== undefined && !isSilent)
    .map(({ server, offsetMs }) => {
      const ms = offsetMs === null ? "–" : (offsetMs > 0 ? "+" : "") + writeMs(offsetMs);
      return `${harmless(server ?? "")} ${ms}`;
    });
  return [
    ...durationsOf(diagram, text),
    ...(points.some(({ kind }) => kind === "committed") ? [] : [text("trace.uncommitted")]),
    ...(silent.length === 0 ? [] : [text("trace.silent", { names: names(silent) })]),
    ...(stepless.length === 0 ? [] : [text("trace.stepless", { names: names(stepless) })]),
    ...(forgetful.length === 0 ? [] : [text("trace.forgetful", { names: names(forgetful) })]),
    ...skews.map(({ from, to, ms }) => {
      const [sender, receiver] = [lineName(from, text), lineName(to, text)];
      return text("trace.skew", { sender, receiver, ms: writeMs(ms) });
    }),
    ...(offsets.length === 0 ? [] : [text("trace.offsets", { offsets: offsets.join(", ") })]),
  ];
}

const milestones = ["synced", "committed", "replied", "published"] as const;

/** How long the steps took, by the origin's clock and by the client's, which need not agree. */
function durationsOf({ event, lines, points }: Diagram, text: Text): string[] {
  const said: string[] = [];
  const origin = lines.findIndex(({ server }) => server !== undefined && server === event?.server);
  const own = points.filter(({ line }) => line === origin);
  // A duration from any later step would be too short.
  const startMs = own.find(({ kind }) => kind === "asked" || kind === "made")?.timeMs;
  const parts = milestones.flatMap((kind) => {
    const atMs = own.find((point) => point.kind === kind)?.timeMs;
    if (atMs === undefined || startMs === undefined) return [];
    return [text(`trace.until.${kind}`, { ms: writeMs(atMs - startMs) })];
  });
  if (parts.length > 0) said.push(text("trace.durations", { parts: parts.join(", ") }));
  const client = points.filter(({ line }) => lines[line]?.server === undefined);
  const [askedMs, heardMs] = client.map(({ timeMs }) => timeMs);
  if (askedMs === undefined) return said;
  const waited = heardMs === undefined ? undefined : writeMs(heardMs - askedMs);
  if (waited === undefined) return [...said, text("trace.noReceipt")];
  return [...said, text("trace.waited", { ms: waited })];
}
