import { type Fields, isMap } from "./fields.ts";
import { isServerName, type ServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import { durations, limits } from "./limits.ts";
import { type ServerSteps, type Step, stepKinds, type Trace, type TracedEvent } from "./steps.ts";

/** Reads an event of a trace; undefined if a field is missing or invalid. */
export function parseTracedEvent(value: unknown): TracedEvent | undefined {
  if (!isMap(value)) return undefined;
  const { server, seq, clock, id, operation } = value;
  const isWhole =
    isServerName(server) &&
    parseClock(seq) !== undefined &&
    parseClock(clock) !== undefined &&
    isShort(id) &&
    isShort(operation);
  return isWhole ? ({ server, seq, clock, id, operation } as TracedEvent) : undefined;
}

/**
 * Reads the steps of one server, at most `limits.eventSteps`. Leaves out invalid steps, and kinds of
 * steps that only a newer version knows.
 */
export function parseSteps(value: unknown): readonly Step[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, limits.eventSteps).flatMap((one) => (isMap(one) ? stepOf(one) : []));
}

function stepOf({ kind: said, atMs, clock: ticks, peer, sentClock }: Fields): Step | [] {
  const kind = stepKinds.find((known) => known === said);
  const clock = parseClock(ticks);
  if (kind === undefined || clock === undefined || !isTime(atMs)) return [];
  const sent = parseClock(sentClock);
  return {
    kind,
    atMs,
    clock,
    ...(isServerName(peer) ? { peer } : {}),
    ...(sent === undefined ? {} : { sentClock: sent }),
  };
}

/** Reads a reply to `trace`. Leaves out what is invalid, so that the rest can be shown. */
export function parseTrace({ event, servers, silent }: Fields): Trace {
  return {
    event: parseTracedEvent(event),
    servers: Array.isArray(servers) ? servers.flatMap(serverStepsOf) : [],
    silent: Array.isArray(silent) ? silent.filter(isServerName) : [],
  };
}

function serverStepsOf(value: unknown): ServerSteps | [] {
  if (!isMap(value) || !isServerName(value.name)) return [];
  const { name, offsetMs, steps } = value;
  return { name, offsetMs: isTime(offsetMs) ? offsetMs : null, steps: parseSteps(steps) };
}

/** Reads an event's name, such as `server_0a1b2c3d/12`; undefined if the text is no such name. */
export function parseEventName(
  text: string,
): { readonly server: ServerName; readonly seq: number } | undefined {
  const [server, number = ""] = text.split("/", 2);
  const seq = parseClock(Number(number));
  const isName = isServerName(server) && seq !== undefined && text === `${server}/${seq}`;
  return isName ? { server, seq } : undefined;
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) <= durations.clockCorrectionMs;
}

function isShort(value: unknown): value is string {
  return typeof value === "string" && value.length <= 4 * limits.idCharacters;
}
