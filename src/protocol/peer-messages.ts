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
import {
  type Chain,
  isChain,
  isServerName,
  parseRequestId,
  readUserName,
  type ServerName,
} from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import { durations, limits } from "./limits.ts";
import { client, presenceState } from "./request-fields.ts";
import { parseVector } from "./vector.ts";
import { parseView } from "./view.ts";

/** A field that must be of a type; `otherwise` is the error. */
export function must<T>(
  is: (value: unknown) => value is T,
  otherwise: string,
): (value: unknown) => T {
  return (value) => {
    if (is(value)) return value;
    throw new PeerMessageError(otherwise);
  };
}

/** A field without which a message is invalid; `said` is its name in an error. */
function needed<T>(parse: (value: unknown) => T | undefined, said?: string): Field<T> {
  return (value, name) => {
    const parsed = parse(value);
    if (parsed !== undefined) return parsed;
    throw new PeerMessageError(`\`${said ?? name}\` is missing or wrong`);
  };
}

/** A field that is parsed as a client's, or as one on disk. */
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

/** A time or a correction, within the range of a clock. */
function msIfAny(value: unknown): number | undefined {
  const isTime = typeof value === "number" && Math.abs(value) <= durations.clockCorrectionMs;
  return isTime ? value : undefined;
}

const ms = needed(msIfAny, "a time");

/**
 * A server's phase. backfill: it fetches what it lacks; cutover: it follows live events and closes
 * the last gap; live: it may serve; draining: it stops, with requests still open; settled: it stops
 * and waits for its peers.
 */
export const phases = ["backfill", "cutover", "live", "draining", "settled"] as const;
export type Phase = (typeof phases)[number];

const summary = {
  server: must(isServerName, "`server` is no server's name"),
  clock: count,
  view: parseView,
  durable: asPeer((value, name) => parseVector(value, name, limits.memberVectorServers)),
  /** The epoch that the sender is the coordinator of. */
  office: parseEpoch,
};

const parseSummary = object(summary);

/** The sender's adopted view and durable vector, both read at one instant. */
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

function isAge(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= durations.presenceSilenceMs;
}

const heardPresence = object({
  /** Milliseconds since the server heard it. */
  ageMs: must(isAge, "`ageMs` of what was heard is wrong"),
  user: asPeer(readUserName),
  client: asPeer(client),
  state: asPeer(presenceState),
  /** The server's clock when it heard it. */
  clock: count,
});

/** A client's latest presence report to a server (L11). */
export type HeardPresence = ReturnType<typeof heardPresence>;

function parseHeard(value: unknown): readonly HeardPresence[] {
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

/** Whether a socket can connect to it. */
function isEndpoint(value: unknown): value is string {
  if (typeof value !== "string") return false;
  const port = Number(tcpPattern.exec(value)?.[1] ?? 0);
  return (port >= 1 && port <= 65_535) || ipcPattern.test(value);
}

const noHeartbeat = "`address` or `phase` is wrong";

/** Messages on `replication`, by their `type`. */
export const replication = {
  /** Lines of own events, in order. */
  events: (fields: Fields) => ({ ...parseSummary(fields), lines: parseLines(fields.events) }),
  ack: parseSummary,
  heartbeat: object({
    ...summary,
    address: must(isEndpoint, noHeartbeat),
    phase: must(isPhase, noHeartbeat),
    /** The head of each server's chain, at the durable vector (J5). */
    chains: parseChains,
    /** Requests served in the last second. */
    rate: (value) => (Number.isFinite(value) ? (value as number) : 0),
    // A wrong value counts as missing: the heartbeat is not lost for it.
    /** Milliseconds that its time is ahead of its own clock, after the first correction (E5). */
    offsetMs: msIfAny,
    /** The last round's correction, and the number of rounds; older servers send neither. */
    lastCorrectionMs: msIfAny,
    clockRounds: parseClock,
  }),
  presence: object({ ...summary, heard: parseHeard }),
};

export type ReplicationMessage = Kinds<"type", typeof replication>;

const claim = object({
  user: readUserName,
  id: needed(parseRequestId, "claim.id"),
  credential: must(isText, "`claim` has no credential"),
});

/** A claim on its way to the coordinator: the name, and the later proof of its owner. */
export type ProposedClaim = ReturnType<typeof claim>;

/** Requests between servers about the coordinator, and the coordinator's about time. */
const coordinationRequests = {
  /** A server of lower rank misses a coordinator; one of an epoch below `epoch` must give up. */
  election: object({ ...summary, epoch }),
  /** Asks for the promise of an epoch. */
  candidate: object({ ...summary, epoch }),
  /** Asks to accept the sender's events of that epoch up to `seq`. */
  accept: object({ ...summary, epoch, seq: count }),
  forward: object({ ...summary, claim: asPeer((value) => claim(fieldsOf(value))) }),
  /** Asks for the time, or has the correction of the time that was told in this round. */
  clock: object({ ...summary, round: count, correctionMs: optional(ms) }),
};

export type CoordinationRequest = Kinds<"service", typeof coordinationRequests>;

/** Requests between servers, by their `service`. */
export const peerRequests = {
  sync: parseSummary,
  /** Asks for a page of a saved state, which is sent file by file as it is on disk. */
  snapshot: object({
    /** The checksum of the state that the asker has begun with; undefined for the newest. */
    of: textIfAny,
    /** The file's number among those of a saved state. */
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
 * The result of a claim. `alike`: an account has a name that looks the same; `busy`: the claim is
 * still open, or the server that was asked is not the coordinator.
 */
export const claimOutcomes = ["won", "taken", "alike", "busy"] as const;
export type ClaimOutcome = (typeof claimOutcomes)[number];

/** @param promised the highest epoch that the answering server has promised */
const decided = object({ ...summary, isGranted: isTrue, promised: epoch });

export const coordinationAnswers = {
  election: parseSummary,
  candidate: decided,
  accept: decided,
  forward: object({
    ...summary,
    outcome: needed((value) => claimOutcomes.find((one) => one === value)),
    /** The number of the sender's own event that holds the name. */
    seq: parseClock,
    /** For a claim that was won: the credential of the copy that was proposed first. */
    credential: textIfAny,
  }),
  clock: object({
    ...summary,
    timeMs: ms,
    /** Whether the time was ever corrected: then it is the cluster's, and not only the server's. */
    isCorrected: isTrue,
  }),
};

export type CoordinationAnswer = Kinds<"service", typeof coordinationAnswers>;

const syncFields = object({
  ...summary,
  more: isTrue,
  /** Some of the asker's missing events exist only in the saved state, which it must fetch (J1). */
  compacted: isTrue,
});

/** Events that the asker lacks, at most 1,000, each server's in order. */
export function syncAnswer(fields: Fields) {
  return { ...syncFields(fields), lines: parseLines(fields.events) };
}

export type SyncAnswer = ReturnType<typeof syncAnswer>;

const noPage = "it is no page of a saved state";

export const snapshotPage = object({
  of: must(isText, noPage),
  bytes: must((value) => value instanceof Uint8Array, noPage),
  clock: count,
  /** Bytes of the whole file. */
  size: count,
});

export type SnapshotPage = ReturnType<typeof snapshotPage>;
