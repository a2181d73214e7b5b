import { type Fields, fieldsOf, isMap, isTrue, object, textIfAny } from "./fields.ts";
import { parseClock } from "./lamport-clock.ts";
import { limits } from "./limits.ts";
import {
  type DecisionFaults,
  type DiskSpace,
  type Listed,
  type RefusedMessages,
  type Role,
  roles,
} from "./reference-messages.ts";

export function roleOf(value: unknown): Role | undefined {
  return roles.find((role) => role === value);
}

/**
 * Parsers of the fields of `SelfReport`. A missing or invalid value is undefined, because processes
 * of other versions may send less, or something else.
 */
export const selfReport = {
  version: parseVersion,
  secrets: fingerprints,
  refused: refusedMessages,
  disbelievedClocks: parseClock,
  disk: diskSpace,
  decisionFaults,
  hasEngine: trueIfSaid,
};

function trueIfSaid(value: unknown): true | undefined {
  return value === true ? true : undefined;
}

/** A version of Semantic Versioning, with or without a pre-release such as `-rc.1`. */
const versionPattern = /^\d{1,9}\.\d{1,9}\.\d{1,9}(?:-[0-9A-Za-z.-]{1,32})?$/;

function parseVersion(value: unknown): string | undefined {
  return typeof value === "string" && versionPattern.test(value) ? value : undefined;
}

const fingerprintPattern = /^[0-9a-f]{8}$/;

function fingerprints(value: unknown): readonly string[] | undefined {
  const isFingerprint = (one: unknown) => typeof one === "string" && fingerprintPattern.test(one);
  const isList = Array.isArray(value) && value.length > 0;
  return isList && value.every(isFingerprint) ? value : undefined;
}

function diskSpace(value: unknown): DiskSpace | undefined {
  const fields = fieldsOf(value);
  const [freeBytes, totalBytes] = [parseClock(fields.freeBytes), parseClock(fields.totalBytes)];
  if (freeBytes === undefined || totalBytes === undefined) return undefined;
  return { freeBytes, totalBytes };
}

function decisionFaults(value: unknown): DecisionFaults | undefined {
  if (!isMap(value)) return undefined;
  const { differs, unknownKind, hasFormer } = value;
  return {
    differs: parseClock(differs),
    unknownKind: textIfAny(unknownKind)?.slice(0, limits.nameCharacters),
    hasFormer: hasFormer === true ? true : undefined,
  };
}

function refusedMessages(value: unknown): RefusedMessages | undefined {
  const fields = fieldsOf(value);
  const [forged, stale] = [parseClock(fields.forged), parseClock(fields.stale)];
  return forged === undefined || stale === undefined ? undefined : { forged, stale };
}

export function parseList(value: unknown): Listed[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown) => {
    const fields = fieldsOf(item);
    const [name, role] = [textIfAny(fields.name), roleOf(fields.role)];
    if (name === undefined || role === undefined) return [];
    return { name, role, ...listedFields(fields) };
  });
}

const listedFields = object({
  rank: (value) => parseClock(value) ?? 0,
  address: (value) => textIfAny(value) ?? "",
  clock: (value) => parseClock(value) ?? 0,
  pid: parseClock,
  isKnown: isTrue,
  guestServers: isTrue,
  ...selfReport,
});

/**
 * Returns whether a reply to `list` comes from a reference of this project: a reference of the
 * original protocol sends no view.
 */
export function isOurList({ view }: Fields): boolean {
  return isMap(view);
}
