import type { MatchView, Seat, ShownEvent } from "../../../protocol/game-view.ts";
import { harmless } from "../../../protocol/harmless.ts";
import type { Text } from "../../../texts/texts.ts";
import { cardName, shortName } from "./duel-cards.ts";

type Data = ShownEvent["data"];

/** @returns what has happened, one sentence for each event that a person needs to know */
export function matchLog(
  events: readonly ShownEvent[],
  view: MatchView,
  words: Text,
): readonly string[] {
  return events.flatMap((event) => sentence(event, view, words) ?? []);
}

/** @returns undefined for an event that says nothing new, or that a newer server has made */
function sentence({ type, data }: ShownEvent, view: MatchView, words: Text): string | undefined {
  const user = nameAt(view, data.seat);
  switch (type) {
    case "MATCH_FOUND":
      return words("duel.event.found", { first: nameAt(view, 0), second: nameAt(view, 1) });
    case "DECK_CHOSEN":
      return words("duel.event.deck", { user, count: countOf(data) });
    case "PURCHASE_PACK":
      return words("duel.event.pack", { user, pack: textOf(data.pack) });
    case "MATCH_START":
      return words("duel.event.start");
    case "CARD_PLAYED":
      return data.card === "hidden"
        ? words("duel.event.hidden", { user })
        : words("duel.event.played", { user, card: cardName(words, textOf(data.card)) });
    case "CARD_COUNTERED":
      return words("duel.event.countered", { user, card: cardName(words, textOf(data.card)) });
    case "PASSED":
      return words("duel.event.passed", { user });
    case "ROUND_END":
      return view.rules === "clash" ? roundEnd(data, view, words) : turnEnd(data, view, words);
    case "GAVE_UP":
      return words(data.isGone === true ? "duel.event.gone" : "duel.event.gaveUp", { user });
    case "FAILOVER":
      return words(isMoved(data) ? "duel.event.failover" : "duel.event.copied");
    case "MATCH_END":
      return matchEnd(data, view, words);
    default:
      return undefined;
  }
}

function nameAt({ players }: MatchView, seat: unknown): string {
  return seat === 0 || seat === 1 ? harmless(players[seat].user) : "?";
}

function textOf(value: unknown): string {
  return typeof value === "string" ? harmless(value) : "?";
}

function numberAt(pair: unknown, seat: Seat): number {
  const value: unknown = Array.isArray(pair) ? pair[seat] : undefined;
  return typeof value === "number" ? value : 0;
}

/** A player gets the cards, and everybody else their number. */
function countOf({ cards, count }: Data): number {
  return Array.isArray(cards) ? cards.length : Number(count ?? 0);
}

/** The end of a round of clash, with the winner's card first. */
function roundEnd(data: Data, view: MatchView, words: Text): string {
  const { winner, cards, strengths, round } = data;
  const isWon = winner === 0 || winner === 1;
  const seat: Seat = isWon ? winner : 0;
  const far: Seat = seat === 0 ? 1 : 0;
  const card = (at: Seat) => {
    return shortName(words, textOf(Array.isArray(cards) ? cards[at] : undefined));
  };
  const said = {
    round: Number(round),
    card: card(seat),
    strength: numberAt(strengths, seat),
    other: card(far),
    otherStrength: numberAt(strengths, far),
  };
  if (!isWon) return words("duel.event.roundDrawn", said);
  return words("duel.event.roundWon", { ...said, user: nameAt(view, seat) });
}

/** The end of a turn of duel. */
function turnEnd(data: Data, view: MatchView, words: Text): string | undefined {
  const seat: Seat = data.seat === 0 ? 1 : 0;
  const user = nameAt(view, seat);
  if (data.isCountered === true) return words("duel.event.blocked", { user });
  const damage = Number(data.damage ?? 0);
  if (damage === 0) return undefined;
  return words("duel.event.hit", { user, damage, life: numberAt(data.scores, seat) });
}

/** Whether another server hosts the match from now on; else only the copy has moved. */
function isMoved(data: Data): boolean {
  const hostOf = (term: unknown) => (term as { readonly host?: unknown } | undefined)?.host;
  return hostOf(data.old) !== hostOf(data.new);
}

function matchEnd({ winner, isVoid }: Data, view: MatchView, words: Text): string {
  if (isVoid === true) return words("duel.event.void");
  if (winner !== 0 && winner !== 1) return words("duel.event.drawn");
  return words("duel.event.won", { user: nameAt(view, winner) });
}
