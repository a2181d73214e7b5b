import { parseEpoch } from "./epoch.ts";
import { isMap, isTrue, object } from "./fields.ts";
import { limits } from "./limits.ts";
import { counts, parseList } from "./parse-reference.ts";
import { parseVector, type Vector } from "./vector.ts";
import { noView, parseView, type View } from "./view.ts";

const member = object({
  rank: numberOf,
  address: textOf,
  /** Whether it is in the view of the answering server. */
  member: isTrue,
  /** Whether it was heard lately. */
  live: isTrue,
  /** One of `phases`; a newer server may have others. */
  phase: textOf,
  /** Events that other servers have and this one lacks. */
  lag: numberOf,
  durable: vectorOf,
  clock: numberOf,
  /** Milliseconds that its time is ahead of its own clock, as corrected (E5). */
  offsetMs: numberOf,
  /** The last clock round's correction in milliseconds, and the number of rounds. */
  lastCorrectionMs: numberOf,
  clockRounds: numberOf,
  /** Requests served in the last second. */
  rate: numberOf,
});

/** A server's `status`. Unknown values are null, so that the rest can be shown. */
export const parseStatus = object({
  members: (members) => (Array.isArray(members) ? members.flatMap(memberOf) : []),
  /** The reference's list, as the server heard it last. */
  processes: parseList,
  coordinator: textOf,
  epoch: (value) => parseEpoch(value) ?? null,
  view: (view) => (isMap(view) ? viewOf(view) : undefined),
  committed: vectorOf,
  ...counts,
});

function memberOf(value: unknown) {
  if (!isMap(value) || typeof value.name !== "string") return [];
  return [{ name: value.name, ...member(value) }];
}

/** A view, as a server or the reference reports it; an invalid one counts as `noView`. */
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
