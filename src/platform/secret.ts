import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { decodePlainText } from "../protocol/plain-text.ts";
import { errorCode, folderProblem, Problem } from "./problem.ts";
import type { Settings } from "./settings.ts";
import { readShortFile } from "./short-file.ts";

/** What a key is for: each has its own, so that what one seals means nothing to another. */
export type Purpose =
  | "replication"
  | "peer"
  | "reference"
  | "publisher"
  | "token"
  | "curve"
  | "curve/members"
  | "members"
  | `topic/${string}`;

/** Below it a secret could be guessed. */
const leastBytes = 16;
const madeBytes = 32;
const keyBytes = 32;

/** Where a cluster's secret is: itself, from the environment, or the file that holds it. */
export interface SecretSource {
  readonly text: string | undefined;
  readonly path: string;
  /** Whether nobody named the file, so that it may be made. */
  readonly isDefault: boolean;
  readonly cluster: string;
}

export function secretSource(settings: Settings): SecretSource {
  const named = settings.optional("secretFile");
  const isFlag = settings.lookUp("secretFile").source === "flag";
  return {
    text: isFlag ? undefined : settings.secretText,
    path: named ?? join(settings.get("data"), "secret"),
    isDefault: named === undefined,
    cluster: settings.get("cluster"),
  };
}

/** The cluster's secret, held so that no log and no error can show it. */
export class Secret {
  readonly #bytes: Uint8Array;
  readonly #cluster: string;
  /** Where it comes from, for a person. */
  readonly origin: string;
  /** What a person should put right about it, if anything. */
  readonly warning: string | undefined;

  constructor(bytes: Uint8Array, source: SecretSource, mode = 0) {
    this.#bytes = bytes;
    this.#cluster = source.cluster;
    this.origin = source.text === undefined ? source.path : "TERTULIA_SECRET";
    this.warning =
      (mode & 0o077) === 0
        ? undefined
        : `${source.path} may be read by others on this machine: chmod 600 it.`;
    if (bytes.length >= leastBytes) return;
    throw new Problem(
      `The secret in ${this.origin} is shorter than ${leastBytes} characters: ` +
        "copy the one of the other machines, or make one with `openssl rand -hex 32`.",
      2,
    );
  }

  /** HKDF with SHA-256 (RFC 5869): keys of other purposes or clusters tell nothing of this one. */
  deriveKey(purpose: Purpose): KeyObject {
    const info = `tertulia/${this.#cluster}/${purpose}`;
    return createSecretKey(new Uint8Array(hkdfSync("sha256", this.#bytes, "", info, keyBytes)));
  }
}

/** @throws Problem if there is none, or none that will do */
export function readSecret(source: SecretSource): Secret {
  const { text, path } = source;
  if (text !== undefined) return new Secret(Buffer.from(text.trim()), source);
  let file: ReturnType<typeof readShortFile>;
  try {
    file = readShortFile(path);
  } catch (error) {
    const code = errorCode(error);
    throw new Problem(
      code === "ENOENT"
        ? `There is no secret at ${path}: copy it from another machine of the cluster.`
        : `The secret at ${path} can't be read (${code}): check its owner and mode.`,
    );
  }
  return new Secret(Buffer.from(decodePlainText(file.bytes).trim()), source, file.mode);
}

/**
 * For a process of the cluster: where nobody named a file, the first one makes it.
 * @throws Problem as `readSecret`
 */
export function openSecret(source: SecretSource): Secret {
  if (source.text === undefined && source.isDefault) makeSecret(source.path);
  return readSecret(source);
}

/** Makes the file, unless it is there: of several processes at once one makes it, whole. */
function makeSecret(path: string): void {
  const own = `${path}.${randomBytes(8).toString("hex")}`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    if (exists(path)) return;
    writeDurably(own, `${randomBytes(madeBytes).toString("hex")}\n`);
    try {
      // Unlike a rename it fails where another one was quicker.
      linkSync(own, path);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
    } finally {
      unlinkSync(own);
    }
    syncPath(dirname(path));
  } catch (error) {
    throw folderProblem(dirname(path), error);
  }
}

function exists(path: string): boolean {
  try {
    closeSync(openSync(path, "r"));
    return true;
  } catch (error) {
    // One that is there and can't be read is told of where it is read.
    return errorCode(error) !== "ENOENT";
  }
}

function writeDurably(path: string, text: string): void {
  const fd = openSync(path, "wx", 0o600);
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function syncPath(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
