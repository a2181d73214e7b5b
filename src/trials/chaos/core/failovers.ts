import { compareEpochs, type Epoch } from "../../../protocol/epoch.ts";
import type { Claim } from "./claims.ts";

/** An entry into office. */
export interface Term {
  readonly party: string;
  readonly epoch: Epoch;
  readonly atMs: number;
}

/** What was done to one process; without an end if it never came back. */
export interface Blow {
  readonly party: string;
  readonly kind: string;
  readonly fromMs: number;
  readonly toMs: number | undefined;
}

/** The process in office was hit, and another, or the same again, took office after it. */
export interface Failover {
  readonly fault: FailoverFault;
  readonly coordinator: string;
  readonly epoch: Epoch;
  /** When it was hit. */
  readonly atMs: number;
  readonly successor: string;
  readonly newEpoch: Epoch;
  /** From the fault to the entry into office. */
  readonly officeAfterMs: number;
  /** From the fault to the first success of a claim begun after it; undefined if none came. */
  readonly servedAfterMs: number | undefined;
  /** Whether nothing else was broken from the fault until then. */
  readonly isAlone: boolean;
}

export const failoverFaults = ["kill", "stop", "cut"] as const;
export type FailoverFault = (typeof failoverFaults)[number];

/** Shorter stops and cuts are survived in office. */
const survivedMs = 1_200;

/** @param terms as all servers wrote them down, in any order */
export function failoversOf(
  terms: readonly Term[],
  blows: readonly Blow[],
  claims: readonly Claim[],
): Failover[] {
  const inOrder = [...terms].sort((a, b) => compareEpochs(a.epoch, b.epoch));
  return inOrder.slice(1).flatMap((next, at) => {
    const last = inOrder[at] as Term;
    const survived = (blow: Blow) =>
      isOverBy(blow, next.atMs) && (firstServed(claims, blow.fromMs) ?? next.atMs) < next.atMs;
    const blow = causeOf(
      last,
      next,
      blows.filter((one) => !survived(one)),
    );
    if (blow === undefined) return [];
    const servedMs = firstServed(claims, blow.fromMs);
    return {
      fault: blow.kind as FailoverFault,
      coordinator: last.party,
      epoch: last.epoch,
      atMs: Math.round(blow.fromMs),
      successor: next.party,
      newEpoch: next.epoch,
      officeAfterMs: Math.round(next.atMs - blow.fromMs),
      servedAfterMs: servedMs === undefined ? undefined : Math.round(servedMs - blow.fromMs),
      isAlone: !blows.some((other) => {
        const isSince = !isOverBy(other, blow.fromMs);
        return other !== blow && isSince && other.fromMs <= (servedMs ?? next.atMs);
      }),
    };
  });
}

function isOverBy({ toMs = Number.POSITIVE_INFINITY }: Blow, atMs: number): boolean {
  return toMs < atMs;
}

/** Of what hit the process in office: the first that it can't have survived there, else the last. */
function causeOf(last: Term, next: Term, blows: readonly Blow[]): Blow | undefined {
  const hits = blows
    .filter(({ party, kind, fromMs }) => {
      const isOne = failoverFaults.some((fault) => fault === kind);
      return isOne && party === last.party && fromMs >= last.atMs && fromMs < next.atMs;
    })
    .sort((a, b) => a.fromMs - b.fromMs);
  const isFatal = ({ kind, fromMs, toMs = Number.POSITIVE_INFINITY }: Blow) =>
    kind === "kill" || toMs - fromMs >= survivedMs;
  return hits.find(isFatal) ?? hits.at(-1);
}

function firstServed(claims: readonly Claim[], sinceMs: number): number | undefined {
  const served = claims
    .filter(({ beganMs }) => beganMs >= sinceMs)
    .flatMap(({ answers }) => answers.filter(({ answer }) => answer === "won").slice(0, 1))
    .map(({ atMs }) => atMs);
  return served.length === 0 ? undefined : served.reduce((a, b) => Math.min(a, b));
}
