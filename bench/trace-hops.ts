import type { Moment } from "./trace-hook.ts";

/** A part of a write's way, and how long it took. */
export interface Hop {
  readonly name: string;
  readonly ms: number;
}

/** The client's view of a write. */
export interface Write {
  readonly calledMs: number;
  readonly answeredMs: number;
}

/**
 * Follows one write through the processes, backwards from its reply: the acknowledgement that made
 * the write committed, and the peer that sent it.
 * @param moments those of all processes while this was the only write, in order of time
 * @returns undefined if a moment is missing
 */
export function hopsOf(
  { calledMs, answeredMs }: Write,
  moments: readonly Moment[],
): Hop[] | undefined {
  const last = (until: Moment | undefined, isIt: (moment: Moment) => boolean) =>
    moments.findLast((moment) => isIt(moment) && moment.atMs <= (until?.atMs ?? 0));
  const at = (process: string | undefined, what: string) => (moment: Moment) =>
    moment.process === process && moment.what === what;
  const end = { atMs: answeredMs, process: "client", what: "answer" };
  const brokerReply = last(end, at("broker", "reply"));
  const reply = last(brokerReply, ({ what }) => what === "out reply");
  const origin = reply?.process;
  const acked = last(reply, at(origin, "in ack"));
  const peer = acked?.from;
  const peerSynced = last(acked, at(peer, "in flushed"));
  const peerHas = last(peerSynced, at(peer, "in events"));
  const synced = last(peerHas, at(origin, "in flushed"));
  const appended = last(synced, at(origin, "out append"));
  const arrived = last(appended, at(origin, "in requests"));
  return hopsBetween(calledMs, [
    ["client to broker", last(arrived, at("broker", "request"))],
    ["broker to server", arrived],
    ["server decides", appended],
    ["server writes and syncs", synced],
    ["event to proxy", last(peerHas, at("proxy", "forward"))],
    ["event to peer", peerHas],
    ["peer writes and syncs", peerSynced],
    ["ack to proxy", last(acked, at("proxy", "forward"))],
    ["ack to server", acked],
    ["server decides to reply", reply],
    ["reply to broker", brokerReply],
    ["broker to client", end],
  ]);
}

/** Returns the times between moments that follow one another; undefined if one is missing. */
function hopsBetween(
  calledMs: number,
  way: readonly (readonly [string, Moment | undefined])[],
): Hop[] | undefined {
  const hops: Hop[] = [];
  let fromMs = calledMs;
  for (const [name, moment] of way) {
    if (moment === undefined) return undefined;
    // A message that passed no proxy has no such moment after the one before.
    if (moment.atMs < fromMs) continue;
    hops.push({ name, ms: moment.atMs - fromMs });
    fromMs = moment.atMs;
  }
  return hops;
}
