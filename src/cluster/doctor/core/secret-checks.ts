import { type Finding, found } from "./finding.ts";

/** The secret as the check sees it, without its text. One from the environment has no `file`. */
export type SecretSeen =
  | { readonly state: "missing"; readonly path: string; readonly mayBeCreated: boolean }
  | { readonly state: "unreadable"; readonly path: string; readonly code: string }
  | {
      readonly state: "read";
      readonly origin: string;
      readonly bytes: number;
      /** The least bytes that a secret must have. */
      readonly least: number;
      readonly file: { readonly mode: number; readonly owner: number } | undefined;
      /** The ID of the user who must own the file: the owner of the data folder. */
      readonly wantedOwner: number;
    };

/** @param hasCluster whether a process of the cluster answers; then the secret exists elsewhere */
export function judgeSecret(seen: SecretSeen | undefined, hasCluster: boolean): Finding[] {
  if (seen === undefined) return [];
  if (seen.state === "unreadable") {
    const { path, code } = seen;
    return [found("secretUnreadable", { path, code })];
  }
  if (seen.state === "missing") {
    const { path, mayBeCreated } = seen;
    return [found(mayBeCreated && !hasCluster ? "secretToCreate" : "secretMissing", { path })];
  }
  const { origin, bytes, least, file, wantedOwner } = seen;
  if (bytes < least) return [found("secretShort", { origin, least })];
  const findings: Finding[] = [];
  if (file !== undefined && (file.mode & 0o077) !== 0) {
    findings.push(found("secretOpen", { origin, mode: octal(file.mode) }));
  }
  if (file !== undefined && file.owner !== wantedOwner) {
    findings.push(found("secretOwner", { origin, owner: file.owner, wanted: wantedOwner }));
  }
  return findings.length === 0 ? [found("secret", { origin })] : findings;
}

export interface KeySeen {
  readonly path: string;
  /** The error code if the file can't be read. */
  readonly code: string | undefined;
  /** The key, `none` in a cluster without encryption, or undefined if the file has neither. */
  readonly content: string | undefined;
  /** The public key that belongs to this host's secret; undefined without a secret. */
  readonly derived: string | undefined;
  /** Whether --curve is on. */
  readonly isEncrypted: boolean;
  /** Whether members of the cluster run on this host: only they need --curve. */
  readonly hasMembers: boolean;
}

export function judgeKey(seen: KeySeen | undefined): Finding[] {
  if (seen === undefined) return [];
  const { path, code, content, derived, isEncrypted, hasMembers } = seen;
  if (code !== undefined) return [found("keyMissing", { path, code })];
  if (content === undefined) return [found("keyInvalid", { path })];
  if (content === "none") return [found(isEncrypted ? "keyNone" : "key", { path })];
  if (hasMembers && !isEncrypted) return [found("keyUnused", { path })];
  const isOther = derived !== undefined && derived !== content.toLowerCase();
  return [found(hasMembers && isOther ? "keyDiffers" : "key", { path })];
}

export interface GatewayKeySeen {
  readonly path: string;
  /** Whether no setting names the file, so that the reference of this host may write it. */
  readonly isDefault: boolean;
  /** The error code if the file can't be read. */
  readonly code: string | undefined;
  /** The file's mode, and its key; the key is undefined if the file has none. */
  readonly mode: number;
  readonly key: string | undefined;
  /** The keys of the secrets of this host; empty without a secret. */
  readonly derived: readonly string[];
}

/** @param hasCluster whether a process of the cluster answers; then the key exists elsewhere */
export function judgeGatewayKey(seen: GatewayKeySeen | undefined, hasCluster: boolean): Finding[] {
  if (seen === undefined) return [];
  const { path, isDefault, code, mode, key, derived } = seen;
  if (code === "ENOENT" && isDefault && !hasCluster) return [found("gatewayKeyToCreate", { path })];
  if (code !== undefined) return [found("gatewayKeyMissing", { path, code })];
  if (key === undefined) return [found("gatewayKeyInvalid", { path })];
  const findings: Finding[] = [];
  // A container's group may read it: Kubernetes gives files of a Secret to a group.
  if ((mode & 0o007) !== 0) {
    findings.push(found("gatewayKeyOpen", { path, mode: octal(mode) }));
  }
  if (derived.length === 0) findings.push(found("gatewayKeyUnchecked", { path }));
  else if (!derived.includes(key)) findings.push(found("gatewayKeyDiffers", { path }));
  return findings.length === 0 ? [found("gatewayKey", { path })] : findings;
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}
