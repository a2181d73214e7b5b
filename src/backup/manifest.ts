import { fieldsOf, isMap } from "../protocol/fields.ts";
import type { Chain, ServerName } from "../protocol/ids.ts";
import { parseClock } from "../protocol/lamport-clock.ts";
import { isoTime } from "../protocol/time.ts";
import { parseVector, type Vector } from "../protocol/vector.ts";
import { parseView, type View } from "../protocol/view.ts";
import { checkpointFiles } from "../storage/checkpoint.ts";
import type { Size } from "../storage/line-file.ts";
import { type Counts, parseCounts } from "./state.ts";

/** The version of the file format that this program writes, and the highest that it reads. */
export const format = 1;

/** The first line of a backup. */
export interface Manifest {
  readonly format: number;
  /** The version of the program that made the backup. */
  readonly version: string;
  readonly cluster: string;
  /** When the backup was finished, in ISO 8601. */
  readonly made: string;
  /** The time of the newest event, in ISO 8601; null if there are no events. */
  readonly newest: string | null;
  /** The view of the cluster, and a Lamport clock above those of its servers. */
  readonly view: View;
  readonly clock: number;
  readonly vector: Vector;
  readonly chains: Readonly<Record<ServerName, Chain>>;
  readonly counts: Counts;
  /** The files of the saved state, in their order in the backup. */
  readonly files: readonly NamedSize[];
}

export interface NamedSize extends Size {
  readonly name: string;
}

/** The error if a newer version of the program made the backup. */
export class NewerFormatError extends Error {
  readonly version: string;

  constructor(version: string) {
    super(`the format is of version ${version}`);
    this.version = version;
  }
}

/** @throws NewerFormatError, or Error if the line is no manifest */
export function parseManifest(line: string): Manifest {
  const fields = fieldsOf(JSON.parse(line));
  const version = String(fields.version);
  if (typeof fields.format !== "number") throw new Error("it has no `format`");
  if (fields.format > format) throw new NewerFormatError(version);
  const { cluster, made, newest, view, vector, chains, counts } = fields;
  const clock = parseClock(fields.clock);
  if (clock === undefined || !isMap(chains)) throw new Error("it has no `clock` or no `chains`");
  return {
    format: fields.format,
    version,
    cluster: String(cluster),
    made: timeOf(made),
    newest: newest === null ? null : timeOf(newest),
    view: parseView(view),
    clock,
    vector: parseVector(vector, "vector", Number.POSITIVE_INFINITY),
    chains: chains as Manifest["chains"],
    counts: parseCounts(counts),
    files: parseFiles(fields.files),
  };
}

function timeOf(value: unknown): string {
  return isoTime(Date.parse(String(value)));
}

function parseFiles(value: unknown): NamedSize[] {
  const files = Array.isArray(value) ? value.map(fieldsOf) : [];
  const sizes = files.map(({ name, bytes, checksum }, at) => {
    const size = parseClock(bytes);
    if (name !== checkpointFiles[at] || size === undefined) throw new Error("`files` is wrong");
    return { name: String(name), bytes: size, checksum: String(checksum) };
  });
  if (sizes.length !== checkpointFiles.length) throw new Error("`files` is wrong");
  return sizes;
}
