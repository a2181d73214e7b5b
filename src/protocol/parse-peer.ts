import { decode } from "./codec.ts";
import { type Epoch, parseEpoch } from "./epoch.ts";
import { PeerMessageError } from "./errors.ts";

import { type Fields, isMap } from "./fields.ts";
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
import { parseClient, parsePresenceState } from "./parse-message.ts";
import {
  claimOutcomes,
  type HeardPresence,
  type OfficeAnswer,
  type PeerRequest,
  type Phase,
  type ProposedClaim,
  phases,
  type ReplicationMessage,
  type SnapshotPage,
  type Standing,
  type SyncAnswer,
} from "./peer-messages.ts";
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
  if (!isMap(value)) throw new PeerMessageError("it is no map");
  return value;
}

function need<T>(value: T | undefined, field: string): T {
  if (value === undefined) throw new PeerMessageError(`\`${field}\` is missing or wrong`);
  return value;
}

function parseStanding(fields: Fields): Standing {
  const { server, clock, view, durable } = fields;
  if (!isServerName(server)) throw new PeerMessageError("`server` is no server's name");
  return {
    server,
    clock: need(parseClock(clock), "clock"),
    view: parseView(view),
    durable: vectorOf(durable),
    office: parseEpoch(fields.office),
  };
}

function vectorOf(value: unknown) {
  try {
    return parseVector(value, "durable", limits.memberVectorServers);
  } catch (error) {
    throw new PeerMessageError((error as Error).message);
  }
}

/** Lines travel as one string: much the quickest to encode and decode. */
export function writeLines(lines: readonly string[]): string {
  return lines.join("\n");
}

function parseLines(value: unknown): string[] {
  if (typeof value !== "string") throw new PeerMessageError("`events` is no text");
  return value === "" ? [] : value.split("\n");
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

function parseHeard(value: unknown): HeardPresence[] {
  if (!Array.isArray(value) || value.length > limits.presenceWords) {
    throw new PeerMessageError(`\`heard\` is no list of at most ${limits.presenceWords}`);
  }
  return value.map(parseWord);
}

function parseWord(value: unknown): HeardPresence {
  const { user, client, state, clock, ageMs } = isMap(value) ? value : {};
  const isAge = typeof ageMs === "number" && ageMs >= 0 && ageMs <= durations.presenceSilenceMs;
  if (!isAge) throw new PeerMessageError("`ageMs` of what was heard is wrong");
  try {
    return {
      user: readUserName(user),
      client: parseClient(client),
      state: parsePresenceState(state),
      clock: need(parseClock(clock), "clock"),
      ageMs,
    };
  } catch (error) {
    throw new PeerMessageError((error as Error).message);
  }
}

/** @throws PeerMessageError */
export function parseReplication(payload: Uint8Array): ReplicationMessage {
  const fields = decodeMap(payload);
  const standing = parseStanding(fields);
  switch (fields.type) {
    case "events":
      return { ...standing, type: "events", lines: parseLines(fields.events) };
    case "ack":
      return { ...standing, type: "ack" };
    case "heartbeat": {
      const { address, phase, chains, rate, offsetMs, lastCorrectionMs, clockRounds } = fields;
      if (!isEndpoint(address) || !phases.includes(phase as Phase)) {
        throw new PeerMessageError("`address` or `phase` is wrong");
      }
      return {
        ...standing,
        type: "heartbeat",
        address,
        phase: phase as Phase,
        chains: parseChains(chains),
        rate: Number.isFinite(rate) ? (rate as number) : 0,
        // One that is wrong counts as not told: no reason to lose the heartbeat.
        offsetMs: parseMs(offsetMs),
        lastCorrectionMs: parseMs(lastCorrectionMs),
        clockRounds: parseClock(clockRounds),
      };
    }
    case "presence":
      return { ...standing, type: "presence", heard: parseHeard(fields.heard) };
    default:
      throw new PeerMessageError("`type` is unknown");
  }
}

/** @throws PeerMessageError */
export function parsePeerRequest(payload: Uint8Array): PeerRequest {
  const fields = decodeMap(payload);
  const data = isMap(fields.data) ? fields.data : {};
  switch (fields.service) {
    case "sync":
      return { service: "sync", ...parseStanding(data) };
    case "snapshot": {
      const of = typeof data.of === "string" ? data.of : undefined;
      const file = need(parseClock(data.file), "file");
      const offset = need(parseClock(data.offset), "offset");
      return { service: "snapshot", clock: parseClock(data.clock) ?? 0, of, file, offset };
    }
    case "health":
      return { service: "health", clock: parseClock(data.clock) ?? 0 };
    case "election":
      return { service: "election", ...parseStanding(data), epoch: epochOf(data.epoch) };
    case "candidate":
      return { service: "candidate", ...parseStanding(data), epoch: epochOf(data.epoch) };
    case "accept": {
      const seq = need(parseClock(data.seq), "seq");
      return { service: "accept", ...parseStanding(data), epoch: epochOf(data.epoch), seq };
    }
    case "forward":
      return { service: "forward", ...parseStanding(data), claim: parseClaim(data.claim) };
    case "clock": {
      const round = need(parseClock(data.round), "round");
      const correctionMs = data.correctionMs == null ? undefined : msOf(data.correctionMs);
      return { service: "clock", ...parseStanding(data), round, correctionMs };
    }
    default:
      throw new PeerMessageError("`service` is unknown");
  }
}

/** @throws PeerMessageError */
export function parseSyncAnswer(payload: Uint8Array): SyncAnswer {
  const fields = decodeMap(payload);
  const data = isMap(fields.data) ? fields.data : {};
  return {
    ...parseStanding(data),
    lines: parseLines(data.events),
    more: data.more === true,
    compacted: data.compacted === true,
  };
}

function epochOf(value: unknown): Epoch {
  return need(parseEpoch(value), "epoch");
}

/** A time or a correction, within what a clock can show. */
function parseMs(value: unknown): number | undefined {
  const isTime = typeof value === "number" && Math.abs(value) <= durations.clockCorrectionMs;
  return isTime ? value : undefined;
}

function msOf(value: unknown): number {
  return need(parseMs(value), "a time");
}

function parseClaim(value: unknown): ProposedClaim {
  const { user, id, credential } = isMap(value) ? value : {};
  try {
    const name = readUserName(user);
    const known = need(parseRequestId(id), "claim.id");
    if (typeof credential !== "string") throw new PeerMessageError("`claim` has no credential");
    return { user: name, id: known, credential };
  } catch (error) {
    throw new PeerMessageError((error as Error).message);
  }
}

/** @throws PeerMessageError */
export function parseOfficeAnswer(payload: Uint8Array): OfficeAnswer {
  const { service, data } = decodeMap(payload);
  const fields = isMap(data) ? data : {};
  const standing = parseStanding(fields);
  switch (service) {
    case "election":
      return { ...standing, service };
    case "candidate":
    case "accept":
      return {
        ...standing,
        service,
        isGranted: fields.isGranted === true,
        promised: epochOf(fields.promised),
      };
    case "forward": {
      const outcome = claimOutcomes.find((one) => one === fields.outcome);
      return {
        ...standing,
        service,
        outcome: need(outcome, "outcome"),
        seq: parseClock(fields.seq),
        credential: typeof fields.credential === "string" ? fields.credential : undefined,
      };
    }
    case "clock":
      return {
        ...standing,
        service,
        timeMs: msOf(fields.timeMs),
        isCorrected: fields.isCorrected === true,
      };
    default:
      throw new PeerMessageError("`service` is unknown");
  }
}

/** @throws PeerMessageError */
export function parseSnapshotPage(payload: Uint8Array): SnapshotPage {
  const fields = decodeMap(payload);
  const data = isMap(fields.data) ? fields.data : {};
  const { of, bytes } = data;
  if (typeof of !== "string" || !(bytes instanceof Uint8Array)) {
    throw new PeerMessageError("it is no page of a saved state");
  }
  return {
    clock: need(parseClock(data.clock), "clock"),
    of,
    size: need(parseClock(data.size), "size"),
    bytes,
  };
}
