import { createHash } from "node:crypto";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Chain, ServerName } from "../protocol/ids.ts";
import type { Vector } from "../protocol/vector.ts";
import { syncFolder } from "./folder.ts";
import { writeAtomically } from "./json-file.ts";

/** Pieces of text gathered before a write gives the event loop its turn. */
const pieceBytes = 64 * 1024;

export interface CheckpointFile {
  readonly name: string;
  readonly pieces: Iterable<string>;
}

/** What the files stand for; equal on replicas with equal vectors (R4). */
export interface CheckpointMark {
  readonly vector: Vector;
  readonly chains: Readonly<Record<ServerName, Chain>>;
  /** The highest clock among the events. */
  readonly clock: number;
}

/**
 * Writes the state's files, each to a temporary name, synced and renamed; `checkpoint.json`, with
 * their sizes and checksums, last. A crash at any point leaves whole files (J1).
 */
export async function writeCheckpoint(
  folder: string,
  files: readonly CheckpointFile[],
  mark: CheckpointMark,
): Promise<void> {
  const written: Record<string, { bytes: number; checksum: string }> = {};
  for (const { name, pieces } of files) written[name] = await writePieces(folder, name, pieces);
  const { vector, chains, clock } = mark;
  const text = JSON.stringify({ vector, chains, clock, epoch: null, files: written }, null, 1);
  await writeAtomically(join(folder, "checkpoint.json"), `${text}\n`);
}

async function writePieces(
  folder: string,
  name: string,
  pieces: Iterable<string>,
): Promise<{ bytes: number; checksum: string }> {
  const path = join(folder, name);
  const hash = createHash("sha256");
  let bytes = 0;
  {
    await using file = await open(`${path}.tmp`, "w");
    const write = async (text: string) => {
      const piece = Buffer.from(text);
      hash.update(piece);
      bytes += piece.length;
      await file.writeFile(piece);
    };
    let gathered = "";
    for (const piece of pieces) {
      gathered += piece;
      if (gathered.length < pieceBytes) continue;
      await write(gathered);
      gathered = "";
    }
    await write(gathered);
    await file.datasync();
  }
  await rename(`${path}.tmp`, path);
  syncFolder(folder);
  return { bytes, checksum: hash.digest("hex") };
}
