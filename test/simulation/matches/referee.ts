import type { MatchEvent } from "../../../src/game/core/match-event.ts";
import { attributes, kindOf } from "../../../src/protocol/cards.ts";

type Cards = readonly string[];

/**
 * Judges a whole log by what the rules say in words: cards come from the players' decks, each once; in
 * a clash both play, the stronger card wins the round, and whoever has won more rounds wins. It does
 * not know in which order cards were dealt.
 */
export class Referee {
  readonly #events: readonly MatchEvent[];
  readonly #decks: [Cards | undefined, Cards | undefined] = [undefined, undefined];
  readonly #played = new Set<string>();
  #table: [string | undefined, string | undefined] = [undefined, undefined];
  readonly #won: [number, number] = [0, 0];
  #isStarted = false;
  #gaveUp: number | undefined;

  constructor(events: readonly MatchEvent[]) {
    this.#events = events;
  }

  /** Returns what is wrong; undefined if nothing is. */
  check(): string | undefined {
    const [first] = this.#events;
    if (first?.type !== "MATCH_FOUND") return "it does not begin with MATCH_FOUND";
    const isClash = first.data.rules === "clash";
    for (const event of this.#events.slice(1)) {
      const at = `event ${event.eventSeq} (${event.type})`;
      const wrong = isClash ? this.#clash(event) : this.#duel(event);
      if (wrong !== undefined) return `${at}: ${wrong}`;
      if (this.#events[event.eventSeq - 1]?.type === "MATCH_END") {
        if (event.type !== "FAILOVER") return `${at} comes after the end`;
      }
    }
    return undefined;
  }

  #common(event: MatchEvent): string | undefined {
    switch (event.type) {
      case "DECK_CHOSEN":
      case "PURCHASE_PACK": {
        const { seat, cards } = event.data;
        if (this.#decks[seat] !== undefined) return "cards are chosen twice";
        this.#decks[seat] = cards;
        return undefined;
      }
      case "MATCH_START":
        if (this.#decks.some((deck) => deck === undefined)) return "a player has no cards";
        this.#isStarted = true;
        return undefined;
      case "GAVE_UP":
        this.#gaveUp = event.data.seat;
        return undefined;
      default:
        return undefined;
    }
  }

  #card(seat: 0 | 1, card: string): string | undefined {
    if (!this.#isStarted) return "the match has not begun";
    if (!this.#decks[seat]?.includes(card)) return `${card} is not a card of ${seat}`;
    if (this.#played.has(`${seat} ${card}`)) return `${card} is played twice`;
    this.#played.add(`${seat} ${card}`);
    return undefined;
  }

  #clash(event: MatchEvent): string | undefined {
    if (event.type === "CARD_PLAYED") {
      const { seat, card } = event.data;
      if (this.#table[seat] !== undefined) return `${seat} plays twice in a round`;
      this.#table[seat] = card;
      return this.#card(seat, card);
    }
    if (event.type === "ROUND_END") {
      const [a, b] = this.#table;
      if (a === undefined || b === undefined) return "a round ends before both have played";
      const strength = (own: string, other: string) => {
        const [mine, theirs] = [kindOf(own), kindOf(other)];
        const next = attributes.indexOf(mine?.attribute ?? "fire") + 1;
        const beats = attributes[next % attributes.length] === theirs?.attribute;
        return (mine?.power ?? 0) + (beats ? 20 : 0);
      };
      const difference = strength(a, b) - strength(b, a);
      if (difference !== 0) this.#won[difference > 0 ? 0 : 1] += 1;
      this.#table = [undefined, undefined];
      return undefined;
    }
    if (event.type !== "MATCH_END") return this.#common(event);
    const { winner, isVoid } = event.data;
    if (isVoid === true) return this.#isStarted ? "a match that has begun is void" : undefined;
    if (this.#gaveUp !== undefined) {
      return winner === this.#gaveUp ? "the one who gave up has won" : undefined;
    }
    const [first, second] = this.#won;
    const right = first === second ? undefined : first > second ? 0 : 1;
    return winner === right ? undefined : `${winner} has won, and not ${right}`;
  }

  #duel(event: MatchEvent): string | undefined {
    if (event.type !== "CARD_PLAYED" && event.type !== "CARD_COUNTERED") return this.#common(event);
    return this.#card(event.data.seat, event.data.card);
  }
}
