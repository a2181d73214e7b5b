import { type Fields, isMap } from "./fields.ts";
import { gameLimits } from "./game-limits.ts";
import { isServerName, type ServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import { durations, limits } from "./limits.ts";
import { isGameName, isMatchId } from "./matches.ts";
import {
  type ProcessName,
  type ServerSteps,
  type Step,
  stepKinds,
  type Trace,
  type TracedEvent,
  type TracedMatch,
} from "./steps.ts";

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

/** Reads what a trace of game servers is about; undefined if a field is missing or invalid. */
export function parseTracedMatch(value: unknown): TracedMatch | undefined {
  if (!isMap(value) || !isMatchId(value.match)) return undefined;
  const { match, operation } = value;
  if (operation === undefined) return { match };
  return isOperation(operation) ? { match, operation } : undefined;
}

/**
 * Reads the steps of one server, at most `limits.eventSteps`. Leaves out invalid steps, and kinds of
 * steps that only a newer version knows.
 */
export function parseSteps(value: unknown): readonly Step[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, limits.eventSteps).flatMap((one) => (isMap(one) ? stepOf(one) : []));
}

function stepOf(fields: Fields): Step | [] {
  const { kind: said, atMs, clock: ticks, peer, reason } = fields;
  const kind = stepKinds.find((known) => known === said);
  const clock = parseClock(ticks);
  if (kind === undefined || clock === undefined || !isTime(atMs)) return [];
  const [sentClock, round] = [parseClock(fields.sentClock), parseClock(fields.round)];
  const operations = Array.isArray(fields.operations)
    ? fields.operations.filter(isOperation).slice(0, gameLimits.proposalOperations)
    : undefined;
  return {
    kind,
    atMs,
    clock,
    ...(isProcessName(peer) && { peer }),
    ...(sentClock !== undefined && { sentClock }),
    ...(round !== undefined && { round }),
    ...(operations && { operations }),
    ...(isShort(reason) && { reason }),
  };
}

/** Reads a reply to `trace`. Leaves out what is invalid, so that the rest can be shown. */
export function parseTrace({ event, match, servers, silent }: Fields): Trace {
  const traced = parseTracedMatch(match);
  return {
    event: parseTracedEvent(event),
    ...(traced && { match: traced }),
    servers: Array.isArray(servers) ? servers.flatMap(serverStepsOf) : [],
    silent: Array.isArray(silent) ? silent.filter(isProcessName) : [],
  };
}

function isProcessName(value: unknown): value is ProcessName {
  return isServerName(value) || isGameName(value);
}

function serverStepsOf(value: unknown): ServerSteps | [] {
  if (!isMap(value) || !isProcessName(value.name)) return [];
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

/** An operation's name has the name of a user and the id of a request. */
function isOperation(value: unknown): value is string {
  return typeof value === "string" && value.length <= 256;
}

function isShort(value: unknown): value is string {
  return typeof value === "string" && value.length <= 4 * limits.idCharacters;
}
