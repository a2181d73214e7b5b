import { statSync } from "node:fs";
import { type FileHandle, open, rm, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { now } from "../../platform/clock.ts";
import { curveKeys, keyInFile } from "../../platform/curve.ts";
import { ownerOnly } from "../../platform/folder.ts";
import { gatewayKeyInFile, gatewayKeyPath, gatewayKeysOf } from "../../platform/gateway-key.ts";
import { userNumber } from "../../platform/machine.ts";
import { errorCode, whyUnwritable } from "../../platform/problem.ts";
import { randomHex } from "../../platform/random.ts";
import {
  leastSecretBytes,
  readSecret,
  type Secret,
  secretSource,
  secretsOf,
} from "../../platform/secret.ts";
import type { Settings } from "../../platform/settings.ts";
import { readShortFile } from "../../platform/short-file.ts";
import { decodePlainText } from "../../protocol/plain-text.ts";
import { spaceOf } from "../../storage/disk-watch.ts";
import type { DataFolder, FileSystem } from "./core/host-checks.ts";
import type { GatewayKeySeen, KeySeen, SecretSeen } from "./core/secret-checks.ts";

/** Looks at the data folder or, while it does not exist, at its nearest existing parent. */
export async function lookAtData(settings: Settings, signal: AbortSignal): Promise<DataFolder> {
  const path = settings.get("data");
  const folder = nearest(path);
  const isMissing = folder !== resolve(path);
  const unwritable = whyUnwritable(path) ?? (isFolder(folder) ? undefined : "ENOTDIR");
  const tested = unwritable === undefined ? await syncTimes(folder, signal) : [];
  return {
    path,
    isMissing,
    code: unwritable ?? (typeof tested === "string" ? tested : undefined),
    owner: ownerOf(folder),
    user: userNumber(),
    fileSystem: await fileSystemOf(folder),
    space: await spaceOf(folder),
    syncsMs: typeof tested === "string" ? [] : tested,
  };
}

function nearest(path: string): string {
  const whole = resolve(path);
  if (dirname(whole) === whole) return whole;
  try {
    statSync(whole);
    return whole;
  } catch {
    return nearest(dirname(whole));
  }
}

function isFolder(path: string): boolean {
  return statSync(path).isDirectory();
}

function ownerOf(path: string): number {
  return statSync(path).uid;
}

/** The file systems of networks by their numbers (statfs(2) of Linux, and linux/magic.h). */
const networks: Readonly<Record<number, string>> = {
  26985: "NFS",
  20859: "SMB",
  4283649346: "CIFS",
  4266872130: "SMB",
  1702057286: "FUSE",
  16914839: "9P",
  12805120: "Ceph",
  198183888: "Lustre",
  1397113167: "AFS",
};
const memoryTypes: readonly number[] = [0x01021994, 0x858458f6];

async function fileSystemOf(folder: string): Promise<FileSystem> {
  // Some systems give the number with a sign.
  const number = (await statfs(folder)).type >>> 0;
  const type = networks[number];
  if (type !== undefined) return { type };
  return memoryTypes.includes(number) ? "memory" : "disk";
}

const mostSyncs = 30;
/** A bound for disks on which 30 syncs would take too long. */
const mostSyncMs = 5_000;
/** About the size of a short message in the journal. */
const lineBytes = 200;

/**
 * Appends lines to a new file as the journal does, and removes the file.
 * @param signal ends the test early
 * @returns how long each line took until it was on the disk, in milliseconds, or the system's code
 * of an error such as `ENOSPC`
 */
async function syncTimes(folder: string, signal: AbortSignal): Promise<number[] | string> {
  const path = join(folder, `.tertulia-doctor-${randomHex(8)}`);
  try {
    await using file = await open(path, "wx", ownerOnly);
    return await appendLines(file, signal);
  } catch (error) {
    const code = errorCode(error);
    if (code !== undefined) return code;
    throw error;
  } finally {
    await rm(path, { force: true });
  }
}

async function appendLines(file: FileHandle, signal: AbortSignal): Promise<number[]> {
  const line = Buffer.alloc(lineBytes, "\n");
  const times: number[] = [];
  const beginMs = now().steadyMs;
  while (times.length < mostSyncs && !signal.aborted) {
    const startMs = now().steadyMs;
    if (startMs - beginMs > mostSyncMs) break;
    await file.write(line);
    await file.datasync();
    times.push(now().steadyMs - startMs);
  }
  return times;
}

export function lookAtSecret(settings: Settings): SecretSeen {
  const { text, path, isDefault } = secretSource(settings);
  const wantedOwner = wantedOwnerFor(settings);
  const read = { state: "read", least: leastSecretBytes, wantedOwner } as const;
  if (text !== undefined) {
    return { ...read, origin: "TERTULIA_SECRET", bytes: shortestOf(text), file: undefined };
  }
  try {
    const { bytes, mode } = readShortFile(path);
    const file = { mode, owner: ownerOf(path) };
    return { ...read, origin: path, bytes: shortestOf(decodePlainText(bytes)), file };
  } catch (error) {
    const code = errorCode(error) ?? "";
    if (code === "ENOENT") return { state: "missing", path, mayBeCreated: isDefault };
    return { state: "unreadable", path, code };
  }
}

/** Returns the length in bytes of the shortest secret in a text (O55); 0 if it has none. */
function shortestOf(text: string): number {
  const lengths = secretsOf(text).map((secret) => Buffer.byteLength(secret));
  return lengths.length === 0 ? 0 : Math.min(...lengths);
}

/** The processes run as the owner of the data folder; the check may run as root. */
function wantedOwnerFor(settings: Settings): number {
  const path = settings.get("data");
  return nearest(path) === resolve(path) ? ownerOf(path) : userNumber();
}

/** Returns the secret; undefined if it is missing, unreadable or too short. */
export function secretIfAny(settings: Settings): Secret | undefined {
  try {
    return readSecret(secretSource(settings));
  } catch {
    // `lookAtSecret` reports what is wrong with the secret.
    return undefined;
  }
}

/**
 * Looks at the public key's file that the settings name, or else at that of the reference in the
 * data folder. @returns undefined if there is no such file
 */
export function lookAtKey(settings: Settings, hasMembers: boolean): KeySeen | undefined {
  const named = settings.optional("serverKeyFile");
  const path = named ?? join(settings.get("data"), "public", "server.key");
  const isEncrypted = settings.get("curve");
  const secret = secretIfAny(settings);
  const derived = secret && curveKeys(secret).publicKey;
  const seen = { path, code: undefined, content: undefined, derived, isEncrypted, hasMembers };
  try {
    return { ...seen, content: keyInFile(path) };
  } catch (error) {
    if (named === undefined) return undefined;
    return { ...seen, code: errorCode(error) ?? "" };
  }
}

/** Looks at the gateways' key of a gateway with these settings. */
export function lookAtGatewayKey(settings: Settings): GatewayKeySeen {
  const path = gatewayKeyPath(settings);
  const isDefault = settings.optional("gatewayKeyFile") === undefined;
  const secret = secretIfAny(settings);
  const derived = secret === undefined ? [] : gatewayKeysOf(secret);
  const seen = { path, isDefault, derived };
  try {
    return { ...seen, code: undefined, ...gatewayKeyInFile(path) };
  } catch (error) {
    return { ...seen, code: errorCode(error) ?? "", mode: 0, key: undefined };
  }
}
