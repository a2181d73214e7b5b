import type { KeyObject } from "node:crypto";
import { decodePlainText } from "../protocol/plain-text.ts";
import { errorCode, Problem } from "./problem.ts";
import { type Purpose, readSecret, type Secret, secretSource } from "./secret.ts";
import type { Settings } from "./settings.ts";
import { readShortFile } from "./short-file.ts";

/**
 * The cluster's CURVE key pair (ZeroMQ RFC 26). Clients need its public key to connect, and know by
 * it that the other end is the cluster.
 */
export interface CurveKeys extends CurvePair {
  /**
   * The pair of sockets for members alone. Its public key stays secret, and never goes over the
   * wire: a process that has it has the cluster's secret.
   */
  readonly members: CurvePair;
}

export interface CurvePair {
  readonly secretKey: KeyObject;
  /** 64 hex digits. */
  readonly publicKey: string;
}

/** The keys are derived from the secret: a machine needs no other file. */
export function curveKeys(secret: Secret): CurveKeys {
  return { ...pairOf(secret, "curve"), members: pairOf(secret, "curve/members") };
}

function pairOf(secret: Secret, purpose: Purpose): CurvePair {
  const { secretKey, publicKey } = secret.derivePair(purpose, "X25519");
  return { secretKey, publicKey: publicKey.toString("hex") };
}

/**
 * What a process must show where only members may connect (X7): the members' public key if the
 * cluster is encrypted, else a password. Members alone know it, and anybody who listens to an
 * unencrypted network.
 */
export function memberKey(secret: Secret, keys: CurveKeys | undefined): string {
  return (
    keys?.members.publicKey ?? `member:${secret.deriveKey("members").export().toString("hex")}`
  );
}

/** The text of `server.key` in a cluster that is not encrypted. */
const plain = "none";

/** The text of `server.key`. */
export function keyFileText(keys: CurveKeys | undefined): string {
  return `${keys?.publicKey ?? plain}\n`;
}

/** A member's keys; undefined if its cluster is not encrypted. */
export function memberKeys(settings: Settings, secret: Secret): CurveKeys | undefined {
  return settings.get("curve") ? curveKeys(secret) : undefined;
}

/**
 * The key that connecting processes give to endpoints without one: that of the named file, else
 * with `--curve` the one that is derived from the secret.
 * @throws Problem if no such file or secret exists, or the file has no key in spite of `--curve`
 */
export function serverKey(settings: Settings): string | undefined {
  const path = settings.optional("serverKeyFile");
  const isEncrypted = settings.get("curve");
  if (path !== undefined) {
    const key = readKey(path);
    if (key !== undefined || !isEncrypted) return key;
    // With --curve no password may go out in clear.
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

function readKey(path: string): string | undefined {
  let text: string;
  try {
    text = decodePlainText(readShortFile(path).bytes).trim();
  } catch (error) {
    throw new Problem(
      `The cluster's key can't be read at ${path} (${errorCode(error)}): ` +
        "copy the public/server.key of its reference.",
      2,
    );
  }
  if (text === plain) return undefined;
  if (/^[0-9a-f]{64}$/i.test(text)) return text;
  throw new Problem(`${path} holds no key: 64 hex digits are wanted, as in server.key.`, 2);
}
