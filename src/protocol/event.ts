import { type Chain, isChain, isServerName, type ServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import { isoTime } from "./time.ts";

/**
 * The replicated record of one write. `(server, seq)` identifies the event forever; `seq` counts 1,
 * 2, 3 … for each server. `timestamp` is in milliseconds since 1970, by the server's corrected
 * time. The type of `data` depends on `operation`.
 */
export interface Event {
  readonly server: ServerName;
  readonly seq: number;
  readonly clock: number;
  readonly timestamp: number;
  readonly operation: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * The two hash functions for event lines. The caller supplies the functions, so that this folder
 * depends on no hash library.
 */
export interface Digest {
  /**
   * Returns, in hex, the first 16 bytes of SHA-256 over the previous chain and the event's text.
   */
  chain(previous: Chain, text: string): Chain;
  /** Returns the CRC-32 of the text as 8 hex digits. */
  checksum(text: string): string;
}

/**
 * An event as a line of text, identical in journals and between servers. Only the event's origin
 * serialises the event, so that hashes never depend on how another server writes a number (J5).
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

/** Writes the line of an event. `previous` is the chain of the same server's previous event. */
export function writeLine(event: Event, previous: Chain, digest: Digest): EventLine {
  const text = JSON.stringify({
    server: event.server,
    seq: event.seq,
    clock: event.clock,
    timestamp: isoTime(event.timestamp),
    operation: event.operation,
    data: event.data,
  });
  const chain = digest.chain(previous, text);
  const body = `${prefix}${text}${chainLead}${chain}`;
  return { event, chain, line: `${body}${crcLead}${digest.checksum(body)}"}` };
}

/**
 * Reads an event from a line. Does not check the line's chain; `follows` checks it.
 * @throws Error if the checksum or the shape of the line is wrong
 */
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

/**
 * Returns whether the line's chain proves that its event directly follows the event with the chain
 * `previous`.
 */
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

/**
 * Compares two events by the total order of all listings and histories: by clock, then by server.
 */
export function compareOrder(
  a: { readonly clock: number; readonly server: ServerName },
  b: { readonly clock: number; readonly server: ServerName },
): number {
  if (a.clock !== b.clock) return a.clock - b.clock;
  return a.server < b.server ? -1 : a.server > b.server ? 1 : 0;
}
