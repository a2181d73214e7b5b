import { type PackName, packNames } from "../../../protocol/cards.ts";
import type { Decided, Operation } from "../../../protocol/operation.ts";
import type { DecidedWithStock, Engine } from "../engine.ts";
import type { RedisLink } from "./link.ts";
import { PackQueue } from "./pack-queue.ts";
import { PackStock } from "./pack-stock.ts";

/**
 * Reservations of packs whose number is limited. Who gets one goes on to the decision. Who gets none,
 * because the others have reserved all that is left, waits a little for what comes of theirs. So a rush
 * for a few packs does not queue at the one row that orders all operations.
 */
export class Reservations {
  readonly #packs: ReadonlyMap<unknown, { readonly stock: PackStock; readonly queue: PackQueue }>;

  /** @param prefix what the names of this cluster's keys begin with */
  constructor(link: RedisLink, engine: Pick<Engine, "load">, prefix: string) {
    const made = packNames.map((pack: PackName) => {
      const stock = new PackStock(link, `${prefix}pack:${pack}`);
      return [pack, { stock, queue: new PackQueue({ pack, stock, engine, link }) }] as const;
    });
    this.#packs = new Map(made);
  }

  /**
   * Asks whether a purchase is to be decided. Resolves to its outcome if that is known without the lock
   * of the log, and to undefined if it is to be decided.
   * @returns undefined if the operation is no purchase, or Redis is away
   */
  admit(operation: Operation): Promise<Decided | undefined> | undefined {
    if (operation.kind !== "buy") return undefined;
    return this.#packs.get(operation.pack)?.queue.add(operation);
  }

  /** Tells what operations have left of the packs, and that their reservations are used. */
  settle(decided: readonly DecidedWithStock[]): void {
    for (const [pack, { stock, queue }] of this.#packs) {
      const ofPack = decided.filter(({ operation }) => operation.pack === pack);
      const last = ofPack.findLast(({ left }) => left !== undefined);
      if (ofPack.length === 0) continue;
      const truth = last && { slot: last.slot, left: last.left };
      const used = ofPack.map(({ operation }) => operation);
      void stock.tell(truth, used).then(() => queue.look());
    }
  }
}
