import { Problem } from "../platform/problem.ts";
import { type Digest, type EventLine, follows, readLine } from "../protocol/event.ts";
import { type Chain, emptyChain, type ServerName } from "../protocol/ids.ts";
import { parseClock } from "../protocol/lamport-clock.ts";

const noteStart = '{"synced":';

/** The line before a batch: where the last completed sync of its file ended, and the clock. */
export function writeNote(synced: number, clock: number, digest: Digest): string {
  const body = `${noteStart}${synced},"clock":${clock}`;
  return `${body},"crc":"${digest.checksum(body)}"}`;
}

interface Note {
  readonly synced: number;
  readonly clock: number;
}

function readNote(line: string, digest: Digest): Note | undefined {
  if (!line.startsWith(noteStart)) return undefined;
  const body = line.slice(0, line.lastIndexOf(',"crc":"'));
  if (line !== `${body},"crc":"${digest.checksum(body)}"}`) return undefined;
  const { synced, clock } = JSON.parse(`${body}}`) as { synced: unknown; clock: unknown };
  const bytes = parseClock(synced);
  const ticks = parseClock(clock);
  return bytes === undefined || ticks === undefined ? undefined : { synced: bytes, clock: ticks };
}

/** Reads journal files one after the other, checking checksums, chains and gaps. */
export class Scan {
  clock = 0;
  events = 0;
  readonly heads: Record<ServerName, { seq: number; chain: Chain }> = {};
  readonly #digest: Digest;
  readonly #onLine: (line: EventLine) => void;
  readonly #onPlace: (server: ServerName, place: number) => void;

  constructor(
    digest: Digest,
    onLine: (line: EventLine) => void,
    onPlace: (server: ServerName, place: number) => void = () => {},
  ) {
    this.#digest = digest;
    this.#onLine = onLine;
    this.#onPlace = onPlace;
  }

  /**
   * @returns where the good lines end, and where the last noted sync ended
   * @throws Problem naming file and line, for damage before the last noted sync, or anywhere in a
   * file that is not the last
   */
  file(
    path: string,
    bytes: Buffer,
    start: number,
    isLast: boolean,
  ): { end: number; synced: number } {
    const lines = splitLines(bytes);
    let bad: { at: number; number: number; why: string } | undefined;
    let synced = isLast ? 0 : bytes.length;
    const good: { line: EventLine; at: number; number: number }[] = [];
    for (const [index, { at, text }] of lines.entries()) {
      const note = text === undefined ? undefined : readNote(text, this.#digest);
      if (note !== undefined) {
        // A note behind the damage still tells that what lies before was synced.
        synced = Math.max(synced, note.synced);
        this.clock = Math.max(this.clock, note.clock);
        continue;
      }
      if (bad !== undefined) continue;
      try {
        if (text === undefined) throw new Error("the line is not ended");
        good.push({ line: readLine(text, this.#digest), at, number: index + 1 });
      } catch (error) {
        bad = { at, number: index + 1, why: (error as Error).message };
        // Where the newline itself is damaged, the next batch's note hangs on the line before it.
        const hanging = text?.slice(Math.max(0, text.lastIndexOf(noteStart)));
        synced = Math.max(synced, readNote(hanging ?? "", this.#digest)?.synced ?? 0);
      }
    }
    if (bad !== undefined && bad.at < synced) throw rotten(path, bad.number, bad.why);
    for (const { line, at, number } of good) this.#take(path, line, start + at, number);
    return { end: bad?.at ?? bytes.length, synced: Math.min(synced, bad?.at ?? bytes.length) };
  }

  #take(path: string, line: EventLine, place: number, number: number): void {
    const { server, seq } = line.event;
    const head = this.heads[server] ?? { seq: 0, chain: emptyChain };
    if (seq !== head.seq + 1) {
      throw rotten(path, number, `${server} goes from ${head.seq} to ${seq}`);
    }
    if (!follows(line, head.chain, this.#digest)) {
      throw rotten(path, number, `the chain of ${server} breaks at ${seq}`);
    }
    this.heads[server] = { seq, chain: line.chain };
    this.events += 1;
    this.#onPlace(server, place);
    this.#onLine(line);
  }
}

function rotten(path: string, line: number, why: string): Problem {
  return new Problem(
    `${path}:${line} is damaged (${why}): move this server's folder away and start again; ` +
      "a new member fetches everything from the others.",
  );
}

/** The lines with their places; the last has no text if no newline ends it. */
function splitLines(bytes: Buffer): { at: number; text: string | undefined }[] {
  const lines: { at: number; text: string | undefined }[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf(0x0a, at);
    lines.push({ at, text: end < 0 ? undefined : bytes.toString("utf8", at, end) });
    if (end < 0) break;
    at = end + 1;
  }
  return lines;
}
