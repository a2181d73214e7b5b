import type { Random } from "../../src/platform/random.ts";

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
