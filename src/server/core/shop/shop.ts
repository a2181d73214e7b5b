import {
  type CardId,
  type CardKind,
  cardKinds,
  kindOf,
  type PackName,
  packs,
  type Rarity,
  rarities,
} from "../../../protocol/cards.ts";
import type { UserName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import type { Offered } from "../../../protocol/replies.ts";

/** An offer to exchange cards, which waits for the answer of `to`. Never changed. */
export type Trade = Offered;

/**
 * Wallets, cards and offers, as the log of decisions has made them. Each card has one owner; what
 * nobody owns is in stock.
 */
export class Shop {
  /** The wallets of those who bought something; everybody else has `limits.firstCoins`. */
  readonly #coins = new Map<UserName, number>();
  readonly #owners = new Map<CardId, UserName>();
  /** For each kind, how many copies were sold. */
  readonly #sold = new Map<string, number>();
  /** The cards with which users play, each in the order of its user. */
  readonly #decks = new Map<UserName, readonly CardId[]>();
  readonly #trades = new Map<number, Trade>();
  /** The number of offers that were ever made. */
  offers = 0;
  /** Of each pack that an administrator has limited, how many are left. */
  readonly #left = new Map<PackName, number>();

  coins(user: UserName): number {
    return this.#coins.get(user) ?? limits.firstCoins;
  }

  ownerOf(card: CardId): UserName | undefined {
    return this.#owners.get(card);
  }

  /** Returns the user's cards, sorted. */
  cardsOf(user: UserName): CardId[] {
    return [...this.#owners].flatMap(([card, owner]) => (owner === user ? card : [])).sort();
  }

  /** Returns the cards with which the user plays; none if the user has chosen none. */
  deckOf(user: UserName): readonly CardId[] {
    return this.#decks.get(user) ?? [];
  }

  /** Returns how many packs of this name are for sale; undefined if they are limited by cards alone. */
  left(pack: PackName): number | undefined {
    return this.#left.get(pack);
  }

  /** For each rarity, how many cards are in stock. */
  stock(): Record<Rarity, number> {
    const count = (rarity: Rarity) =>
      kindsOf(rarity).reduce((sum, kind) => sum + this.#inStock(kind), 0);
    return Object.fromEntries(rarities.map((rarity) => [rarity, count(rarity)])) as Record<
      Rarity,
      number
    >;
  }

  trade(number: number): Trade | undefined {
    return this.#trades.get(number);
  }

  /** Returns the offers by the user and to the user, the oldest first. */
  tradesOf(user: UserName): Trade[] {
    const isTheirs = ({ by, to }: Trade) => by === user || to === user;
    return [...this.#trades.values()].filter(isTheirs).sort((a, b) => a.trade - b.trade);
  }

  /**
   * Draws the cards of a pack from the stock. Changes nothing.
   * @param draw random hexadecimal digits, `digitsOfDraw` for each card
   * @returns undefined if the stock lacks a card
   */
  drawn(pack: PackName, draw: string): CardId[] | undefined {
    const cards: CardId[] = [];
    const taken = new Map<string, number>();
    for (const [rarity, count] of Object.entries(packs[pack].cards) as [Rarity, number][]) {
      for (let left = count; left > 0; left -= 1) {
        const from = digitsOfDraw * cards.length;
        const share = Number.parseInt(draw.slice(from, from + digitsOfDraw), 16);
        const kind = this.#draw(rarity, share / 16 ** digitsOfDraw, taken);
        if (kind === undefined) return undefined;
        const number = (this.#sold.get(kind) ?? 0) + (taken.get(kind) ?? 0) + 1;
        taken.set(kind, (taken.get(kind) ?? 0) + 1);
        cards.push(`${kind}-${number}`);
      }
    }
    return cards;
  }

  /** Sells drawn cards to a user. */
  sell(user: UserName, pack: PackName, cards: readonly CardId[]): void {
    this.setCoins(user, this.coins(user) - packs[pack].price);
    for (const card of cards) this.give(card, user);
    const left = this.#left.get(pack);
    if (left !== undefined) this.#left.set(pack, left - 1);
  }

  setCoins(user: UserName, coins: number): void {
    this.#coins.set(user, coins);
  }

  /** Gives a card, perhaps from the stock, to a user. It leaves the deck of its former owner. */
  give(card: CardId, user: UserName): void {
    const former = this.#owners.get(card);
    if (former !== undefined) {
      const rest = this.deckOf(former).filter((other) => other !== card);
      this.setDeck(former, rest);
    }
    const kind = kindOf(card)?.kind as string;
    if (former === undefined) this.#sold.set(kind, (this.#sold.get(kind) ?? 0) + 1);
    this.#owners.set(card, user);
  }

  /** Says how many copies of a kind were sold, if not all of their owners are known here. */
  noteSold(kind: string, copies: number): void {
    this.#sold.set(kind, copies);
  }

  setDeck(user: UserName, cards: readonly CardId[]): void {
    if (cards.length === 0) this.#decks.delete(user);
    else this.#decks.set(user, cards);
  }

  /** @param left undefined if the pack is limited by cards alone */
  supply(pack: PackName, left: number | undefined): void {
    if (left === undefined) this.#left.delete(pack);
    else this.#left.set(pack, left);
  }

  addTrade(trade: Trade): void {
    this.#trades.set(trade.trade, trade);
  }

  removeTrade({ trade }: Trade): void {
    this.#trades.delete(trade);
  }

  clear(): void {
    this.offers = 0;
    const maps = [this.#coins, this.#owners, this.#sold, this.#decks, this.#trades, this.#left];
    for (const map of maps) map.clear();
  }

  // A saved state, sorted, so that equal shops have equal bytes (R4).

  wallets(): [UserName, number][] {
    return sorted(this.#coins);
  }

  owners(): [CardId, UserName][] {
    return sorted(this.#owners);
  }

  decks(): [UserName, readonly CardId[]][] {
    return sorted(this.#decks);
  }

  trades(): Trade[] {
    return [...this.#trades.values()].sort((a, b) => a.trade - b.trade);
  }

  supplies(): [PackName, number][] {
    return sorted(this.#left);
  }

  #draw(rarity: Rarity, share: number, taken: ReadonlyMap<string, number>): string | undefined {
    const rest = (kind: CardKind) => this.#inStock(kind) - (taken.get(kind.kind) ?? 0);
    const kinds = kindsOf(rarity);
    let at = Math.floor(share * kinds.reduce((sum, kind) => sum + rest(kind), 0));
    for (const kind of kinds) {
      if (at < rest(kind)) return kind.kind;
      at -= rest(kind);
    }
    return undefined;
  }

  #inStock({ kind, copies }: CardKind): number {
    return copies - (this.#sold.get(kind) ?? 0);
  }
}

/** Of 32 hexadecimal digits, each of the five cards of a pack gets six. */
const digitsOfDraw = 6;

function kindsOf(rarity: Rarity): readonly CardKind[] {
  return cardKinds.filter((kind) => kind.rarity === rarity);
}

function sorted<Key extends string, Value>(map: ReadonlyMap<Key, Value>): [Key, Value][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
