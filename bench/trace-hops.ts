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
 * the write committed, the peer that sent it, and the proxy in between.
 * @param moments those of all processes while this was the only write, in order of time
 * @returns undefined if a moment is missing
 */
export function hopsOf(
  { calledMs, answeredMs }: Write,
  moments: readonly Moment[],
): Hop[] | undefined {
  const before = (atMs: number | undefined, isIt: (moment: Moment) => boolean) =>
    moments.findLast((moment) => atMs !== undefined && moment.atMs <= atMs && isIt(moment));
  const at = (process: string | undefined, what: string) => (moment: Moment) =>
    moment.process === process && moment.what === what;
  const brokerReply = before(answeredMs, at("broker", "reply"));
  const reply = before(brokerReply?.atMs, ({ what }) => what === "out reply");
  const origin = reply?.process;
  const acked = before(reply?.atMs, at(origin, "in ack"));
  const peer = acked?.from;
  const ackForward = before(acked?.atMs, at("proxy", "forward"));
  const peerSynced = before(ackForward?.atMs, at(peer, "in flushed"));
  const peerHas = before(peerSynced?.atMs, at(peer, "in events"));
  const forward = before(peerHas?.atMs, at("proxy", "forward"));
  const synced = before(forward?.atMs, at(origin, "in flushed"));
  const appended = before(synced?.atMs, at(origin, "out append"));
  const arrived = before(appended?.atMs, at(origin, "in requests"));
  const brokerRequest = before(arrived?.atMs, at("broker", "request"));
  const way: readonly (readonly [string, Moment | undefined])[] = [
    ["client to broker", brokerRequest],
    ["broker to server", arrived],
    ["server decides", appended],
    ["server writes and syncs", synced],
    ["server to proxy", forward],
    ["proxy to peer", peerHas],
    ["peer writes and syncs", peerSynced],
    ["peer's ack to proxy", ackForward],
    ["proxy to server", acked],
    ["server decides to reply", reply],
    ["reply to broker", brokerReply],
  ];
  const hops: Hop[] = [];
  let fromMs = calledMs;
  for (const [name, moment] of way) {
    if (moment === undefined) return undefined;
    hops.push({ name, ms: moment.atMs - fromMs });
    fromMs = moment.atMs;
  }
  return [...hops, { name: "broker to client", ms: answeredMs - fromMs }];
}
