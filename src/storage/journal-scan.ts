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
  /** From 1. */
  readonly number: number;
  /** Undefined if no newline ends it. */
  readonly text: string | undefined;
}

/** Lines in a row that can't be read. */
interface Hole {
  readonly at: number;
  readonly number: number;
  readonly why: string;
}

/** What was found in a file. */
export interface Scanned {
  readonly header: Header | undefined;
  /** Where the good lines end, and where the last noted sync ended. */
  readonly end: number;
  readonly synced: number;
}

interface ScanOptions {
  readonly digest: Digest;
  /** What is held already: lines up to it are passed over. */
  readonly held: Heads;
  readonly onLine: (line: EventLine) => void;
  /** Whether it is known that something is missing before the first file. */
  readonly afterDamage?: boolean;
}

interface ScannedFile {
  readonly path: string;
  readonly bytes: Buffer;
  /** Whether the file may end in a torn tail. */
  readonly isLast: boolean;
}

/**
 * Reads journal files one after the other, checking checksums, chains and gaps (J2). What follows
 * what is held is given on; the rest is only noted, so that it is known what was lost.
 */
export class Scan {
  clock = 0;
  events = 0;
  /** Damage before a noted sync: rot. What lies behind is a torn tail, and cut off. */
  readonly damages: Damage[] = [];
  /** The furthest events that are known to have been here. */
  readonly known: Record<ServerName, Head> = {};
  /** Whether something was lost of which it can't be told what it was: who could tell, is damaged. */
  isLossUnknown = false;
  /** Where the lines of the files end, whatever is held. */
  readonly written: Record<ServerName, Head> = {};
  readonly #heads: Record<ServerName, Head>;
  /** What the notes tell of. */
  readonly #noted: MutableVector = {};
  #before: { readonly path: string; readonly bytes: number; readonly lines: number } | undefined;
  readonly #digest: Digest;
  readonly #onLine: (line: EventLine) => void;
  /** Whether a gap is damage of its own: behind damage that was named it is no news. */
  readonly #gapsAreNews: boolean;

  constructor({ digest, held, onLine, afterDamage = false }: ScanOptions) {
    this.#gapsAreNews = !afterDamage;
    this.#digest = digest;
    this.#heads = { ...held };
    this.#onLine = onLine;
    for (const [server, head] of Object.entries(held)) this.#know(server as ServerName, head);
  }

  get #isNews(): boolean {
    return this.#gapsAreNews && this.damages.length === 0;
  }

  get heads(): Heads {
    return this.#heads;
  }

  /** @param onPlace told where each good line is */
  file(
    { path, bytes, isLast }: ScannedFile,
    onPlace: (line: EventLine, offset: number) => void = () => {},
  ): Scanned {
    const [first, ...lines] = splitLines(bytes);
    const header = readHeader(first?.text ?? "", this.#digest);
    const { synced, good, holes } = this.#read(lines, isLast ? this.#noteOf(first) : bytes.length);
    if (header === undefined) {
      // It was being begun when the process died.
      if (isLast && synced === 0) return { header, end: 0, synced: 0 };
      // What was lost before it, the header would have told.
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
        // A note behind the damage still tells that what lies before was synced.
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

  /** Where the sync ended that a note tells of whose newline before it is damaged, or 0. */
  #noteOf(line: { readonly text: string | undefined } | undefined): number {
    const note = readHangingNote(line?.text ?? "", this.#digest);
    return note === undefined ? 0 : this.#heed(note);
  }

  /** @returns where the sync ended that it tells of */
  #heed({ synced, clock, vector }: Note): number {
    this.clock = Math.max(this.clock, clock);
    raise(this.#noted, vector);
    return synced;
  }

  /** A file goes on where the one before it ended, or where the saved state stands. */
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
    // The state stands for it already.
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
