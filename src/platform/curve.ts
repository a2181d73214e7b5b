import type { KeyObject } from "node:crypto";
import { decodePlainText } from "../protocol/plain-text.ts";
import { errorCode, Problem } from "./problem.ts";
import { type Purpose, readSecret, type Secret, secretSource } from "./secret.ts";
import type { Settings } from "./settings.ts";
import { readShortFile } from "./short-file.ts";

/**
 * The cluster's CURVE key pair (ZeroMQ RFC 26). Clients need the public key to connect; a
 * connection with this key proves to a client that the other side belongs to the cluster.
 */
export interface CurveKeys extends CurvePair {
  /**
   * The key pair of sockets for members only. Its public key is secret and never sent over the
   * network: a process that knows this key has the cluster's secret.
   */
  readonly members: CurvePair;
}

export interface CurvePair {
  readonly secretKey: KeyObject;
  /** The public key as 64 hex digits. */
  readonly publicKey: string;
}

/** Derives the cluster's key pairs from the secret, so that a machine needs no key files. */
export function curveKeys(secret: Secret): CurveKeys {
  return { ...pairOf(secret, "curve"), members: pairOf(secret, "curve/members") };
}

function pairOf(secret: Secret, purpose: Purpose): CurvePair {
  const { secretKey, publicKey } = secret.derivePair(purpose, "X25519");
  return { secretKey, publicKey: publicKey.toString("hex") };
}

/**
 * Returns the key with which a process connects to a socket for members (X7): the members' public
 * key in an encrypted cluster, else a password. Only members know this key; in an unencrypted
 * network, eavesdroppers can learn the password.
 */
export function memberKey(secret: Secret, keys: CurveKeys | undefined): string {
  return (
    keys?.members.publicKey ?? `member:${secret.deriveKey("members").export().toString("hex")}`
  );
}

/** The text of `server.key` in an unencrypted cluster. */
const plain = "none";

/** Returns the text of `server.key`. */
export function keyFileText(keys: CurveKeys | undefined): string {
  return `${keys?.publicKey ?? plain}\n`;
}

/** Returns a member's keys; undefined in an unencrypted cluster. */
export function memberKeys(settings: Settings, secret: Secret): CurveKeys | undefined {
  return settings.get("curve") ? curveKeys(secret) : undefined;
}

/**
 * Returns the key for endpoints that have none: with `--server-key-file`, the key in this file.
 * Otherwise, with `--curve`, the key derived from the secret. Otherwise undefined.
 * @throws Problem if the file or the secret does not exist, or if the file has no key in spite of
 * `--curve`
 */
export function serverKey(settings: Settings): string | undefined {
  const path = settings.optional("serverKeyFile");
  const isEncrypted = settings.get("curve");
  if (path !== undefined) {
    const key = readKey(path);
    if (key !== undefined || !isEncrypted) return key;
    // With --curve, an unencrypted connection is an error, because it would send passwords in plain
    // text.
    throw new Problem(
      `${path} says that the cluster is not encrypted, and --curve that it is: ` +
        "copy the public/server.key of its reference again.",
      2,
    );
  }
  if (!isEncrypted) return undefined;
  try {
    return curveKeys(readSecret(secretSource(settings))).publicKey;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new Problem(`${error.message} Or give the cluster's key by --server-key-file.`, 2);
  }
}

/**
 * Reads a `server.key`.
 * @returns the public key, `none` in an unencrypted cluster, or undefined if the file has neither
 * @throws the error of the file system
 */
export function keyInFile(path: string): string | undefined {
  const text = decodePlainText(readShortFile(path).bytes).trim();
  return text === plain || /^[0-9a-f]{64}$/i.test(text) ? text : undefined;
}

function readKey(path: string): string | undefined {
  let key: string | undefined;
  try {
    key = keyInFile(path);
  } catch (error) {
    throw new Problem(
      `The cluster's key can't be read at ${path} (${errorCode(error)}): ` +
        "copy the public/server.key of its reference.",
      2,
    );
  }
  if (key !== undefined) return key === plain ? undefined : key;
  throw new Problem(`${path} holds no key: 64 hex digits are wanted, as in server.key.`, 2);
}
