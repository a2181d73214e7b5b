import { attributes, type CardId, type CardKind, kindOf } from "../../../protocol/cards.ts";
import { type Chance, shuffled } from "./chance.ts";
import type { Seat, SideView } from "./rules.ts";

/** Cards in a hand at the start of a match. */
const dealt = 5;

/** A player's cards. Each card of the deck that was given is in exactly one of these places. */
export interface Side {
  readonly hand: readonly CardId[];
  /** The next card to draw is the first one. */
  readonly deck: readonly CardId[];
  /** At most one card. */
  readonly table: readonly CardId[];
  readonly discard: readonly CardId[];
}

/** By seat. */
export type Both<Value> = readonly [Value, Value];

/** Shuffles a deck and deals a hand from it. */
export function deal(deck: readonly CardId[], chance: Chance): Side {
  // An unknown card must stop the start of a match, not the match.
  for (const card of deck) cardKind(card);
  const order = shuffled(deck, chance);
  return { hand: order.slice(0, dealt), deck: order.slice(dealt), table: [], discard: [] };
}

/** Moves the next card of the deck to the hand, if there is one. */
export function drawn<S extends Side>(side: S): S {
  return { ...side, hand: [...side.hand, ...side.deck.slice(0, 1)], deck: side.deck.slice(1) };
}

/** Moves a card from the hand to the table. */
export function laid<S extends Side>(side: S, card: CardId): S {
  return { ...side, hand: side.hand.filter((held) => held !== card), table: [card] };
}

/** Moves the card on the table, if there is one, to the discarded cards. */
export function cleared<S extends Side>(side: S): S {
  return { ...side, table: [], discard: [...side.discard, ...side.table] };
}

export function hasPlayed(side: Side): boolean {
  return side.table.length > 0;
}

/** Returns both sides, of which one is changed. */
export function changed<S>(sides: Both<S>, seat: Seat, change: (side: S) => S): Both<S> {
  return seat === 0 ? [change(sides[0]), sides[1]] : [sides[0], change(sides[1])];
}

export function forBoth<S, T>(sides: Both<S>, make: (side: S, seat: Seat) => T): Both<T> {
  return [make(sides[0], 0), make(sides[1], 1)];
}

/** Returns the seat with the higher number; undefined if the numbers are equal. */
export function leader([first, second]: Both<number>): Seat | undefined {
  if (first === second) return undefined;
  return first > second ? 0 : 1;
}

/** @throws {Error} if there is no such card */
export function cardKind(card: CardId): CardKind {
  const kind = kindOf(card);
  if (kind === undefined) throw new Error(`There is no card "${card}".`);
  return kind;
}

/** Whether a card's attribute beats the attribute of the other card. */
export function beats(card: CardId, opposed: CardId): boolean {
  const at = attributes.indexOf(cardKind(card).attribute);
  return attributes[(at + 1) % attributes.length] === cardKind(opposed).attribute;
}

/** Returns what every game shows of a side's hand and deck. */
export function cardsView(
  side: Side,
  isOwn: boolean,
): Pick<SideView, "hand" | "handSize" | "deckSize"> {
  return {
    hand: isOwn ? side.hand : undefined,
    handSize: side.hand.length,
    deckSize: side.deck.length,
  };
}
