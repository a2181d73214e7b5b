import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { crc32 } from "node:zlib";
import type { Digest } from "../protocol/event.ts";
import { type Fields, fieldsOf } from "../protocol/fields.ts";
import type { ServerName } from "../protocol/ids.ts";
import { parseClock } from "../protocol/lamport-clock.ts";
import { type Heads, parseHeads } from "../protocol/mark.ts";
import { type MutableVector, parseVector, type Vector } from "../protocol/vector.ts";
import { checkFormat, fileFormat } from "./file-format.ts";

/**
 * The first line of a journal file. The line sums up all files before this file.
 *
 *     {"heads":{<server>:{"seq","chain"}},"clock":<n>,"previous":{"bytes","checksum"},"format":<n>,
 *      "crc":"<8 hex>"}
 *
 * Without `previous` the file does not continue the file before it: the events between the two
 * files are only in the saved state.
 */
export interface Header {
  readonly heads: Heads;
  readonly clock: number;
  readonly previous: { readonly bytes: number; readonly checksum: string } | undefined;
}

const headerLead = '{"heads":';
const noteLead = '{"synced":';

/**
 * A sync note: the line before a batch of events. `synced` is the offset at which the last
 * completed sync of this file ended; `vector` has, for each server, the highest `seq` before that
 * offset. By this vector a start knows which events were lost, even if their lines are unreadable.
 */
export interface Note {
  readonly synced: number;
  readonly clock: number;
  readonly vector: Vector;
}

/**
 * Returns a header or sync note as a line with a checksum. `value` must have its fields in the
 * order of its type.
 */
function writeSealed(value: object, digest: Digest): string {
  const body = JSON.stringify(value).slice(0, -1);
  return `${body},"crc":"${digest.checksum(body)}"}`;
}

export function writeHeader(header: Header, digest: Digest): string {
  return writeSealed({ ...header, format: fileFormat }, digest);
}

export function writeNote(note: Note, digest: Digest): string {
  return writeSealed(note, digest);
}

/** Returns the fields of a line; undefined if its checksum is wrong. */
function unseal(line: string, digest: Digest): Fields | undefined {
  const body = line.slice(0, line.lastIndexOf(',"crc":"'));
  if (line !== `${body},"crc":"${digest.checksum(body)}"}`) return undefined;
  return fieldsOf(JSON.parse(`${body}}`));
}

export function readNote(line: string, digest: Digest): Note | undefined {
  if (!line.startsWith(noteLead)) return undefined;
  const value = unseal(line, digest);
  const synced = parseClock(value?.synced);
  const clock = parseClock(value?.clock);
  if (value === undefined || synced === undefined || clock === undefined) return undefined;
  return { synced, clock, vector: parseVector(value.vector, "vector", Number.POSITIVE_INFINITY) };
}

/**
 * Reads a sync note that has become part of the line before it, because the newline between them is
 * damaged; undefined if the line has no sync note.
 */
export function readHangingNote(line: string, digest: Digest): Note | undefined {
  return readNote(line.slice(Math.max(0, line.lastIndexOf(noteLead))), digest);
}

/**
 * Reads the first line of the file at `path`; undefined if the line is no whole header.
 * @throws Problem if a newer version of the program has written the file
 */
export function readHeader(path: string, line: string, digest: Digest): Header | undefined {
  if (!line.startsWith(headerLead)) return undefined;
  const value = unseal(line, digest);
  checkFormat(path, value);
  const clock = parseClock(value?.clock);
  if (value === undefined || clock === undefined) return undefined;
  const heads = parseHeads(value.heads);
  const { bytes: given, checksum } = fieldsOf(value.previous);
  const bytes = parseClock(given);
  const isLinked = bytes !== undefined && typeof checksum === "string";
  return { heads, clock, previous: isLinked ? { bytes, checksum } : undefined };
}

const linePattern = /^\{"event":\{"server":"(server_[0-9a-f]{8})","seq":(\d+),/;

/** Returns server and `seq` of a line's event, read from the beginning of the line. */
export function eventNamedBy(line: string): { server: ServerName; seq: number } | undefined {
  const [, server, seq] = linePattern.exec(line) ?? [];
  return server === undefined ? undefined : { server: server as ServerName, seq: Number(seq) };
}

/**
 * The offsets of one server's lines in a file, by rising `seq`. The first offset is that of event
 * `first`.
 */
interface Offsets {
  readonly first: number;
  readonly list: number[];
}

/** One file of the journal, with the offset of each event in it. */
export class JournalFile {
  readonly path: string;
  header: Header = { heads: {}, clock: 0, previous: undefined };
  bytes = 0;
  /** The CRC-32 of all bytes; valid only if this process has read or written the whole file. */
  checksum = 0;
  /**
   * The offsets by server. If this process has neither replayed nor written the file, the first
   * lookup reads the offsets from the file.
   */
  #index: Map<ServerName, Offsets> | undefined;

  constructor(path: string) {
    this.path = path;
  }

  startIndex(): void {
    this.#index = new Map();
  }

  note(server: ServerName, seq: number, offset: number): void {
    const index = this.#index;
    if (index === undefined) return;
    const offsets = index.get(server) ?? { first: seq, list: [] };
    index.set(server, offsets);
    if (seq === offsets.first + offsets.list.length) offsets.list.push(offset);
  }

  /** For each server, the highest `seq` of the events in this file. */
  get reached(): Vector {
    const reached: MutableVector = {};
    for (const [server, { first, list }] of this.#index ?? []) {
      reached[server] = first + list.length - 1;
    }
    return reached;
  }

  offsetOf(server: ServerName, seq: number): number | undefined {
    if (this.#index === undefined) this.#read();
    const { first, list } = this.#index?.get(server) ?? { first: 0, list: [] };
    return list[seq - first];
  }

  #read(): void {
    this.startIndex();
    const bytes = readFileSync(this.path);
    for (let at = 0; at < bytes.length; ) {
      const end = bytes.indexOf(0x0a, at);
      if (end < 0) return;
      const name = eventNamedBy(bytes.toString("latin1", at, Math.min(end, at + 80)));
      if (name !== undefined) this.note(name.server, name.seq, at);
      at = end + 1;
    }
  }
}

/** Returns whether a file still has the size and checksum that the next file's header states. */
export function isAsSealed(path: string, previous: NonNullable<Header["previous"]>): boolean {
  const bytes = readFileSync(path);
  return bytes.length === previous.bytes && checksumText(crc32(bytes)) === previous.checksum;
}

export function nameOf(number: number): string {
  return `${String(number).padStart(8, "0")}.jsonl`;
}

/** Returns the number in a journal file's name or path; 0 if the name has no number. */
export function numberOf(path: string): number {
  return Number.parseInt(basename(path), 10) || 0;
}

export function checksumText(checksum: number): string {
  return checksum.toString(16).padStart(8, "0");
}

/** Returns the names of the journal files in a folder, oldest first. */
export function journalNames(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /^\d{8}\.jsonl$/.test(name))
    .sort();
}
