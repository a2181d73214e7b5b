import { harmless } from "../../../protocol/harmless.ts";
import type { Text } from "../../../texts/texts.ts";
import type { Diagram } from "./diagram.ts";
import { concurrent, type Line, type Point } from "./points.ts";

/** @returns the name of a line's process in the person's language */
export function lineName({ server }: Line, text: Text): string {
  return server === undefined ? text("trace.client") : harmless(server);
}

/** Says what happened at a point. */
export function pointWords(point: Point, text: Text): string {
  const { kind, round, operations = [] } = point;
  // The other steps of a proposal are about the same operations.
  const isNamed = round === undefined || kind === "proposed";
  const about = [
    ...(round === undefined ? [] : [text("trace.proposal", { round })]),
    ...(isNamed && operations.length > 0 ? [harmless(operations.join(", "))] : []),
  ];
  const words = kindWords(point, text);
  return about.length === 0 ? words : `${words} (${about.join(": ")})`;
}

function kindWords({ kind, peer, reason: said }: Point, text: Text): string {
  const name = harmless(peer ?? "?");
  const reason = harmless(said ?? "?");
  switch (kind) {
    case "received":
    case "heard":
    case "forwarded":
    case "taken":
    case "proposed":
    case "prepared":
    case "agreed":
    case "checked":
    case "copied":
    case "dropped":
      return text(`trace.${kind}`, { name });
    case "told":
    case "learned":
      return said === undefined
        ? text(`trace.${kind}`, { name })
        : text(`trace.${kind}Refusal`, { name, reason });
    case "refused":
      return text("trace.refused", { name, reason });
    case "rolledBack":
      return said === undefined
        ? text("trace.rolledBack", { name })
        : text("trace.rolledBackRefused", { name, reason });
    case "replied":
      return said === undefined ? text("trace.replied") : text("trace.repliedRefusal", { reason });
    case "made":
      return peer === undefined ? text("trace.made") : text("trace.madeChecked", { name });
    default:
      return text(`trace.${kind}`);
  }
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
export function titleOf({ event, match: traced }: Diagram, text: Text): string {
  if (traced !== undefined) {
    const { match, operation } = traced;
    if (operation === undefined) return text("trace.matchTitle", { match });
    return text("trace.actionTitle", { match, operation: harmless(operation) });
  }
  if (event === undefined) return text("trace.noEvent");
  const { server, seq, clock, operation, id } = event;
  const name = `${harmless(server)}/${seq}`;
  return text("trace.title", { name, clock, operation: harmless(operation), id: harmless(id) });
}

/** Sentences below the steps: how long it took, what is missing, and which clocks are wrong. */
export function notesOf(diagram: Diagram, text: Text): string[] {
  const { lines, points, skews, stepless, forgetful, match } = diagram;
  const silent = lines.flatMap(({ isSilent, server }) => (isSilent && server ? [server] : []));
  const names = (list: readonly string[]) => harmless(list.join(", "));
  const offsets = lines
    .filter(({ server, isSilent }) => server !== undefined && !isSilent)
    .map(({ server, offsetMs }) => {
      const ms = offsetMs === null ? "–" : (offsetMs > 0 ? "+" : "") + writeMs(offsetMs);
      return `${harmless(server ?? "")} ${ms}`;
    });
  return [
    ...(match !== undefined && match.operation === undefined ? [] : durationsOf(diagram, text)),
    ...(match !== undefined || points.some(({ kind }) => kind === "committed")
      ? []
      : [text("trace.uncommitted")]),
    ...(silent.length === 0 ? [] : [text("trace.silent", { names: names(silent) })]),
    ...(stepless.length === 0 ? [] : [text("trace.stepless", { names: names(stepless) })]),
    ...(forgetful.length === 0 ? [] : [text("trace.forgetful", { names: names(forgetful) })]),
    ...skews.map(({ from, to, ms }) => {
      const [sender, receiver] = [lineName(from, text), lineName(to, text)];
      return text("trace.skew", { sender, receiver, ms: writeMs(ms) });
    }),
    ...(offsets.length === 0 || match !== undefined
      ? []
      : [text("trace.offsets", { offsets: offsets.join(", ") })]),
  ];
}

const milestones = ["synced", "committed", "replied", "published"] as const;

/** How long the steps took, by the origin's clock and by the client's, which need not agree. */
function durationsOf({ origin: first, lines, points }: Diagram, text: Text): string[] {
  const said: string[] = [];
  const origin = lines.findIndex(({ server }) => server !== undefined && server === first);
  const own = points.filter(({ line }) => line === origin);
  // A duration from any later step would be too short.
  const startMs = own.find(({ kind }) => kind === "asked" || kind === "made")?.timeMs;
  const parts = milestones.flatMap((kind) => {
    // A refusal is no receipt.
    const atMs = own.find((point) => point.kind === kind && point.reason === undefined)?.timeMs;
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
