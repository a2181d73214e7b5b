import { type Random, seededRandom } from "../../src/platform/random.ts";
import type { UserName } from "../../src/protocol/ids.ts";
import type { Operation } from "../../src/protocol/operation.ts";
import type { Shop } from "../../src/server/core/shop/shop.ts";

/** Draws operations of which most fit the state, some do not, and some have wrong fields. */
export class DrawnOperations {
  readonly #random: Random;
  #count = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  pick<T>(...from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)] as T;
  }

  #hex(): string {
    return Math.floor(this.#random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  }

  /** The first copies of common cards, which are sold soon. */
  #cards(): string[] {
    const name = this.pick("wolf", "lion", "tiger");
    return this.pick([`${name}-common-1`], [`${name}-common-1`, `${name}-common-2`]);
  }

  /** Fields of operations on few matches at a time, most of which begin, move on, and end. */
  #matchFields(): Record<string, unknown> {
    const number = 4 * Math.floor(this.#count / 400) + Math.floor(this.#random() * 12);
    const users = this.pick(number, number, number, number + 7);
    const games = ["game_0000000a", "game_0000000b", "game_0000000c"];
    const [first, second] = [`user${users % 40}`, `user${(users + this.pick(1, 1, 1, 0)) % 40}`];
    const player = (user: string) => ({ user, game: "game_0000000a" });
    return {
      match: number.toString(16).padStart(16, "0"),
      rules: this.pick("duel", "clash"),
      players: [player(first), player(second)],
      term: this.pick(1, 1, 2, 3),
      host: this.pick(...games),
      shadow: this.pick(undefined, ...games),
      winner: this.pick(undefined, first, second),
      isVoid: this.pick(undefined, undefined, undefined, true),
    };
  }

  operation(applied: number): object {
    this.#count += 1;
    const name = `user${Math.floor(this.#random() * 40)}`;
    const rights = this.pick({ isOperator: true }, { user: name, version: "1" }, {});
    const version = this.pick("1", "2", "3");
    const fields = {
      user: this.pick(name, `user${Math.floor(this.#random() * 40)}`),
      credential: this.pick("one hash", "another hash"),
      version,
      from: this.pick("1", "2", "3"),
      looks: [this.pick(name, name.replace("0", "o"))],
      isUsed: this.pick(true, undefined, undefined),
      isOpen: this.pick(true, undefined),
      invitation: this.pick("0a", "0b", undefined),
      flag: this.pick("locked", "administrator"),
      isSet: this.pick(true, false),
      mode: this.pick("open", "open", "closed", "invitation"),
      hash: this.pick("0a", undefined),
      pack: this.pick("basic", "premium", "legendary"),
      draw: Array.from({ length: 4 }, () => this.#hex()).join(""),
      left: this.pick(undefined, undefined, 0, 40),
      to: `user${Math.floor(this.#random() * 40)}`,
      give: this.#cards(),
      want: this.#cards(),
      trade: Math.floor(this.#random() * 50),
      isAccepted: this.pick(true, false),
      cards: [1, 2, 3, 4, 5].map((copy) => `wolf-common-${copy}`),
      ...this.#matchFields(),
      rights,
    };
    const wrong = this.pick<string>(
      ...["user", "credential", "looks", "rights", "version", "mode"],
      ...["pack", "draw", "left", "to", "give", "trade", "cards"],
      ...["match", "rules", "players", "term", "host", "winner", "isVoid"],
    );
    const odd =
      this.#random() < 0.03
        ? {
            [wrong]: this.pick<unknown>(undefined, 7, null, {}, Number.NaN, "constructor", [["x"]]),
          }
        : {};
    return {
      kind: this.pick<string>(
        ...["register", "password", "rehash", "reset", "flag", "registration"],
        ...["buy", "buy", "offer", "trade", "deck", "supply"],
        ...["matchBegin", "matchTerm", "matchEnd", "matchVoid"],
      ),
      by: name,
      id: `id ${this.#random() < 0.2 ? this.#count - 5 : this.#count}`,
      since: Math.max(0, applied - Math.floor(this.#random() * 40)),
      ...fields,
      ...odd,
    };
  }
}

/** Draws operations of one asker. None of them is ever too old for the log of decisions (D9). */
export class Asker {
  readonly #drawn: DrawnOperations;
  readonly #random: Random;
  /** PostgreSQL refuses U+0000, which ids may have. */
  readonly #prefix: string;
  #made = 0;
  #last: Operation[] = [];

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#drawn = new DrawnOperations(this.#random);
    this.#prefix = `\u0000${seed}`;
  }

  batch(count: number, shop: Shop): Operation[] {
    const operations: Operation[] = [];
    while (operations.length < count) {
      const again = this.#last[Math.floor(this.#random() * 200)];
      if (again !== undefined) {
        operations.push(again);
        continue;
      }
      const made = this.#random() < 0.2 ? this.#fitting(shop) : [this.#any()];
      operations.push(...made);
      this.#last = [...this.#last, ...made].slice(-10);
    }
    return operations;
  }

  number(least: number, most: number): number {
    return least + Math.floor(this.#random() * (most + 1 - least));
  }

  #any(): Operation {
    const drawn = this.#drawn.operation(0) as Operation;
    return { ...drawn, id: `${this.#prefix} ${drawn.id}`, since: 10 ** 9 } as Operation;
  }

  /** Exchanges and decks of cards, which need cards that somebody owns. */
  #fitting(shop: Shop): Operation[] {
    const owners = shop.owners();
    const open = shop.trades();
    const pick = <T>(list: readonly T[]) => list[Math.floor(this.#random() * list.length)];
    const [[given, by], [wanted, to]] = [
      pick(owners) ?? ["", "user1"],
      pick(owners) ?? ["", "user2"],
    ];
    const offer = this.#operation("offer", by, { to, give: [given], want: [wanted] });
    const next = { trade: shop.offers + 1, to };
    const answers = [pick(open) ?? next, next].map((trade) => {
      return this.#operation("trade", trade.to, {
        trade: trade.trade,
        isAccepted: this.#random() < 0.8,
      });
    });
    const deck = this.#operation("deck", by, { cards: shop.cardsOf(by as UserName).slice(0, 7) });
    return pick([[offer], [offer, ...answers], answers, [deck]]) ?? [];
  }

  #operation(kind: string, by: string, fields: object): Operation {
    this.#made += 1;
    return operation(kind, by, {
      ...fields,
      id: `${this.#prefix} fitting ${this.#made}`,
      since: 10 ** 9,
    });
  }
}

/** Makes an operation with the rights of the operator. */
export function operation(kind: string, by: string, fields: object): Operation {
  const rights = { isOperator: true };
  return { kind, by, id: "1", since: 0, rights, ...fields } as unknown as Operation;
}
