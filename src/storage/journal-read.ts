import { open } from "node:fs/promises";
import type { ServerName } from "../protocol/ids.ts";
import { limits } from "../protocol/limits.ts";
import type { Head } from "../protocol/mark.ts";
import { type MutableVector, servers, type Vector } from "../protocol/vector.ts";
import { eventNamedBy, type JournalFile } from "./journal-file.ts";

/** The present content of a journal. */
export interface Held {
  /** The files from which peers can get events; the last file is being written. */
  files: JournalFile[];
  readonly heads: Record<ServerName, Head>;
}

/**
 * Returns event lines above `since` and up to `upTo`, in the order of the journal, which is the
 * order of `seq` for each server. Returns at most 1,000 lines and about a megabyte.
 * @returns undefined if some of these lines are no longer in the journal, only in the saved state
 */
export async function readLines(
  held: Held,
  since: Vector,
  upTo: Vector,
): Promise<{ lines: string[]; more: boolean } | undefined> {
  const [oldest] = held.files;
  const next: MutableVector = {};
  for (const server of servers(upTo)) {
    const seq = (since[server] ?? 0) + 1;
    if (seq > (upTo[server] ?? 0)) continue;
    if (seq <= (oldest?.header.heads[server]?.seq ?? 0)) return undefined;
    next[server] = seq;
  }
  const lines: string[] = [];
  let room: number = limits.pageBytes;
  while (lines.length < limits.syncEvents && room > 0) {
    const start = firstOf(held, next);
    if (start === undefined) break;
    for (const line of await linesIn(held, start)) {
      if (lines.length >= limits.syncEvents || room <= 0) break;
      const name = eventNamedBy(line);
      if (name === undefined || next[name.server] !== name.seq) continue;
      lines.push(line);
      room -= 3 * line.length;
      if (name.seq === upTo[name.server]) delete next[name.server];
      else next[name.server] = name.seq + 1;
    }
  }
  return { lines, more: servers(next).length > 0 };
}

interface Place {
  readonly file: JournalFile;
  readonly offset: number;
}

/**
 * Reads lines at a place. Returns no lines if the file was removed during the read, because its
 * events are then only in the saved state.
 */
async function linesIn(held: Held, { file, offset }: Place): Promise<string[]> {
  try {
    return await linesAt(file, offset);
  } catch (error) {
    if (held.files.includes(file)) throw error;
    return [];
  }
}

/** Returns the place of the first wanted event; undefined if no file contains a wanted event. */
function firstOf(held: Held, next: Vector): Place | undefined {
  for (const [index, file] of held.files.entries()) {
    const end = held.files[index + 1]?.header.heads ?? held.heads;
    let offset = Number.POSITIVE_INFINITY;
    for (const server of servers(next)) {
      const seq = next[server] ?? 0;
      if (seq > (end[server]?.seq ?? 0)) continue;
      offset = Math.min(offset, file.offsetOf(server, seq) ?? Number.POSITIVE_INFINITY);
    }
    if (offset !== Number.POSITIVE_INFINITY) return { file, offset };
  }
  return undefined;
}

/** Returns the whole lines from an offset to the end of one chunk or of the file. */
async function linesAt(file: JournalFile, offset: number): Promise<string[]> {
  // A chunk holds at least one line, because a line is little longer than the largest request.
  const chunk = Buffer.allocUnsafe(Math.min(4 * limits.requestBytes, file.bytes - offset));
  await using handle = await open(file.path, "r");
  let bytes = 0;
  while (bytes < chunk.length) {
    const rest = chunk.length - bytes;
    const { bytesRead } = await handle.read(chunk, bytes, rest, offset + bytes);
    if (bytesRead === 0) break;
    bytes += bytesRead;
  }
  const end = chunk.lastIndexOf(0x0a, bytes - 1);
  return end < 0 ? [] : chunk.toString("utf8", 0, end).split("\n");
}
