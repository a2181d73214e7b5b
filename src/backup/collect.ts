import { join } from "node:path";
import { pause } from "../platform/clock.ts";
import { digest } from "../platform/digest.ts";
import { retrying } from "../platform/retry.ts";
import { PeerMessageError } from "../protocol/errors.ts";
import { follows, readLine } from "../protocol/event.ts";
import { emptyChain, type ServerName } from "../protocol/ids.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import { durations } from "../protocol/limits.ts";
import type { SyncAnswer } from "../protocol/peer-messages.ts";
import {
  covers,
  emptyVector,
  lag,
  type MutableVector,
  servers,
  type Vector,
} from "../protocol/vector.ts";
import { noView, quorumOf, type View } from "../protocol/view.ts";
import type { ServerCore } from "../server/core/step.ts";
import type { PeerLinks } from "../server/peer-links.ts";
import { readCheckpoint } from "../storage/checkpoint.ts";
import {
  dropSnapshot,
  fetchSnapshot,
  type Place,
  snapshotFolder,
} from "../storage/fetch-snapshot.ts";
import { newReplica } from "./state.ts";

/** What the reference tells: the view, and the addresses of the servers that are up. */
export interface Members {
  readonly view: View;
  readonly addresses: ReadonlyMap<ServerName, string>;
}

export interface Collecting {
  /** The name that this process has among the servers; it is no member and never becomes one. */
  readonly name: ServerName;
  readonly clock: LamportClock;
  readonly peers: Pick<PeerLinks, "sync" | "snapshot">;
  /** The folder for the state that a server sends. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Asks the reference. */
  members(): Promise<Members>;
  onFailed(server: ServerName, why: string): void;
}

/** The error if fewer than a majority of the members answers. */
export class NoMajorityError extends Error {
  readonly answered: number;
  readonly view: View;

  constructor(answered: number, view: View) {
    super(`${answered} of ${view.members.length} members answered`);
    this.answered = answered;
    this.view = view;
  }
}

interface Survey {
  readonly view: View;
  readonly addresses: ReadonlyMap<ServerName, string>;
  readonly answers: ReadonlyMap<ServerName, SyncAnswer>;
  /** The vector that the backup must cover. */
  readonly target: Vector;
}

interface Source {
  readonly name: ServerName;
  readonly address: string;
}

/** The most attempts to make a copy, each at another server if possible. */
const mostCopies = 6;
const patience = { mostTries: 3, pauseMs: durations.pollMs };
/** The most waits for a server that must first get events of the target from its peers. */
const mostWaits = 100;
const waitMs = 100;

/**
 * Copies the state of a running cluster from one of its servers: the saved state, then the later
 * events, until the copy has every event that was acknowledged before this call (R3). To the
 * servers this process is a new server that catches up and never asks to be a member.
 * @throws NoMajorityError, the error of `members`, or the error of the last copy
 */
export async function collect(
  parts: Collecting,
): Promise<{ readonly replica: ServerCore; readonly view: View }> {
  const failures = new Map<ServerName, number>();
  for (let copies = 1; ; copies += 1) {
    const survey = await retrying(patience, () => takeSurvey(parts));
    const source = chooseSource(survey, failures);
    try {
      return { replica: await copyFrom(source, survey, parts), view: survey.view };
    } catch (error) {
      if (parts.signal.aborted || copies === mostCopies) throw error;
      failures.set(source, (failures.get(source) ?? 0) + 1);
      parts.onFailed(source, (error as Error).message);
      await pause(copies * durations.pollMs, parts.signal);
    }
  }
}

/** Asks all members which events they have on disk. @throws NoMajorityError */
async function takeSurvey(parts: Collecting): Promise<Survey> {
  parts.signal.throwIfAborted();
  const { view: known, addresses } = await parts.members();
  const asked = [...addresses].map(async ([name, address]) => {
    const answer = await askSync({ name, address }, emptyVector, parts).catch(() => undefined);
    return answer?.server === name ? ([[name, answer]] as const) : [];
  });
  const answers = new Map((await Promise.all(asked)).flat());
  const views = [...answers.values()].map(({ view }) => view);
  const view = views.reduce((a, b) => (b.number > a.number ? b : a), known);
  const answered = view.members.flatMap((member) => answers.get(member)?.durable ?? []);
  if (view.members.length === 0 || answered.length < quorumOf(view)) {
    throw new NoMajorityError(answered.length, view);
  }
  return { view, addresses, answers, target: targetOf(answered, view) };
}

/**
 * Returns a vector with every committed event. Such an event is on the disks of a quorum. Even if
 * all members that have not answered are in this quorum, the `least` others in it have answered.
 */
function targetOf(answered: readonly Vector[], view: View): Vector {
  const least = quorumOf(view) - (view.members.length - answered.length);
  const target: MutableVector = {};
  for (const server of new Set(answered.flatMap(servers))) {
    const seqs = answered.map((vector) => vector[server] ?? 0).sort((a, b) => b - a);
    const seq = seqs[least - 1] ?? 0;
    if (seq > 0) target[server] = seq;
  }
  return target;
}

/**
 * Chooses the member that has failed least, and of these one that is not coordinator and lacks the
 * fewest events.
 */
function chooseSource(
  { view, answers, target }: Survey,
  failures: ReadonlyMap<ServerName, number>,
): ServerName {
  const ranked = view.members.flatMap((name) => {
    const answer = answers.get(name);
    if (answer === undefined) return [];
    const isCoordinator = Number(answer.office !== undefined);
    return { name, order: [failures.get(name) ?? 0, isCoordinator, lag(answer.durable, target)] };
  });
  ranked.sort((a, b) => {
    const at = a.order.findIndex((value, index) => value !== b.order[index]);
    return (a.order[at] ?? 0) - (b.order[at] ?? 0);
  });
  // A survey without answers has no majority.
  return ranked[0]?.name as ServerName;
}

function askSync(
  source: Source,
  durable: Vector,
  { name, clock, peers }: Collecting,
): Promise<SyncAnswer> {
  const summary = { server: name, clock: clock.tick(), view: noView, durable, office: undefined };
  return peers.sync(source.name, source.address, { service: "sync", ...summary });
}

async function copyFrom(
  name: ServerName,
  { addresses, target }: Survey,
  parts: Collecting,
): Promise<ServerCore> {
  const replica = newReplica(parts.name, parts.clock);
  const source = { name, address: addresses.get(name) ?? "" };
  await copyState(replica, source, parts);
  for (let waits = 0; !covers(replica.ledger.held, target); ) {
    parts.signal.throwIfAborted();
    const since = { ...replica.ledger.held };
    const answer = await retrying(patience, () => askSync(source, since, parts));
    if (answer.compacted) throw new Error("its saved state was replaced meanwhile");
    for (const line of answer.lines) addLine(replica, line);
    if (answer.lines.length > 0) continue;
    waits += 1;
    if (waits > mostWaits) throw new Error("it lacks events that other members have");
    await pause(waitMs, parts.signal);
  }
  return replica;
}

/** Copies the saved state of the server, if it has one. A young server has only its journal. */
async function copyState(
  replica: ServerCore,
  source: Source,
  { clock, folder, peers, signal }: Collecting,
): Promise<void> {
  let pages = 0;
  const ask = async (place: Place) => {
    const request = { service: "snapshot", clock: clock.tick(), ...place } as const;
    const page = await peers.snapshot(source.name, source.address, request);
    clock.receive(page.clock);
    pages += 1;
    return page;
  };
  try {
    await fetchSnapshot(folder, ask, signal);
  } catch (error) {
    if (error instanceof PeerMessageError && pages === 0) return;
    throw error;
  }
  const { checkpoint } = readCheckpoint(join(folder, snapshotFolder));
  if (checkpoint !== undefined) replica.recoverState(checkpoint, checkpoint.mark);
  await dropSnapshot(folder);
}

/** Adds an event if the replica lacks it. @throws Error unless the event continues its chain */
function addLine(replica: ServerCore, text: string): void {
  const line = readLine(text, digest);
  const { server, seq } = line.event;
  const { held, heldChains } = replica.ledger;
  if (seq <= (held[server] ?? 0)) return;
  if (seq > (held[server] ?? 0) + 1 || !follows(line, heldChains[server] ?? emptyChain, digest)) {
    throw new Error(`the chain of ${server} breaks at ${seq}`);
  }
  replica.recoverEvent(line);
}
