import { compareEpochs, type Epoch, writeEpoch } from "../../../protocol/epoch.ts";
import type { ServerName } from "../../../protocol/ids.ts";
import { durations } from "../../../protocol/limits.ts";
import { isoTime } from "../../../protocol/time.ts";
import { serversTopic } from "../../../protocol/topics.ts";
import type { Now } from "../effects.ts";
import type { Replica } from "../replica/replica.ts";

export interface KnownCoordinator {
  readonly name: ServerName;
  readonly epoch: Epoch;
  readonly heardMs: number;
}

/** Records which peer was last heard as coordinator, and when. */
export class HeardCoordinator {
  /** The server that was last heard as coordinator; it may have been silent since then. */
  known: KnownCoordinator | undefined;
  readonly #replica: Replica;
  #watched: { readonly epoch: Epoch; readonly address: string } | undefined;
  /** The Lamport clock of each server's newest message. */
  readonly #clocks = new Map<ServerName, number>();

  constructor(replica: Replica) {
    this.#replica = replica;
  }

  /** Whether the coordinator was heard within `durations.coordinatorSilenceMs`. */
  isHeard({ steadyMs }: Now): boolean {
    const heardMs = this.known?.heardMs ?? Number.NEGATIVE_INFINITY;
    return steadyMs - heardMs < durations.coordinatorSilenceMs;
  }

  /**
   * Whether a message of the server `name` has a higher clock than all earlier messages of that
   * server. If so, records the clock. An older message may arrive later, over another connection.
   */
  isNewer(name: ServerName, clock: number): boolean {
    if (clock <= (this.#clocks.get(name) ?? -1)) return false;
    this.#clocks.set(name, clock);
    return true;
  }

  /** Records a server's statement that it is coordinator in this epoch. */
  hear(name: ServerName, epoch: Epoch, { steadyMs }: Now): void {
    const before = this.known?.epoch;
    const isSame = before !== undefined && compareEpochs(epoch, before) === 0;
    this.known = { name, epoch: isSame ? before : epoch, heardMs: steadyMs };
    if (isSame) return;
    this.#replica.effects.log("info", `${name} is coordinator, epoch ${writeEpoch(epoch)}`);
  }

  /**
   * Opens a connection to the coordinator. The end of this connection is the first hint that the
   * coordinator is gone (E4).
   */
  watch(): void {
    if (this.known === undefined) return;
    const { epoch } = this.known;
    const { name, address } = this.#replica.replication.peer(this.known.name);
    const isWatched = epoch === this.#watched?.epoch && address === this.#watched.address;
    if (isWatched || address === "") return;
    this.#watched = { epoch, address };
    this.#replica.effects.add({ type: "watchPeer", peer: name, address });
  }
}

/**
 * Publishes that this server is coordinator, in the form of the original protocol, for any
 * subscriber (P6). `timeMs` is in milliseconds since 1970.
 */
export function announceCoordinator(replica: Replica, epoch: Epoch, timeMs: number): void {
  const { name, effects, clock } = replica;
  effects.log("info", `Coordinator, epoch ${writeEpoch(epoch)}`, { event: "coordinator", epoch });
  const rank = replica.rankOf(name);
  const data = { coordinator: name, epoch, rank, timestamp: isoTime(timeMs), clock: clock.tick() };
  const payload = { service: "election", data };
  effects.add({ type: "publish", topic: serversTopic, payload });
}
