import { createSecretKey, type KeyObject } from "node:crypto";
import { join } from "node:path";
import { decodePlainText } from "../protocol/plain-text.ts";
import { errorCode, Problem } from "./problem.ts";
import type { Secret } from "./secret.ts";
import type { Settings } from "./settings.ts";
import { readShortRegularFile } from "./short-file.ts";

/** The path of the gateways' key in a data folder. The reference writes the file (X9). */
const defaultPath = "gateway/key";

/** Returns the path of the gateways' key that the settings name. */
export function gatewayKeyPath(settings: Settings): string {
  return settings.optional("gatewayKeyFile") ?? join(settings.get("data"), defaultPath);
}

/** Returns the text of the key's file: the key that gateways have instead of the secret. */
export function gatewayKeyText(secret: Secret): string {
  return `${hexOf(secret.deriveKey("gateway"))}\n`;
}

/** Returns the keys of all secrets that servers accept (O55), as 64 hex digits. */
export function gatewayKeysOf(secret: Secret): readonly string[] {
  return secret.deriveKeys("gateway").map(hexOf);
}

function hexOf(key: KeyObject): string {
  return key.export().toString("hex");
}

/**
 * Reads the key's file, which must be a regular file.
 * @returns its mode, and the key as 64 hex digits; undefined if the file has no key
 * @throws the error of the file system
 */
export function gatewayKeyInFile(path: string) {
  const { bytes, mode } = readShortRegularFile(path);
  const text = decodePlainText(bytes).trim().toLowerCase();
  return { mode, key: /^[0-9a-f]{64}$/.test(text) ? text : undefined };
}

/** @throws Problem (exit code 2) if there is no key */
export function readGatewayKey(settings: Settings): KeyObject {
  const path = gatewayKeyPath(settings);
  const advice = `copy the ${defaultPath} of the cluster's reference.`;
  let found: ReturnType<typeof gatewayKeyInFile>;
  try {
    found = gatewayKeyInFile(path);
  } catch (error) {
    const code = errorCode(error);
    throw new Problem(`The gateways' key can't be read at ${path} (${code}): ${advice}`, 2);
  }
  if (found.key !== undefined) return createSecretKey(Buffer.from(found.key, "hex"));
  throw new Problem(`${path} holds no gateways' key, which has 64 hex digits: ${advice}`, 2);
}
