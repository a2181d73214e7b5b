import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { decodePlainText } from "../protocol/plain-text.ts";
import { errorCode, Problem } from "./problem.ts";
import { readSecret, type Secret, secretSource } from "./secret.ts";
import type { Settings } from "./settings.ts";
import { readShortFile } from "./short-file.ts";

/**
 * The cluster's CURVE key pair (ZeroMQ RFC 26). Whoever knows the public key may connect, and knows
 * by it that the other end is the cluster.
 */
export interface CurveKeys extends CurvePair {
  /**
   * That of sockets at which none but members have something to say. Its public key is told to
   * nobody, and never goes over the wire: who has it has the secret.
   */
  readonly members: CurvePair;
}

export interface CurvePair {
  readonly secretKey: KeyObject;
  /** 64 hex digits. */
  readonly publicKey: string;
}

/** In PKCS #8 an X25519 private key is these bytes, then its own 32 (RFC 8410). */
const pkcs8 = Buffer.from("302e020100300506032b656e04220420", "hex");

/** Whoever has the secret has the keys: no other file, and nothing more to copy to a machine. */
export function curveKeys(secret: Secret): CurveKeys {
  return {
    ...pairOf(secret.deriveKey("curve")),
    members: pairOf(secret.deriveKey("curve/members")),
  };
}

function pairOf(secretKey: KeyObject): CurvePair {
  const key = Buffer.concat([pkcs8, secretKey.export()]);
  const privateKey = createPrivateKey({ key, format: "der", type: "pkcs8" });
  const { x = "" } = createPublicKey(privateKey).export({ format: "jwk" });
  return { secretKey, publicKey: Buffer.from(x, "base64url").toString("hex") };
}

/**
 * What lets a process in where members alone connect (X7): the members' public key if the cluster
 * encrypts, else a password. Only a member knows it, or whoever listens where nothing is encrypted.
 */
export function memberKey(secret: Secret, keys: CurveKeys | undefined): string {
  return (
    keys?.members.publicKey ?? `member:${secret.deriveKey("members").export().toString("hex")}`
  );
}

/** What stands in `server.key` of a cluster that is not encrypted: it says so itself. */
const plain = "none";

/** The text of `server.key`. */
export function keyFileText(keys: CurveKeys | undefined): string {
  return `${keys?.publicKey ?? plain}\n`;
}

/** A member's keys, if its cluster is encrypted. */
export function memberKeys(settings: Settings, secret: Secret): CurveKeys | undefined {
  return settings.get("curve") ? curveKeys(secret) : undefined;
}

/**
 * The key that those who only connect give to endpoints without one: that of the file which was
 * named, else with `--curve` the one that the secret tells.
 * @throws Problem if there is no such file or secret, or the file says none against `--curve`
 */
export function serverKey(settings: Settings): string | undefined {
  const path = settings.optional("serverKeyFile");
  const isEncrypted = settings.get("curve");
  if (path !== undefined) {
    const key = readKey(path);
    if (key !== undefined || !isEncrypted) return key;
    // Whoever said --curve gives no password away in clear.
    throw new Problem(
      `${path} says that the cluster is not encrypted, and --curve that it is: ` +
        "copy the public/server.key of its reference anew.",
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
