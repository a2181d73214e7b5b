import { decode } from "./codec.ts";
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
import {
  type CoordinationAnswer,
  claimOutcomes,
  type HeardPresence,
  type PeerRequest,
  type Phase,
  type ProposedClaim,
  phases,
  type ReplicaSummary,
  type ReplicationMessage,
  type SnapshotPage,
  type SyncAnswer,
} from "./peer-messages.ts";
import { client, presenceState } from "./request-fields.ts";
import { parseVector } from "./vector.ts";
import { parseView } from "./view.ts";

const tcpPattern = /^tcp:\/\/[\w.:%[\]-]{1,255}:(\d{1,5})$/;
const ipcPattern = /^ipc:\/\/[\x21-\x7e]{1,100}$/;

/** Whether it is an endpoint that a socket can be told to connect to. */
function isEndpoint(value: unknown): value is string {
  if (typeof value !== "string") return false;
  const port = Number(tcpPattern.exec(value)?.[1] ?? 0);
  return (port >= 1 && port <= 65_535) || ipcPattern.test(value);
}

function decodeMap(payload: Uint8Array): Fields {
  let value: unknown;
  try {
    value = decode(payload);
  } catch {
    throw new PeerMessageError("it is not MessagePack");
  }
  return must(isMap, "it is no map")(value);
}

function must<T>(is: (value: unknown) => value is T, otherwise: string): (value: unknown) => T {
  return (value) => {
    if (is(value)) return value;
    throw new PeerMessageError(otherwise);
  };
}

/** A field without which a message is none; `said` is what an error calls it. */
function needed<T>(parse: (value: unknown) => T | undefined, said?: string): Field<T> {
  return (value, name) => {
    const parsed = parse(value);
    if (parsed !== undefined) return parsed;
    throw new PeerMessageError(`\`${said ?? name}\` is missing or wrong`);
  };
}

/** A field that is parsed as a client's is, or as what is on disk is. */
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

/** A time or a correction, within what a clock can show. */
function msIfAny(value: unknown): number | undefined {
  const isTime = typeof value === "number" && Math.abs(value) <= durations.clockCorrectionMs;
  return isTime ? value : undefined;
}

const ms = needed(msIfAny, "a time");

const summaryFields = {
  server: must(isServerName, "`server` is no server's name"),
  clock: count,
  view: parseView,
  durable: asPeer((value, name) => parseVector(value, name, limits.memberVectorServers)),
  office: parseEpoch,
};

const parseSummary = object<ReplicaSummary>(summaryFields);

/** Lines travel as one string: much the quickest to encode and decode. */
export function writeLines(lines: readonly string[]): string {
  return lines.join("\n");
}

function parseLines(value: unknown): string[] {
  const text = must(isText, "`events` is no text")(value);
  return text === "" ? [] : text.split("\n");
}

function parseChains(value: unknown): Record<ServerName, Chain> {
  if (!isMap(value)) throw new PeerMessageError("`chains` is no map");
  const chains: Record<ServerName, Chain> = {};
  for (const [server, chain] of Object.entries(value)) {
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

const heardPresence = object<HeardPresence>({
  ageMs: must(isAge, "`ageMs` of what was heard is wrong"),
  user: asPeer(readUserName),
  client: asPeer(client),
  state: asPeer(presenceState),
  clock: count,
});

function parseHeard(value: unknown): HeardPresence[] {
  if (Array.isArray(value) && value.length <= limits.presenceWords) {
    return value.map((one) => heardPresence(fieldsOf(one)));
  }
  throw new PeerMessageError(`\`heard\` is no list of at most ${limits.presenceWords}`);
}

const claimFields = object<ProposedClaim>({
  user: readUserName,
  id: needed(parseRequestId, "claim.id"),
  credential: must(isText, "`claim` has no credential"),
});

/** @throws PeerMessageError if the field `tag` has none of the words */
function parseKind<Whole extends { readonly [K in Tag]: string }, Tag extends string>(
  kinds: Kinds<Whole, Tag>,
  tag: Tag,
  { word, fields }: { readonly word: unknown; readonly fields: Fields },
): Whole {
  if (typeof word !== "string" || !Object.hasOwn(kinds, word))
    throw new PeerMessageError(`\`${tag}\` is unknown`);
  const own: object = kinds[word as Whole[Tag]](fields);
  return { [tag]: word, ...own } as Whole;
}

function isPhase(value: unknown): value is Phase {
  return phases.includes(value as Phase);
}

const noHeartbeat = "`address` or `phase` is wrong";

const replication: Kinds<ReplicationMessage, "type"> = {
  events: (fields) => ({ ...parseSummary(fields), lines: parseLines(fields.events) }),
  ack: parseSummary,
  heartbeat: object({
    ...summaryFields,
    address: must(isEndpoint, noHeartbeat),
    phase: must(isPhase, noHeartbeat),
    chains: parseChains,
    rate: (value) => (Number.isFinite(value) ? (value as number) : 0),
    // One that is wrong counts as not told: no reason to lose the heartbeat.
    offsetMs: msIfAny,
    lastCorrectionMs: msIfAny,
    clockRounds: parseClock,
  }),
  presence: object({ ...summaryFields, heard: parseHeard }),
};

/** @throws PeerMessageError */
export function parseReplication(payload: Uint8Array): ReplicationMessage {
  const fields = decodeMap(payload);
  return parseKind(replication, "type", { word: fields.type, fields });
}

const requests: Kinds<PeerRequest, "service"> = {
  sync: parseSummary,
  snapshot: object({ of: textIfAny, file: count, offset: count, clock: orZero }),
  health: object({ clock: orZero }),
  election: object({ ...summaryFields, epoch }),
  candidate: object({ ...summaryFields, epoch }),
  accept: object({ ...summaryFields, epoch, seq: count }),
  forward: object({ ...summaryFields, claim: asPeer((value) => claimFields(fieldsOf(value))) }),
  clock: object({ ...summaryFields, round: count, correctionMs: optional(ms) }),
};

/** @throws PeerMessageError */
export function parsePeerRequest(payload: Uint8Array): PeerRequest {
  const { service, data } = decodeMap(payload);
  return parseKind(requests, "service", { word: service, fields: fieldsOf(data) });
}

const decided = object({ ...summaryFields, isGranted: isTrue, promised: epoch });

const coordinationAnswers: Kinds<CoordinationAnswer, "service"> = {
  election: parseSummary,
  candidate: decided,
  accept: decided,
  forward: object({
    ...summaryFields,
    outcome: needed((value) => claimOutcomes.find((one) => one === value)),
    seq: parseClock,
    credential: textIfAny,
  }),
  clock: object({ ...summaryFields, timeMs: ms, isCorrected: isTrue }),
};

/** @throws PeerMessageError */
export function parseCoordinationAnswer(payload: Uint8Array): CoordinationAnswer {
  const { service, data } = decodeMap(payload);
  return parseKind(coordinationAnswers, "service", { word: service, fields: fieldsOf(data) });
}

const syncAnswer = object({ ...summaryFields, more: isTrue, compacted: isTrue });

/** @throws PeerMessageError */
export function parseSyncAnswer(payload: Uint8Array): SyncAnswer {
  const fields = fieldsOf(decodeMap(payload).data);
  return { ...syncAnswer(fields), lines: parseLines(fields.events) };
}

const noPage = "it is no page of a saved state";

const snapshotPage = object<SnapshotPage>({
  of: must(isText, noPage),
  bytes: must((value) => value instanceof Uint8Array, noPage),
  clock: count,
  size: count,
});

/** @throws PeerMessageError */
export function parseSnapshotPage(payload: Uint8Array): SnapshotPage {
  return snapshotPage(fieldsOf(decodeMap(payload).data));
}
