import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  hkdfSync,
  type KeyObject,
} from "node:crypto";
import { closeSync, linkSync, openSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { decodePlainText } from "../protocol/plain-text.ts";
import { makeFolder, ownerOnly, syncNow, writeNow } from "./folder.ts";
import { errorCode, folderProblem, Problem } from "./problem.ts";
import { randomHex } from "./random.ts";
import type { Settings } from "./settings.ts";
import { readShortFile } from "./short-file.ts";

/**
 * The purpose of a key. Each purpose has its own key, so that data sealed for one purpose is
 * invalid for all others.
 */
export type Purpose =
  | "replication"
  | "peer"
  | "reference"
  | "publisher"
  | "token"
  | "curve"
  | "curve/members"
  | "members"
  | "fingerprint"
  | "gateway"
  | "game"
  | "match"
  | `topic/${string}`;

/** The shortest allowed secret in bytes, because a shorter secret could be guessed. */
export const leastSecretBytes = 16;
/** The most secrets at a time: one in use, and others that are also accepted (O55). */
export const mostSecrets = 3;
const fingerprintBytes = 4;
/** The size of a secret that this program makes. */
export const madeBytes = 32;
const keyBytes = 32;

/** The source of the secret: its `text` from the environment, or else the `path` of its file. */
export interface SecretSource {
  readonly text: string | undefined;
  readonly path: string;
  /** True if no setting names the file. Only then may `openSecret` create a missing file. */
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

/**
 * The cluster's secret, in a private field so that no log and no error can show it. While the secret
 * is being changed, its text has several lines, each with one secret. The first secret is in use;
 * the others are only accepted (O55).
 */
export class Secret {
  readonly #bytes: Uint8Array;
  readonly #cluster: string;
  /** The secrets that are accepted but not in use. */
  readonly others: readonly Secret[];
  /** The source of the secret, for messages. */
  readonly origin: string;
  /** What a person should do about the secret's file; undefined if there is nothing to do. */
  readonly warning: string | undefined;

  /** @throws Problem if a secret is too short, or if there are too many */
  constructor(text: string, source: SecretSource, mode = 0) {
    const [used = "", ...others] = secretsOf(text);
    this.#bytes = Buffer.from(used);
    this.#cluster = source.cluster;
    this.origin = source.text === undefined ? source.path : "TERTULIA_SECRET";
    this.warning =
      (mode & 0o077) === 0
        ? undefined
        : `${source.path} may be read by others on this machine: chmod 600 it.`;
    if (others.length >= mostSecrets) {
      throw new Problem(
        `${this.origin} has more than ${mostSecrets} lines: leave one secret on each line, ` +
          `and at most ${mostSecrets}.`,
        2,
      );
    }
    if (new Set([used, ...others]).size <= others.length) {
      throw new Problem(`${this.origin} has the same secret twice: remove one of these lines.`, 2);
    }
    this.others = others.map((other) => new Secret(other, source, mode));
    if (this.#bytes.length >= leastSecretBytes) return;
    throw new Problem(
      `The secret in ${this.origin} is shorter than ${leastSecretBytes} characters: ` +
        "copy the one of the other machines, or make one with `openssl rand -hex 32`.",
      2,
    );
  }

  /**
   * Derives the key of a purpose by HKDF with SHA-256 (RFC 5869). The keys of other purposes or
   * clusters reveal nothing about this key.
   */
  deriveKey(purpose: Purpose): KeyObject {
    const info = `tertulia/${this.#cluster}/${purpose}`;
    return createSecretKey(new Uint8Array(hkdfSync("sha256", this.#bytes, "", info, keyBytes)));
  }

  /** This secret, which is in use, and then each accepted secret. */
  get each(): readonly Secret[] {
    return [this, ...this.others];
  }

  /** Derives the key of a purpose from each secret, in the order of `each`. */
  deriveKeys(purpose: Purpose): readonly [KeyObject, ...KeyObject[]] {
    return [this.deriveKey(purpose), ...this.others.map((other) => other.deriveKey(purpose))];
  }

  /**
   * The fingerprint of each secret, 8 hex digits, in the order of `each`. Fingerprints show whether
   * two processes have the same secrets; nobody can compute a key from them.
   */
  get fingerprints(): readonly string[] {
    return this.deriveKeys("fingerprint").map((key) => {
      return key.export().toString("hex", 0, fingerprintBytes);
    });
  }

  /** Derives a secret key and computes its public key, 32 bytes each. */
  derivePair(purpose: Purpose, curve: keyof typeof pkcs8) {
    const secretKey = this.deriveKey(purpose);
    const key = Buffer.concat([Buffer.from(pkcs8[curve], "hex"), secretKey.export()]);
    const privateKey = createPrivateKey({ key, format: "der", type: "pkcs8" });
    const { x = "" } = createPublicKey(privateKey).export({ format: "jwk" });
    return { secretKey, privateKey, publicKey: Buffer.from(x, "base64url") };
  }
}

/** The bytes before the 32 bytes of a private key in PKCS #8 (RFC 8410). */
const pkcs8 = {
  X25519: "302e020100300506032b656e04220420",
  Ed25519: "302e020100300506032b657004220420",
} as const;

/** @throws Problem if the secret is missing, unreadable or too short */
export function readSecret(source: SecretSource): Secret {
  const { text, path } = source;
  if (text !== undefined) return new Secret(text, source);
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
  return new Secret(decodePlainText(file.bytes), source, file.mode);
}

/** Returns the secrets of a text: its lines, without empty ones and without space around them. */
export function secretsOf(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/).map((line) => line.trim());
  return lines.filter((line) => line !== "");
}

/**
 * Reads the secret, for a process of the cluster. Creates a missing file, unless the environment
 * gives the secret or a setting names the file.
 * @throws Problem as `readSecret`
 */
export function openSecret(source: SecretSource): Secret {
  if (source.text === undefined && source.isDefault) makeSecret(source.path);
  return readSecret(source);
}

/**
 * Creates the file unless it exists. If several processes call this function at once, only one of
 * them creates the file. The file is complete from the moment at which it exists.
 */
function makeSecret(path: string): void {
  const own = `${path}.${randomHex(8)}`;
  try {
    makeFolder(dirname(path));
    if (exists(path)) return;
    writeNow(own, `${randomHex(madeBytes)}\n`, ownerOnly);
    try {
      // Unlike a rename, a link fails if another process has already created the file.
      linkSync(own, path);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
    } finally {
      unlinkSync(own);
    }
    syncNow(dirname(path));
  } catch (error) {
    throw folderProblem(dirname(path), error);
  }
}

function exists(path: string): boolean {
  try {
    closeSync(openSync(path, "r"));
    return true;
  } catch (error) {
    // `readSecret` reports an unreadable file later.
    return errorCode(error) !== "ENOENT";
  }
}
