import { matchLimits } from "./match-limits.ts";
import { shopLimits } from "./shop-limits.ts";

/** Limits of the log of decisions (D1, D9), and of what it decides. */
export const decisionLimits = {
  ...shopLimits,
  ...matchLimits,
  /** The most undecided operations of a server's own clients. */
  openOperations: 1_000,
  /** The most undecided operations of a coordinator, including those that other servers forwarded. */
  coordinatorOperations: 8_000,
  /** The most operations in a decision or in a forwarded message, and their bytes. */
  decisionOperations: 1_000,
  decisionBytes: 256 * 1_024,
  /** The most decisions of a coordinator that are not settled (D1). */
  openDecisions: 8,
  /** The most messages with forwarded operations whose answer a server waits for. */
  openForwards: 8,
  /** The last operations of each user that the log of decisions remembers (D9). */
  keptOperations: 16,
  /** By how many operations a client may be ahead of its oldest undecided one (D9). */
  operationsAhead: 8,
  /** Of how many applied slots a server remembers the digests. */
  comparedSlots: 256,
} as const;
