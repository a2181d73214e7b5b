import { type Epoch, parseEpoch } from "./epoch.ts";
import { PeerMessageError } from "./errors.ts";
import {
  type Field,
  type Fields,
  fieldsOf,
  isMap,
  isTrue,
  type Kinds,
  object,
  optional,
  textIfAny,
} from "./fields.ts";
import { type Chain, isChain, isServerName, readUserName, type ServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import { durations, limits } from "./limits.ts";
import { type Operation, readOperation, readOperations } from "./operation.ts";
import { parseSteps, parseTracedEvent } from "./parse-steps.ts";
import { client, eventId, presenceState } from "./request-fields.ts";
import { parseVector } from "./vector.ts";
import { parseView } from "./view.ts";

/**
 * Returns a parser that accepts only values of one type; `otherwise` is the error text for other
 * values.
 */
export function must<T>(
  is: (value: unknown) => value is T,
  otherwise: string,
): (value: unknown) => T {
  return (value) => {
    if (is(value)) return value;
    throw new PeerMessageError(otherwise);
  };
}

/** Makes a field required; `said` is the name that the error gives to the field. */
function needed<T>(parse: (value: unknown) => T | undefined, said?: string): Field<T> {
  return (value, name) => {
    const parsed = parse(value);
    if (parsed !== undefined) return parsed;
    throw new PeerMessageError(`\`${said ?? name}\` is missing or wrong`);
  };
}

/** Turns the errors of a parser for client fields or files into PeerMessageErrors. */
function asPeer<T>(parse: Field<T>): Field<T> {
  return (value, name) => {
    try {
      return parse(value, name);
    } catch (error) {
      throw new PeerMessageError((error as Error).message);
    }
  };
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

const count = needed(parseClock);
const epoch: Field<Epoch> = needed(parseEpoch, "epoch");
const orZero: Field<number> = (value) => parseClock(value) ?? 0;

/**
 * Returns a time or correction in milliseconds; undefined outside the range of clock corrections.
 */
function msIfAny(value: unknown): number | undefined {
  const isTime = typeof value === "number" && Math.abs(value) <= durations.clockCorrectionMs;
  return isTime ? value : undefined;
}

const ms = needed(msIfAny, "a time");

/**
 *
 * The phases of a server.
 * - backfill: the server fetches events that it lacks;
 * - cutover: it waits until it has the events that a quorum had when first heard;
 * - live: it may serve requests;
 * - draining: it is stopping and still has open requests;
 * - settled: it is stopping and waits until its live peers have the same events.
 */
export const phases = ["backfill", "cutover", "live", "draining", "settled"] as const;
export type Phase = (typeof phases)[number];

/** Whether a server in this phase is stopping (R11). */
export function isStopping(phase: Phase): boolean {
  return phase === "draining" || phase === "settled";
}

const summary = {
  server: must(isServerName, "`server` is no server's name"),
  clock: count,
  view: parseView,
  durable: asPeer((value, name) => parseVector(value, name, limits.memberVectorServers)),
  /** The epoch in which the sender is coordinator; undefined if it is not. */
  office: parseEpoch,
  /** The slot up to which the sender has applied decisions (D5); older servers do not send it. */
  slot: parseClock,
};

const parseSummary = object(summary);

/**
 * What each message between servers says about its sender. View and durable vector are read at the
 * same instant.
 */
export type ReplicaSummary = ReturnType<typeof parseSummary>;

function parseLines(value: unknown): string[] {
  const text = must(isText, "`events` is no text")(value);
  return text === "" ? [] : text.split("\n");
}

function parseChains(value: unknown): Readonly<Record<ServerName, Chain>> {
  const chains: Record<ServerName, Chain> = {};
  for (const [server, chain] of Object.entries(must(isMap, "`chains` is no map")(value))) {
    if (!isServerName(server) || !isChain(chain)) {
      throw new PeerMessageError("`chains` is no map from server to chain");
    }
    chains[server] = chain;
  }
  return chains;
}

/** What a replica has applied: the slot, and a digest of all that came of the slots up to it. */
export interface Applied {
  readonly slot: number;
  readonly digest: Chain;
}

function parseApplied(value: unknown): Applied | undefined {
  const { slot, digest } = fieldsOf(value);
  const number = parseClock(slot);
  return number !== undefined && isChain(digest) ? { slot: number, digest } : undefined;
}

function isAge(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= durations.presenceSilenceMs;
}

const heardPresence = object({
  /** Milliseconds since the sending server received the client's report. */
  ageMs: must(isAge, "`ageMs` of what was heard is wrong"),
  user: asPeer(readUserName),
  client: asPeer(client),
  state: asPeer(presenceState),
  /** The sending server's Lamport clock when it received the client's report. */
  clock: count,
});

/** The latest presence report of a client to the sending server (L11). */
export type HeardPresence = ReturnType<typeof heardPresence>;

/** @throws PeerMessageError */
export function parseHeard(value: unknown): readonly HeardPresence[] {
  if (Array.isArray(value) && value.length <= limits.presenceWords) {
    return value.map((one) => heardPresence(fieldsOf(one)));
  }
  throw new PeerMessageError(`\`heard\` is no list of at most ${limits.presenceWords}`);
}

function isPhase(value: unknown): value is Phase {
  return phases.includes(value as Phase);
}

const tcpPattern = /^tcp:\/\/[\w.:%[\]-]{1,255}:(\d{1,5})$/;
const ipcPattern = /^ipc:\/\/[\x21-\x7e]{1,100}$/;

/** Returns whether the value is an endpoint to which a socket can connect. */
function isEndpoint(value: unknown): value is string {
  if (typeof value !== "string") return false;
  const port = Number(tcpPattern.exec(value)?.[1] ?? 0);
  return (port >= 1 && port <= 65_535) || ipcPattern.test(value);
}

const noHeartbeat = "`address` or `phase` is wrong";

/** Messages on the topic `replication`, by their `type`. */
export const replication = {
  /** Journal lines of the sender's own events, in `seq` order. */
  events: (fields: Fields) => ({ ...parseSummary(fields), lines: parseLines(fields.events) }),
  ack: parseSummary,
  heartbeat: object({
    ...summary,
    address: must(isEndpoint, noHeartbeat),
    phase: must(isPhase, noHeartbeat),
    /** For each server, the chain of its last event within the durable vector (J5). */
    chains: parseChains,
    /** Requests served in the last second. */
    rate: (value) => (Number.isFinite(value) ? (value as number) : 0),
    // A wrong value in one of the next three fields counts as missing, so that the heartbeat is not
    // refused.
    /**
     * Milliseconds by which the sender's corrected time is ahead of its machine's clock (E5);
     * undefined before the first correction.
     */
    offsetMs: msIfAny,
    /**
     * The last clock round's correction in milliseconds, and the number of rounds. Older servers
     * send neither.
     */
    lastCorrectionMs: msIfAny,
    clockRounds: parseClock,
    /** Whether the sender accepts an `ack` over its peer link; older servers do not. */
    takesAcks: isTrue,
    /** Whether the sender accepts events of hooks; older servers do not. */
    takesHooks: isTrue,
    /** Undefined from servers that do not know decisions; while one is live, nothing is decided. */
    applied: parseApplied,
  }),
  presence: object({ ...summary, heard: parseHeard }),
};

export type ReplicationMessage = Kinds<"type", typeof replication>;

const operations = asPeer(readOperations);

/**
 * Requests between servers about the coordinator, the coordinator's requests about time, and requests
 * for the steps of an event.
 */
const coordinationRequests = {
  /**
   * Asks a server of higher rank, or the coordinator, whether it is up. The sender asks because it
   * no longer hears the coordinator. `epoch` is the highest epoch that the sender knows; a
   * coordinator of a lower epoch steps down.
   */
  election: object({ ...summary, epoch }),
  /** Asks a member to promise this epoch. */
  candidate: object({ ...summary, epoch }),
  /** Asks a member to accept the sender's events of this epoch up to `seq`. */
  accept: object({ ...summary, epoch, seq: count }),
  /** Asks the coordinator to decide operations. */
  forward: object({ ...summary, operations }),
  /** Asks for the highest slot of which the member has a decision or has applied one (D8). */
  slots: object({ ...summary, number: count }),
  /** Asks for the steps of an event, by its name or by the id of its request (Q14). */
  steps: object({ ...summary, of: asPeer(eventId) }),
  /**
   * Without `correctionMs`, asks for the server's time. With it, corrects the time that the server
   * reported in the same round.
   */
  clock: object({ ...summary, round: count, correctionMs: optional(ms) }),
};

export type CoordinationRequest = Kinds<"service", typeof coordinationRequests>;

/** Requests between servers, by their `service`. */
export const peerRequests = {
  sync: parseSummary,
  /** Tells a server that its events are on the sender's disk. Has no answer. */
  ack: parseSummary,
  /** Asks for a page of a saved state, which is sent file by file as it is on disk. */
  snapshot: object({
    /**
     * The checksum of the saved state that the asker has begun to fetch; undefined asks for the
     * newest state.
     */
    of: textIfAny,
    /** The index of the file in `checkpointFiles`. */
    file: count,
    offset: count,
    clock: orZero,
  }),
  health: object({ clock: orZero }),
  ...coordinationRequests,
};

export type PeerRequest = Kinds<"service", typeof peerRequests>;
export type SnapshotRequest = PeerRequest & { readonly service: "snapshot" };

/**
 * What came of a forwarded operation; undefined while it is undecided. `operation` is given only if
 * an earlier operation with the same id differs from the forwarded one.
 */
export type ForwardedEnd = { readonly slot: number; readonly outcome: string } & {
  readonly operation?: Operation | undefined;
  readonly result?: object | undefined;
};

function parseEnds(value: unknown): readonly (ForwardedEnd | undefined)[] {
  return must(
    (list): list is unknown[] => Array.isArray(list),
    "`ends` is no list",
  )(value).map((end) => {
    const { slot, outcome, operation, result } = fieldsOf(end);
    const number = parseClock(slot);
    if (number === undefined || typeof outcome !== "string") return undefined;
    const first = operation == null ? undefined : asPeer(readOperation)(operation, "operation");
    return { slot: number, outcome, operation: first, result: isMap(result) ? result : undefined };
  });
}

/** @param promised the highest epoch that the answering server has promised */
const decided = object({ ...summary, isGranted: isTrue, promised: epoch });

export const coordinationAnswers = {
  election: parseSummary,
  candidate: decided,
  accept: decided,
  /** One end for each forwarded operation, in the same order. */
  forward: object({ ...summary, ends: parseEnds }),
  slots: object({ ...summary, highest: count }),
  clock: object({
    ...summary,
    timeMs: ms,
    /** Whether the answering server's time was ever corrected, so that it is the cluster's time. */
    isCorrected: isTrue,
  }),
  /** What the answering server remembers; `offsetMs` is that of its heartbeats. */
  steps: object({ ...summary, offsetMs: msIfAny, event: parseTracedEvent, steps: parseSteps }),
};

export type CoordinationAnswer = Kinds<"service", typeof coordinationAnswers>;

/** The fields of an answer, without the fields of the summary. */
export type OwnFields<Answer> = Answer extends unknown ? Omit<Answer, keyof ReplicaSummary> : never;

const syncFields = object({
  ...summary,
  more: isTrue,
  /**
   * Whether some events that the asker lacks exist only in the answering server's saved state,
   * which the asker must then fetch (J1).
   */
  compacted: isTrue,
});

/**
 * Reads an answer to `sync`: at most 1,000 events that the asker lacks, in `seq` order for each
 * server.
 */
export function syncAnswer(fields: Fields) {
  return { ...syncFields(fields), lines: parseLines(fields.events) };
}

export type SyncAnswer = ReturnType<typeof syncAnswer>;

const noPage = "it is no page of a saved state";

export const snapshotPage = object({
  of: must(isText, noPage),
  bytes: must((value) => value instanceof Uint8Array, noPage),
  clock: count,
  /** The size of the whole file in bytes. */
  size: count,
});

export type SnapshotPage = ReturnType<typeof snapshotPage>;
