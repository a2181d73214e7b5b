import type { Happening, Move, Rules } from "../../src/game/core/rules/rules.ts";
import type { CardId } from "../../src/protocol/cards.ts";

/** Returns what a move makes, and the state after it; throws if the move is refused. */
export function played<State>(
  rules: Rules<State>,
  state: State,
  { move, timeMs }: { readonly move: Move; readonly timeMs: number },
): { readonly made: readonly Happening[]; readonly state: State } {
  const made = rules.judge(state, move, timeMs);
  if (typeof made === "string") throw new Error(`${JSON.stringify(move)} is refused: ${made}`);
  return {
    made,
    state: made.reduce((now, happening) => rules.fold(now, happening, timeMs), state),
  };
}

/** Plays a match to its end in which every move is made by time. */
export function playedByTime<State>(rules: Rules<State>, first: State): State {
  let state = first;
  for (let move = 0; move < 1_000; move += 1) {
    const timeMs = rules.deadlineMs(state);
    if (timeMs === undefined) return state;
    state = played(rules, state, { move: { type: "timeOut" }, timeMs }).state;
  }
  throw new Error("The match does not end.");
}

/** Cards of five kinds; the number at the end tells the decks apart. */
export function smallDeck(copy: number): CardId[] {
  return ["dragon-common", "warrior-common", "mage-common", "angel-uncommon", "demon-rare"].map(
    (kind) => `${kind}-${copy}`,
  );
}
