import { compareEpochs, type Epoch } from "../../../protocol/epoch.ts";
import type { Claim } from "./names.ts";

/** A term as coordinator, with the time at which it began. */
export interface Term {
  readonly node: string;
  readonly epoch: Epoch;
  readonly atMs: number;
}

/** A fault of one process; `toMs` is undefined if the process never came back. */
export interface NodeFault {
  readonly node: string;
  readonly fault: { readonly kind: string };
  readonly fromMs: number;
  readonly toMs: number | undefined;
}

/**
 * A fault of the coordinator, after which a new term began: of another server, or of the same
 * server.
 */
export interface Failover {
  readonly fault: FailoverFault;
  readonly coordinator: string;
  readonly epoch: Epoch;
  /** When the fault began, in milliseconds since the load began. */
  readonly atMs: number;
  readonly successor: string;
  readonly newEpoch: Epoch;
  /** Milliseconds from the fault to the start of the next term. */
  readonly officeAfterMs: number;
  /**
   * Milliseconds from the fault to the first grant of a claim that was sent after the fault;
   * undefined if no such claim was granted.
   */
  readonly servedAfterMs: number | undefined;
  /**
   * Whether no other fault was active between this fault and the grant that `servedAfterMs`
   * describes.
   */
  readonly isAlone: boolean;
}

export const failoverFaults = ["kill", "stop", "cut"] as const;
export type FailoverFault = (typeof failoverFaults)[number];

/**
 * A stop or cut that lasts at least this many milliseconds is assumed to end the coordinator's
 * term.
 */
const survivedMs = 1_200;

/**
 * Returns the failovers of a run.
 * @param terms the terms that all servers logged, in any order
 */
export function failoversOf(
  terms: readonly Term[],
  faults: readonly NodeFault[],
  claims: readonly Claim[],
): Failover[] {
  const inOrder = [...terms].sort((a, b) => compareEpochs(a.epoch, b.epoch));
  return inOrder.slice(1).flatMap((next, at) => {
    const last = inOrder[at] as Term;
    const survived = (one: NodeFault) =>
      isOverBy(one, next.atMs) && (firstServed(claims, one.fromMs) ?? next.atMs) < next.atMs;
    const cause = causeOf(
      last,
      next,
      faults.filter((one) => !survived(one)),
    );
    if (cause === undefined) return [];
    const servedMs = firstServed(claims, cause.fromMs);
    return {
      fault: cause.fault.kind as FailoverFault,
      coordinator: last.node,
      epoch: last.epoch,
      atMs: Math.round(cause.fromMs),
      successor: next.node,
      newEpoch: next.epoch,
      officeAfterMs: Math.round(next.atMs - cause.fromMs),
      servedAfterMs: servedMs === undefined ? undefined : Math.round(servedMs - cause.fromMs),
      isAlone: !faults.some((other) => {
        const isSince = !isOverBy(other, cause.fromMs);
        return other !== cause && isSince && other.fromMs <= (servedMs ?? next.atMs);
      }),
    };
  });
}

function isOverBy({ toMs = Infinity }: NodeFault, atMs: number): boolean {
  return toMs < atMs;
}

/**
 * Returns the first fault that is assumed to have ended the coordinator's term: a kill, or a fault
 * of at least `survivedMs`. Without such a fault, returns the last fault that may have ended the
 * term.
 */
function causeOf(last: Term, next: Term, faults: readonly NodeFault[]): NodeFault | undefined {
  const hits = faults
    .filter(({ node, fault, fromMs }) => {
      const isOne = failoverFaults.some((kind) => kind === fault.kind);
      return isOne && node === last.node && fromMs >= last.atMs && fromMs < next.atMs;
    })
    .sort((a, b) => a.fromMs - b.fromMs);
  const isFatal = ({ fault, fromMs, toMs = Infinity }: NodeFault) =>
    fault.kind === "kill" || toMs - fromMs >= survivedMs;
  return hits.find(isFatal) ?? hits.at(-1);
}

function firstServed(claims: readonly Claim[], sinceMs: number): number | undefined {
  const served = claims
    .filter(({ beganMs }) => beganMs >= sinceMs)
    .flatMap(({ answers }) => answers.filter(({ answer }) => answer === "won").slice(0, 1))
    .map(({ atMs }) => atMs);
  return served.length === 0 ? undefined : served.reduce((a, b) => Math.min(a, b));
}
