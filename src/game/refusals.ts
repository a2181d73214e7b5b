import { type ErrorCode, ProtocolError } from "../protocol/errors.ts";
import type { Refusal } from "./core/effects.ts";

const sentences: Readonly<Record<Refusal, string>> = {
  seated: "The user sits in a match already.",
  match_not_found: "There is no such match, or the user does not sit in it.",
  not_in_match: "The user sits in no match.",
  queue_full: "Too many players wait for a match.",
  unavailable: "The holders of the match, or the cluster, do not answer: ask again.",
  match_over: "The match is over.",
  not_started: "Both players must choose their cards first.",
  already_ready: "The player has chosen their cards already.",
  deck_wrong: "A player plays with 5 to 30 different cards that they own.",
  not_your_turn: "It is not this player's turn.",
  card_not_in_hand: "The card is not in the player's hand.",
  card_does_not_beat: "Only a card whose attribute beats the played one counters it.",
  already_played: "The player has already played in this round.",
  too_few_points: "The player has too few points for this card.",
  too_early: "The time is not over yet.",
  move_unknown: "This game has no such move.",
};

/** Returns the error that a refused player gets. */
export function refusalOf(refused: Refusal): ProtocolError {
  const code: ErrorCode = refused === "queue_full" ? "unavailable" : refused;
  return new ProtocolError(code, sentences[refused]);
}
