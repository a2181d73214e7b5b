import { createReadStream } from "node:fs";
import { addAbortSignal } from "node:stream";
import { digest } from "../platform/digest.ts";
import { errorCode, Problem } from "../platform/problem.ts";
import type { Mark } from "../protocol/mark.ts";
import type { Content } from "../server/core/facts.ts";
import { readCheckpoint } from "../storage/checkpoint.ts";
import { verifyFolder } from "../storage/verify.ts";
import { type Calling, standardStream } from "./backup.ts";
import { KeyMismatchError, unpack } from "./backup-file.ts";
import { WrongKeyError } from "./encrypted-stream.ts";
import { type Manifest, NewerFormatError } from "./manifest.ts";
import { type Counts, loadContent } from "./state.ts";

interface Opening {
  /** The folder into which the backup is unpacked. */
  readonly folder: string;
  /** The text of the key file. */
  readonly secret: string | undefined;
  /** Also ends a wait for bytes that never come. */
  readonly signal: AbortSignal;
}

/** Unpacks the backup that a command names, and checks every byte of it. */
export async function unpackNamed(
  { file, host }: Calling,
  { folder, secret, signal }: Opening,
): Promise<Manifest> {
  const isStream = file === standardStream;
  const source = isStream ? addAbortSignal(signal, host.input) : new SourceFile(file, signal);
  return await unpack(source, folder, { secret, signal });
}

/** The error if the file of the backup, not a file of another folder, can't be read. */
class SourceError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

class SourceFile implements AsyncIterable<Uint8Array> {
  readonly #path: string;
  readonly #signal: AbortSignal;

  constructor(path: string, signal: AbortSignal) {
    this.#path = path;
    this.#signal = signal;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      yield* createReadStream(this.#path, { signal: this.#signal });
    } catch (error) {
      throw new SourceError(errorCode(error) ?? "");
    }
  }
}

/** A state, its counts, and where it stands. */
interface Found extends Pick<Mark, "vector" | "chains"> {
  readonly counts: Counts;
}

/**
 * Loads the state of an unpacked backup.
 * @throws Error if the state is damaged or is not the one that the manifest describes
 */
export function loadUnpacked(
  folder: string,
  manifest: Manifest,
): Content & { readonly mark: Mark } {
  const { checkpoint, damages } = readCheckpoint(folder);
  if (checkpoint === undefined) throw new Error(damages[0]?.why ?? "it has no state");
  const { mark } = checkpoint;
  const { content, counts } = loadContent(checkpoint);
  refuseOther(folder, { ...mark, counts }, manifest);
  return { ...content, mark };
}

/**
 * Compares a state that was loaded from a folder with the manifest, and checks the folder's chains.
 * @throws Error if something differs or is damaged
 */
export function refuseOther(folder: string, found: Found, manifest: Manifest): void {
  if (JSON.stringify(comparable(found)) !== JSON.stringify(comparable(manifest))) {
    throw new Error("the state is not the one that the manifest describes");
  }
  const [damage] = verifyFolder(folder, digest).damages;
  if (damage !== undefined) throw new Error(damage.why);
}

function comparable({ counts, vector, chains }: Found): Found {
  return { counts, vector, chains };
}

/** Returns what is wrong with a backup or its key; undefined if the error does not say it. */
export function backupProblem(error: unknown, { file, text }: Calling): Problem | undefined {
  if (error instanceof Problem) return error;
  if (error instanceof KeyMismatchError) {
    return new Problem(text(error.isEncrypted ? "restore.encrypted" : "restore.plain", { file }));
  }
  if (error instanceof WrongKeyError) return new Problem(text("restore.wrongKey", { file }));
  if (error instanceof NewerFormatError) {
    return new Problem(text("restore.newer", { file, version: error.version }));
  }
  if (error instanceof SourceError) {
    return new Problem(text("restore.unreadable", { file, code: error.code }));
  }
  return undefined;
}

/** Returns the code of the file system; other codes, such as zlib's Z_DATA_ERROR, are about the backup. */
export function fileSystemCode(error: unknown): string | undefined {
  const code = errorCode(error);
  return code !== undefined && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}
