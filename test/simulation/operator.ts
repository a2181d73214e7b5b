import type { RequestId, ServerName, UserName } from "../../src/protocol/ids.ts";
import { durations, limits } from "../../src/protocol/limits.ts";
import type { Operation } from "../../src/protocol/operation.ts";
import type { CoordinationAnswer, ForwardedEnd } from "../../src/protocol/peer-messages.ts";
import type { CoreCluster } from "../support/core-cluster.ts";
import type { VirtualServer } from "../support/virtual-server.ts";
import type { LogModel } from "./log-model.ts";

interface Asked {
  readonly operation: Operation;
  readonly toldBefore: number;
}

interface OperatorOptions {
  readonly cluster: CoreCluster;
  readonly log: LogModel;
}

/**
 * Has operations decided in bursts, and sends copies of them long after they were answered. It sends
 * nothing that is too far ahead of its oldest undecided operation (D9).
 */
export class Operator {
  readonly #user: UserName;
  readonly #options: OperatorOptions;
  /** The numbers of the undecided operations. */
  readonly #open = new Set<number>();
  #count = 0;
  /** The highest slot that this user was told of. */
  #slot = 0;

  constructor(user: UserName, options: OperatorOptions) {
    this.#user = user;
    this.#options = options;
  }

  /** The number of undecided operations; a server that is alone gets no forwarded ones. */
  get open(): number {
    return this.#serving.length < 2 ? 0 : this.#open.size;
  }

  get #serving(): VirtualServer[] {
    const { servers } = this.#options.cluster;
    return servers.filter(({ isRunning, inRotation }) => isRunning && inRotation);
  }

  operate(): void {
    const { cluster, log } = this.#options;
    for (let left = 1 + Math.floor(4 * cluster.random()); left > 0; left -= 1) {
      const [oldest = this.#count + 1] = this.#open;
      if (this.#count + 1 > oldest + limits.operationsAhead) return;
      this.#count += 1;
      this.#open.add(this.#count);
      const id = `op-${this.#count}` as RequestId;
      const fields = { kind: "rehash", credential: "x", from: "y" };
      const operation = { ...fields, by: this.#user, id, since: this.#slot };
      this.#send(this.#count, { operation, toldBefore: log.highestTold });
    }
  }

  /** Sends an operation to any server, again until it is decided. */
  #send(number: number, asked: Asked): void {
    const { cluster } = this.#options;
    if (!this.#open.has(number)) return;
    this.#forward(asked, (end, byWhom) => {
      this.#tell(asked, end, byWhom);
      if (!this.#open.delete(number) || cluster.random() < 0.6) return;
      const lateMs = 100 + Math.floor(4_000 * cluster.random());
      cluster.time.after(lateMs, () => {
        this.#forward(asked, (again, later) => this.#tell(asked, again, later));
      });
    });
    const pauseMs = 50 + Math.floor(durations.peerRequestMs * cluster.random());
    cluster.time.after(pauseMs, () => this.#send(number, asked));
  }

  #tell({ operation, toldBefore }: Asked, end: ForwardedEnd, byWhom: ServerName): void {
    const { slot, outcome } = end;
    this.#slot = Math.max(this.#slot, slot);
    this.#options.log.tell({ operation, slot, outcome, byWhom, toldBefore });
  }

  /** Hands an operation to any server, in the name of any other one. */
  #forward({ operation }: Asked, told: (end: ForwardedEnd, byWhom: ServerName) => void): void {
    const { cluster } = this.#options;
    const serving = this.#serving;
    const pick = () => serving[Math.floor(cluster.random() * serving.length)] as VirtualServer;
    if (serving.length < 2) return;
    const [server, from] = [pick(), pick()];
    if (server === from) return;
    forward(cluster, { operation, server, from }, (end) => told(end, server.name));
  }
}

interface Forwarding {
  readonly operation: Operation;
  readonly server: VirtualServer;
  /** The server in whose name the operation is forwarded. */
  readonly from: VirtualServer;
}

/** Hands an operation to a server, as another one would. */
export function forward(
  cluster: CoreCluster,
  { operation, server, from }: Forwarding,
  told: (end: ForwardedEnd) => void,
): void {
  const { clock, replication, ledger, election } = from.core;
  const { view } = replication;
  const own = { server: from.name, clock: clock.tick(), view, durable: ledger.snapshot() };
  const summary = { ...own, office: election.ownEpoch };
  const request = { service: "forward", ...summary, operations: [operation] } as const;
  const to = (answer: CoordinationAnswer) => {
    const end = answer.service === "forward" ? answer.ends[0] : undefined;
    if (end !== undefined) cluster.time.after(1, () => told(end));
  };
  cluster.hand(server, { type: "coordinationRequest", to, request });
}
