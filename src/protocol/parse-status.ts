import { parseEpoch } from "./epoch.ts";
import { isMap, isTrue, object } from "./fields.ts";
import { limits } from "./limits.ts";
import { parseList, selfReport } from "./parse-list.ts";
import { parseVector, type Vector } from "./vector.ts";
import { noView, parseView, type View } from "./view.ts";

const member = object({
  rank: numberOf,
  address: textOf,
  /** Whether the server is in the view of the answering server. */
  member: isTrue,
  /** Whether the answering server heard from the server within `peerSilenceMs`. */
  live: isTrue,
  /** Milliseconds since the answering server heard from the server; null if never, or unreported. */
  silentMs: numberOf,
  /** One of `phases`; a newer server may send an unknown one. */
  phase: textOf,
  /** The number of events that the server lacks and some other server has. */
  lag: numberOf,
  durable: vectorOf,
  clock: numberOf,
  /** Milliseconds by which the server's corrected time is ahead of its machine's clock (E5). */
  offsetMs: numberOf,
  /** The last clock round's correction in milliseconds, and the number of rounds. */
  lastCorrectionMs: numberOf,
  clockRounds: numberOf,
  /** Requests served in the last second. */
  rate: numberOf,
});

/**
 * Reads a server's `status`. A missing or invalid value is no error, so that the rest can be shown.
 */
export const parseStatus = object({
  members: (members) => (Array.isArray(members) ? members.flatMap(memberOf) : []),
  /** The last list that the answering server received from the reference. */
  processes: parseList,
  coordinator: textOf,
  epoch: (value) => parseEpoch(value) ?? null,
  view: (view) => (isMap(view) ? viewOf(view) : undefined),
  committed: vectorOf,
  ...selfReport,
});

function memberOf(value: unknown) {
  if (!isMap(value) || typeof value.name !== "string") return [];
  return [{ name: value.name, ...member(value) }];
}

/** Returns a view that a server or the reference reported; `noView` if the view is invalid. */
export function viewOf(value: unknown): View {
  try {
    return parseView(value);
  } catch {
    return noView;
  }
}

function vectorOf(value: unknown): Vector | null {
  try {
    return parseVector(value, "vector", limits.memberVectorServers);
  } catch {
    return null;
  }
}

export function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
