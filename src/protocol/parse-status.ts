import { parseEpoch } from "./epoch.ts";
import { type Fields, isMap } from "./fields.ts";
import { limits } from "./limits.ts";
import { parseCounts, parseList } from "./parse-reference.ts";
import type { MemberStatus, StatusReply } from "./replies.ts";
import { parseVector, type Vector } from "./vector.ts";
import { noView, parseView, type View } from "./view.ts";

/** A server's `status`: what it does not tell is null, so that the rest can be shown. */
export function parseStatus(data: Fields): StatusReply {
  const { members, processes, coordinator, epoch, view, committed } = data;
  return {
    members: Array.isArray(members) ? members.flatMap(memberOf) : [],
    processes: parseList(processes),
    coordinator: textOf(coordinator),
    epoch: parseEpoch(epoch) ?? null,
    view: isMap(view) ? viewOf(view) : undefined,
    committed: vectorOf(committed),
    ...parseCounts(data),
  };
}

function memberOf(member: unknown): MemberStatus[] {
  if (!isMap(member) || typeof member.name !== "string") return [];
  return [
    {
      name: member.name,
      rank: numberOf(member.rank),
      address: textOf(member.address),
      member: member.member === true,
      live: member.live === true,
      phase: textOf(member.phase),
      lag: numberOf(member.lag),
      durable: vectorOf(member.durable),
      clock: numberOf(member.clock),
      offsetMs: numberOf(member.offsetMs),
      lastCorrectionMs: numberOf(member.lastCorrectionMs),
      clockRounds: numberOf(member.clockRounds),
      rate: numberOf(member.rate),
    },
  ];
}

/** A view, as a server or the reference tells it; the view of nobody in place of an invalid one. */
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
