import type { ProcessName, ServerSteps, Step, Trace } from "../../../protocol/steps.ts";
import { isArrival, lastBefore, sourceOf } from "./arrows.ts";
import { arranged } from "./order.ts";
import type { Arrow, Draft, Line, Link, Point } from "./points.ts";

/** What a client itself knows of its request; times are milliseconds since 1970 by its clock. */
export interface ClientTimes {
  readonly sentMs: number;
  /** Undefined if no receipt has arrived. */
  readonly answer: { readonly atMs: number; readonly clock: number } | undefined;
}

/** By the clocks of two processes, a message arrived before it was sent. */
export interface Skew {
  readonly from: Line;
  readonly to: Line;
  /** The clocks differ by at least this many milliseconds. */
  readonly ms: number;
}

/** The life of an event as a space-time diagram. Source: Lamport, 1978. */
export interface Diagram {
  readonly event: Trace["event"];
  readonly match: Trace["match"];
  /** The server that made the event or, in a match, the one that the player asked. */
  readonly origin: ProcessName | undefined;
  readonly lines: readonly Line[];
  /** In an order in which each point comes after all points that happened before it. */
  readonly points: readonly Point[];
  readonly arrows: readonly Arrow[];
  readonly skews: readonly Skew[];
  /** Servers that answered without any step of the event. */
  readonly stepless: readonly ProcessName[];
  /** Servers that have forgotten the first of their steps. */
  readonly forgetful: readonly ProcessName[];
}

/** @param client what the client knows, if this process is the client */
export function diagramOf(trace: Trace, client?: ClientTimes): Diagram {
  const { event, match, silent } = trace;
  const servers = inOrder(trace);
  const asked = servers.find(({ steps }) => steps.some(isRequest));
  const origin = match === undefined ? event?.server : asked?.name;
  // A whole match has the requests of several clients.
  const isOfClient = match === undefined || match.operation !== undefined;
  const own = isOfClient ? clientDrafts(servers, client) : [];
  const lines: Line[] = servers.map(({ name, offsetMs }) => {
    return { server: name, isSilent: silent.includes(name), offsetMs };
  });
  const drafts = servers.map(draftsOf);
  if (own.length > 0) {
    lines.unshift({ server: undefined, isSilent: false, offsetMs: null });
    drafts.unshift(own);
  }
  const links = drafts.flat().flatMap((to): Link[] => {
    const fromLine = senderLine(to, { lines, drafts, origin });
    if (fromLine < 0) return [];
    const line = drafts[fromLine] ?? [];
    return [{ from: sourceOf(to, line), before: lastBefore(to, line), fromLine, to }];
  });
  const { points, arrows } = arranged(drafts, links);
  const answered = servers.filter(({ name }) => !silent.includes(name));
  return {
    event,
    match,
    origin,
    lines,
    points,
    arrows,
    skews: skewsOf(arrows, lines),
    stepless: answered.filter(({ steps }) => steps.length === 0).map(({ name }) => name),
    forgetful: answered
      .filter(({ name, steps }) => {
        // In a match, the first step depends on the server's part, which may be forgotten as well.
        if (match !== undefined) return false;
        const first = name === origin ? "made" : "received";
        return steps.length > 0 && !steps.some(({ kind }) => kind === first);
      })
      .map(({ name }) => name),
  };
}

interface Known {
  readonly lines: readonly Line[];
  readonly drafts: readonly (readonly Draft[])[];
  readonly origin: ProcessName | undefined;
}

/** @returns the index of the line whose message arrived; -1 if none arrived, or if it is unknown */
function senderLine(to: Draft, { lines, drafts, origin }: Known): number {
  const lineOf = (name: ProcessName | undefined) =>
    lines.findIndex(({ server }) => server === name);
  switch (to.kind) {
    case "asked":
      return lineOf(undefined);
    case "received":
      return to.peer !== undefined || origin !== undefined ? lineOf(to.peer ?? origin) : -1;
    case "answered":
      return latestReply(to, drafts);
    default:
      return isArrival(to) ? lineOf(to.peer) : -1;
  }
}

/** Finds the sender of the receipt: a client may have repeated its request at another server. */
function latestReply(to: Draft, drafts: Known["drafts"]): number {
  const replies = drafts.map((line) => sourceOf(to, line)?.clock ?? -1);
  const latest = Math.max(...replies);
  return latest < 0 ? -1 : replies.indexOf(latest);
}

/** The servers, also the silent ones: the origin first, then by name. */
function inOrder({ event, match, servers, silent }: Trace): ServerSteps[] {
  const told = servers.filter(({ name }) => !silent.includes(name));
  const others = silent.map((name): ServerSteps => ({ name, offsetMs: null, steps: [] }));
  if (match !== undefined) return [...told, ...others];
  const rank = (name: ProcessName) => (name === event?.server ? 0 : 1);
  return [...told, ...others].sort(
    (a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1),
  );
}

function draftsOf({ offsetMs, steps }: ServerSteps): Draft[] {
  return steps.map(({ atMs, peer, sentClock, ...step }) => {
    return { ...step, peer, sentClock, timeMs: atMs + (offsetMs ?? 0) };
  });
}

/**
 * The client's points. Without the client's own times, only the sending of a request that a server
 * has received is certain.
 */
function clientDrafts(servers: readonly ServerSteps[], client: ClientTimes | undefined): Draft[] {
  const asked = servers.flatMap(({ steps }): readonly Step[] => steps).filter(isRequest);
  if (asked.length === 0 && client === undefined) return [];
  const clock = asked[0]?.sentClock;
  const none = { peer: undefined, sentClock: undefined };
  const drafts: Draft[] = [{ ...none, kind: "requested", clock, timeMs: client?.sentMs }];
  const answer = client?.answer;
  if (answer === undefined) return drafts;
  return [...drafts, { ...none, kind: "answered", clock: answer.clock, timeMs: answer.atMs }];
}

function isRequest({ kind }: Step): boolean {
  return kind === "asked";
}

/** The largest contradiction of each pair of lines. */
function skewsOf(arrows: readonly Arrow[], lines: readonly Line[]): Skew[] {
  const found = new Map<string, Skew>();
  for (const { from, to } of arrows) {
    if (from?.timeMs === undefined || to.timeMs === undefined) continue;
    const ms = from.timeMs - to.timeMs;
    const [sender, receiver] = [lines[from.line], lines[to.line]];
    const pair = [from.line, to.line].sort((a, b) => a - b).join();
    if (ms < leastSkewMs || ms <= (found.get(pair)?.ms ?? 0)) continue;
    if (sender && receiver) found.set(pair, { from: sender, to: receiver, ms });
  }
  return [...found.values()];
}

/** Smaller contradictions are within the precision of the corrections. */
const leastSkewMs = 0.05;
