import { type Chain, isChain, isServerName, type ServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";

/**
 * One replicated fact. `(server, seq)` names it forever; `seq` counts 1, 2, 3 … per server;
 * `timestamp` is in milliseconds since 1970, by the server's corrected time. The fact of its
 * operation knows the shape of `data`.
 */
export interface Event {
  readonly server: ServerName;
  readonly seq: number;
  readonly clock: number;
  readonly timestamp: number;
  readonly operation: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The two hashes of a line. They are values, so that this folder needs no library for them. */
export interface Digest {
  /** The first 16 bytes, in hex, of SHA-256 over the previous chain and the event's text. */
  chain(previous: Chain, text: string): Chain;
  /** CRC-32 of the text, 8 hex digits. */
  checksum(text: string): string;
}

/**
 * An event as a line, the same in a journal and between servers. The server that made the event
 * writes its text once, so that hashes never depend on how another server writes a number (J5).
 *
 *     {"event":{"server":…,"seq":…,…},"chain":"<32 hex>","crc":"<8 hex>"}
 */
export interface EventLine {
  readonly event: Event;
  readonly chain: Chain;
  readonly line: string;
}

const prefix = '{"event":';
const chainLead = ',"chain":"';
const crcLead = '","crc":"';
const crcStart = -('","crc":"'.length + 8 + 2);
const chainStart = crcStart - 32 - chainLead.length;

/** Writes an event that follows the one with the chain `previous` of the same server. */
export function writeLine(event: Event, previous: Chain, digest: Digest): EventLine {
  const text = JSON.stringify({
    server: event.server,
    seq: event.seq,
    clock: event.clock,
    timestamp: new Date(event.timestamp).toISOString(),
    operation: event.operation,
    data: event.data,
  });
  const chain = digest.chain(previous, text);
  const body = `${prefix}${text}${chainLead}${chain}`;
  return { event, chain, line: `${body}${crcLead}${digest.checksum(body)}"}` };
}

/** @throws Error if the line's checksum or shape is wrong; `follows` checks its chain */
export function readLine(line: string, digest: Digest): EventLine {
  const body = line.slice(0, crcStart);
  if (line.slice(crcStart, -2) !== crcLead + digest.checksum(body) || !line.endsWith('"}')) {
    throw new Error("the checksum does not match");
  }
  const chain = body.slice(-32);
  const text = eventText(line);
  if (!line.startsWith(prefix) || !isChain(chain) || !body.slice(0, -32).endsWith(chainLead)) {
    throw new Error("it is no event");
  }
  return { event: parseEvent(JSON.parse(text)), chain, line };
}

/** Whether the line's chain shows that its event is the next one after `previous`. */
export function follows(line: EventLine, previous: Chain, digest: Digest): boolean {
  return digest.chain(previous, eventText(line.line)) === line.chain;
}

function eventText(line: string): string {
  return line.slice(prefix.length, chainStart);
}

function parseEvent(value: unknown): Event {
  const { server, seq, clock, timestamp, operation, data } = value as Record<string, unknown>;
  const time = typeof timestamp === "string" ? Date.parse(timestamp) : Number.NaN;
  if (
    !isServerName(server) ||
    parseClock(seq) === undefined ||
    parseClock(clock) === undefined ||
    Number.isNaN(time) ||
    typeof operation !== "string" ||
    typeof data !== "object" ||
    data === null
  ) {
    throw new Error("it is no event");
  }
  return {
    server,
    seq: seq as number,
    clock: clock as number,
    timestamp: time,
    operation,
    data: data as Record<string, unknown>,
  };
}

/** The total order of every listing and history: by clock, then by server. */
export function compareOrder(
  a: { readonly clock: number; readonly server: ServerName },
  b: { readonly clock: number; readonly server: ServerName },
): number {
  if (a.clock !== b.clock) return a.clock - b.clock;
  return a.server < b.server ? -1 : a.server > b.server ? 1 : 0;
}
