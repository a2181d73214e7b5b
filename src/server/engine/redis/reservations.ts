import { type PackName, packNames } from "../../../protocol/cards.ts";
import type { Decided, Operation } from "../../../protocol/operation.ts";
import type { DecidedWithStock, Engine } from "../engine.ts";
import type { RedisConnections } from "./connections.ts";
import { PackQueue } from "./pack-queue.ts";
import { PackStock } from "./pack-stock.ts";

/**
 * Reservations of packs whose number is limited. A purchase with a reservation goes on to the decision.
 * Without one, it waits a little for the outcome of those that have one. So few purchases of a rush need
 * the lock that orders all operations.
 */
export class Reservations {
  readonly #packs: ReadonlyMap<unknown, { readonly stock: PackStock; readonly queue: PackQueue }>;

  /** @param prefix what the names of this cluster's keys begin with */
  constructor(connections: RedisConnections, engine: Pick<Engine, "load">, prefix: string) {
    const made = packNames.map((pack: PackName) => {
      const stock = new PackStock(connections, `${prefix}pack:${pack}`);
      return [pack, { stock, queue: new PackQueue({ pack, stock, engine, connections }) }] as const;
    });
    this.#packs = new Map(made);
  }

  /**
   * Asks for a reservation. Resolves to "decide" if the purchase goes on to the decision, else to its
   * outcome.
   * @returns undefined if the operation is decided without a reservation: it is no purchase, or Redis
   *   is away
   */
  admit(operation: Operation): Promise<Decided | "decide"> | undefined {
    if (operation.kind !== "buy") return undefined;
    return this.#packs.get(operation.pack)?.queue.add(operation);
  }

  /** Tells what operations have left of the packs, and that their reservations are used. */
  settle(decided: readonly DecidedWithStock[]): void {
    for (const [pack, { stock, queue }] of this.#packs) {
      const ofPack = decided.filter(({ operation }) => operation.pack === pack);
      if (ofPack.length === 0) continue;
      const last = ofPack.findLast(({ left }) => left !== undefined);
      const told = last?.left !== undefined && { stock: { slot: last.slot, left: last.left } };
      const used = ofPack.map(({ operation }) => operation);
      void stock.tell({ ...told, used }).then(() => queue.wake());
    }
  }
}
