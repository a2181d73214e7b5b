import { type Digest, type EventLine, follows, readLine } from "../protocol/event.ts";
import { emptyChain, type ServerName } from "../protocol/ids.ts";
import type { Head, Heads } from "../protocol/mark.ts";
import { type MutableVector, raise, servers } from "../protocol/vector.ts";
import type { Damage } from "./damage.ts";
import {
  type Header,
  type Note,
  numberOf,
  readHangingNote,
  readHeader,
  readNote,
} from "./journal-file.ts";

interface Line {
  readonly at: number;
  /** The line's number in the file, from 1. */
  readonly number: number;
  /** The text; undefined if no newline ends the line. */
  readonly text: string | undefined;
}

/** The first of several consecutive damaged lines. */
interface Hole {
  readonly at: number;
  readonly number: number;
  readonly why: string;
}

interface Scanned {
  readonly header: Header | undefined;
  /**
   * The offset at which the good lines end, and the offset up to which a sync note says that data
   * was synced.
   */
  readonly end: number;
  readonly synced: number;
}

interface ScanOptions {
  readonly digest: Digest;
  /** For each server, the newest event in the saved state; lines up to this event are skipped. */
  readonly held: Heads;
  readonly onLine: (line: EventLine) => void;
  /** Whether events before the first file are known to be missing. */
  readonly afterDamage?: boolean;
}

interface ScannedFile {
  readonly path: string;
  readonly bytes: Buffer;
  /** Whether the file is the last one, which may end in a torn tail. */
  readonly isLast: boolean;
}

/**
 * Reads journal files one after the other, and checks checksums, chains and gaps (J2). `onLine`
 * gets the events that continue `held`. All other events are only recorded, to work out which
 * events were lost.
 */
export class Scan {
  clock = 0;
  events = 0;
  /** Rot: damage in data that a sync note says was synced. Damage in other data is a torn tail. */
  readonly damages: Damage[] = [];
  /** For each server, the newest event that the files are known to have had. */
  readonly known: Record<ServerName, Head> = {};
  /** Whether events may be lost that nobody can name, because their only record is damaged. */
  isLossUnknown = false;
  /** For each server, its last event in the files, whether or not it is in the saved state. */
  readonly written: Record<ServerName, Head> = {};
  readonly #heads: Record<ServerName, Head>;
  /** For each server, the highest `seq` in any sync note of the journal. */
  readonly #noted: MutableVector = {};
  #before: { readonly path: string; readonly bytes: number; readonly lines: number } | undefined;
  readonly #digest: Digest;
  readonly #onLine: (line: EventLine) => void;
  readonly #afterDamage: boolean;

  constructor({ digest, held, onLine, afterDamage = false }: ScanOptions) {
    this.#afterDamage = afterDamage;
    this.#digest = digest;
    this.#heads = { ...held };
    this.#onLine = onLine;
    for (const [server, head] of Object.entries(held)) this.#know(server as ServerName, head);
  }

  /**
   * Whether a gap counts as new damage. After damage that was already reported, a gap is expected.
   */
  get #isNews(): boolean {
    return !this.#afterDamage && this.damages.length === 0;
  }

  get heads(): Heads {
    return this.#heads;
  }

  /** @param onPlace gets each good line with its offset */
  file(
    { path, bytes, isLast }: ScannedFile,
    onPlace: (line: EventLine, offset: number) => void = () => {},
  ): Scanned {
    const [first, ...lines] = splitLines(bytes);
    const header = readHeader(path, first?.text ?? "", this.#digest);
    const { synced, good, holes } = this.#read(lines, isLast ? this.#noteOf(first) : bytes.length);
    if (header === undefined) {
      // The process died while it was writing the header of this file, so no event of this file was
      // synced.
      if (isLast && synced === 0) return { header, end: 0, synced: 0 };
      // If there was damage before this file, the header of this file would have named the lost
      // events. Without the header, these events count as unknown.
      this.isLossUnknown ||= !this.#isNews;
      this.damages.push({ path, line: 1, why: "the header is damaged" });
    } else {
      this.clock = Math.max(this.clock, header.clock);
      this.#checkHeader(path, header);
    }
    this.#before = { path, bytes: bytes.length, lines: lines.length + 1 };
    const torn = holes.find(({ at }) => at >= synced);
    const end = torn?.at ?? bytes.length;
    for (const { at, number, why } of holes) {
      if (at < synced) this.damages.push({ path, line: number, why });
    }
    for (const { line, at, number } of good) {
      if (at >= end) break;
      onPlace(line, at);
      this.#take(path, line, number);
    }
    for (const server of servers(this.#noted)) {
      this.#know(server, { seq: this.#noted[server] ?? 0, chain: emptyChain });
    }
    return { header, end, synced: Math.min(synced, end) };
  }

  #read(lines: readonly Line[], least: number) {
    let synced = least;
    const good: { line: EventLine; at: number; number: number }[] = [];
    const holes: Hole[] = [];
    let isWhole = true;
    for (const { at, number, text } of lines) {
      const note = text === undefined ? undefined : readNote(text, this.#digest);
      if (note !== undefined) {
        // Even after a damaged line, a sync note proves that everything before the note's offset
        // was synced.
        synced = Math.max(synced, this.#heed(note));
        isWhole = true;
        continue;
      }
      try {
        if (text === undefined) throw new Error("the line is not ended");
        good.push({ line: readLine(text, this.#digest), at, number });
        isWhole = true;
      } catch (error) {
        if (isWhole) holes.push({ at, number, why: (error as Error).message });
        isWhole = false;
        synced = Math.max(synced, this.#noteOf({ text }));
      }
    }
    return { synced, good, holes };
  }

  /**
   * Works like `#heed`, for a sync note at the end of a line whose newline in front of the note is
   * damaged; returns 0 if the line has no sync note.
   */
  #noteOf(line: { readonly text: string | undefined } | undefined): number {
    const note = readHangingNote(line?.text ?? "", this.#digest);
    return note === undefined ? 0 : this.#heed(note);
  }

  /**
   * Records a sync note's clock and vector.
   * @returns the offset up to which the note says that data was synced
   */
  #heed({ synced, clock, vector }: Note): number {
    this.clock = Math.max(this.clock, clock);
    raise(this.#noted, vector);
    return synced;
  }

  /** Checks that a file continues the file before it, or the saved state. */
  #checkHeader(path: string, { heads, previous }: Header): void {
    const before = this.#before;
    const isNext = before !== undefined && numberOf(path) === numberOf(before.path) + 1;
    if (isNext && before.bytes < (previous?.bytes ?? 0)) {
      const why = `${before.bytes} bytes are left of ${previous?.bytes}`;
      this.damages.push({ path: before.path, line: before.lines, why });
    }
    Object.assign(this.written, heads);
    for (const [name, head] of Object.entries(heads) as [ServerName, Head][]) {
      const held = this.#heads[name];
      this.#know(name, head);
      if ((held?.seq ?? 0) < head.seq && this.#isNews) {
        const why = `${name} is at ${head.seq} here, and was at ${held?.seq ?? 0} before`;
        this.damages.push({ path, line: 1, why });
      }
    }
  }

  #take(path: string, line: EventLine, number: number): void {
    const { server, seq } = line.event;
    const head = this.#heads[server] ?? { seq: 0, chain: emptyChain };
    this.written[server] = { seq, chain: line.chain };
    this.#know(server, { seq, chain: line.chain });
    // The saved state already has this event, so the event is skipped.
    if (seq <= head.seq) return;
    if (seq !== head.seq + 1) {
      if (!this.#isNews) return;
      const why = `${server} goes from ${head.seq} to ${seq}`;
      this.damages.push({ path, line: number, why });
      return;
    }
    if (!follows(line, head.chain, this.#digest)) {
      this.damages.push({ path, line: number, why: `the chain of ${server} breaks at ${seq}` });
      return;
    }
    this.#heads[server] = { seq, chain: line.chain };
    this.events += 1;
    this.#onLine(line);
  }

  #know(server: ServerName, head: Head): void {
    if (head.seq > (this.known[server]?.seq ?? 0)) this.known[server] = head;
  }
}

function splitLines(bytes: Buffer): Line[] {
  const lines: Line[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf(0x0a, at);
    const number = lines.length + 1;
    lines.push({ at, number, text: end < 0 ? undefined : bytes.toString("utf8", at, end) });
    if (end < 0) break;
    at = end + 1;
  }
  return lines;
}
