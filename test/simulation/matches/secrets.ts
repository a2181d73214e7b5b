import type { MatchEvent } from "../../../src/game/core/match-event.ts";
import type { Seat } from "../../../src/protocol/game-view.ts";

/**
 * Returns a secret that an answer contains; undefined if it contains none. It searches the answer's
 * text, so it does not matter in which field a secret is.
 * @param log what the answer is about
 * @param viewer undefined for a spectator
 */
export function secretIn(
  answer: unknown,
  log: readonly MatchEvent[],
  viewer: Seat | undefined,
): string | undefined {
  const [first] = log;
  if (first?.type !== "MATCH_FOUND") return undefined;
  const text = JSON.stringify(answer);
  const isOver = log.some(({ type }) => type === "MATCH_END");
  if (!isOver && text.includes(first.data.seed)) return "the seed";
  const open = openCards(log, first.data.rules === "clash");
  const secret = [...cardsOf(log, viewer).others].find((card) => {
    return !open.has(card) && text.includes(`"${card}"`);
  });
  return secret && `the hidden card ${secret}`;
}

/** Returns the cards that only another player has chosen. */
function cardsOf(log: readonly MatchEvent[], viewer: Seat | undefined) {
  const own = new Set<string>();
  const others = new Set<string>();
  for (const { type, data } of log) {
    if (type !== "DECK_CHOSEN" && type !== "PURCHASE_PACK") continue;
    for (const card of data.cards) (data.seat === viewer ? own : others).add(card);
  }
  for (const card of own) others.delete(card);
  return { others };
}

/** Returns the cards that everybody has seen: in a clash, those of the rounds that have ended. */
function openCards(log: readonly MatchEvent[], isClash: boolean): ReadonlySet<string> {
  const lastRound = log.findLastIndex(({ type }) => type === "ROUND_END");
  const shown = isClash ? log.slice(0, lastRound + 1) : log;
  return new Set(
    shown.flatMap(({ type, data }) => {
      return type === "CARD_PLAYED" || type === "CARD_COUNTERED" ? [data.card] : [];
    }),
  );
}
