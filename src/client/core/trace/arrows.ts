import type { Draft, PointKind } from "./points.ts";

/** For each kind of point at which a message arrives, the kinds of points that send the message. */
const senders: Partial<Record<PointKind, readonly PointKind[]>> = {
  asked: ["requested"],
  received: ["sent"],
  heard: ["acknowledged"],
  answered: ["replied"],
  taken: ["forwarded"],
  prepared: ["proposed"],
  agreed: ["prepared"],
  checked: ["agreed"],
  made: ["checked"],
  copied: ["made"],
  refused: ["proposed", "agreed", "made"],
  rolledBack: ["refused"],
  dropped: ["rolledBack"],
  learned: ["told"],
};

/** Whether the point is the arrival of a message from the point's peer. */
export function isArrival({ kind, peer, sentClock }: Draft): boolean {
  if (peer === undefined) return false;
  // Of an action, a point may also name the receiver of a message, which has no clock then.
  return kind === "heard" || (senders[kind] !== undefined && sentClock !== undefined);
}

/**
 * @param line the points of the process that sent the message, in their order
 * @returns the point at which a message was sent, or the last known point before it; undefined if
 * none is known. The last known point counts if, for example, a heartbeat repeats a lost
 * acknowledgement.
 */
export function sourceOf(to: Draft, line: readonly Draft[]): Draft | undefined {
  const kinds = senders[to.kind] ?? [];
  if (to.kind === "asked") return line.findLast(({ kind }) => kinds.includes(kind));
  // A receiver's clock is above that of the message, so without the message's clock its sender's
  // clock is below the receiver's.
  const sent = to.sentClock ?? (to.clock ?? 0) - 1;
  const isSource = ({ kind, clock = 0, round }: Draft) => {
    return kinds.includes(kind) && clock <= sent && round === to.round;
  };
  const source = line.findLast(isSource);
  if (source !== undefined || to.kind === "answered") return source;
  return line.findLast((from) => (from.clock ?? 0) < sent);
}

/**
 * @param line the points of the server that sent the message, in their order
 * @returns the last point that surely came before the message was sent; undefined if none is known.
 * The point of the arrow can be earlier, because a message tells a disk's events, and not what else
 * its sender has done since it first told them.
 */
export function lastBefore({ kind, sentClock }: Draft, line: readonly Draft[]): Draft | undefined {
  if (kind === "asked" || sentClock === undefined) return undefined;
  return line.findLast(({ clock }) => clock !== undefined && clock < sentClock);
}
