import { type Epoch, noEpoch } from "../../protocol/epoch.ts";
import type { ServerName } from "../../protocol/ids.ts";
import type { DecisionFaults } from "../../protocol/reference-messages.ts";
import { lag, servers, type Vector } from "../../protocol/vector.ts";
import type { View } from "../../protocol/view.ts";
import type { Passwords } from "./accounts/passwords.ts";
import type { Presence } from "./chat/presence.ts";
import type { Publications } from "./chat/publications.ts";
import type { ClockSync } from "./coordinator/clock-sync.ts";
import type { Election } from "./coordinator/election.ts";
import type { Deciding } from "./deciding.ts";
import type { Now } from "./effects.ts";
import type { Replica } from "./replica/replica.ts";
import type { Rotation } from "./replica/rotation.ts";
import type { Serving } from "./serving/serving.ts";

/** What a server measures about itself, for its metrics (O50). Counts begin when a core is made. */
export interface Figures {
  readonly isServing: boolean;
  readonly isCoordinator: boolean;
  readonly epoch: Epoch;
  readonly view: View;
  readonly liveMembers: number;
  readonly openRequests: number;
  readonly repeatedWrites: number;
  readonly disbelievedClocks: number;
  readonly openOperations: number;
  /** The number of decided operations by outcome, those of this server's clients and forwarded ones. */
  readonly operations: Readonly<Record<string, number>>;
  readonly decisionFaults: DecisionFaults;
  readonly openPasswords: number;
  readonly presentUsers: number;
  readonly published: number;
  readonly unpublished: number;
  readonly topics: number;
  readonly gaps: number;
  readonly fetchedEvents: number;
  readonly missesEvents: boolean;
  readonly repairs: number;
  /** By how many milliseconds the cluster's time is ahead of this machine's clock. */
  readonly offsetMs: number;
  /** The number of events that this server holds, and how many of them are committed. */
  readonly held: number;
  readonly committed: number;
  readonly peers: readonly PeerFigures[];
}

interface PeerFigures {
  readonly name: ServerName;
  /** The number of events that this server has on disk and the peer, as far as known, has not. */
  readonly lag: number;
  /** Milliseconds since the peer was last heard. */
  readonly silentMs: number;
}

interface MeasuredParts {
  readonly replica: Replica;
  readonly rotation: Rotation;
  readonly election: Election;
  readonly clockSync: ClockSync;
  readonly serving: Serving;
  readonly deciding: Deciding;
  readonly passwords: Passwords;
  readonly presence: Presence;
  readonly publications: Publications;
}

export function figuresOf(parts: MeasuredParts, now: Now): Figures {
  const { replica, rotation, election, clockSync, serving, deciding, publications } = parts;
  const { ledger, replication, catchUp } = replica;
  const members = replication.view.members.filter((name) => name !== replica.name);
  return {
    isServing: rotation.isServing,
    isCoordinator: election.ownEpoch !== undefined,
    epoch: election.current(now)?.epoch ?? noEpoch,
    view: replication.view,
    liveMembers: replication.liveMembers(now.steadyMs).length,
    openRequests: serving.open,
    repeatedWrites: serving.repeatedWrites,
    disbelievedClocks: serving.disbelievedClocks,
    openOperations: deciding.decisions.open,
    operations: deciding.decisions.outcomes,
    decisionFaults: deciding.faults,
    openPasswords: parts.passwords.open,
    presentUsers: parts.presence.list(now.steadyMs).length,
    published: publications.outlet.published,
    unpublished: publications.waiting,
    topics: publications.outlet.topics,
    gaps: catchUp.gaps,
    fetchedEvents: catchUp.fetchedEvents,
    missesEvents: replica.missesEvents,
    repairs: replica.repairs,
    offsetMs: clockSync.offsetMs(now),
    held: sumOf(ledger.held),
    committed: sumOf(replication.committed),
    peers: members.map((name) => ({
      name,
      lag: lag(replication.durableOf(name), ledger.durable),
      silentMs: now.steadyMs - replication.peer(name).heardMs,
    })),
  };
}

function sumOf(vector: Vector): number {
  return servers(vector).reduce((sum, server) => sum + (vector[server] ?? 0), 0);
}
