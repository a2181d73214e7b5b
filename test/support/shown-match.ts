import type { Look } from "../../src/protocol/game-requests.ts";
import type { MatchView, ShownEvent, SideView } from "../../src/protocol/game-view.ts";
import type { UserName } from "../../src/protocol/ids.ts";
import type { GameName, MatchId } from "../../src/protocol/matches.ts";

const game = "game_0a1b2c3d" as GameName;
const side: SideView = { handSize: 5, deckSize: 3, score: 100, points: 3 };

/** A duel between ana and bia, as ana sees it in her own turn. */
export const anasView: MatchView = {
  match: "0a1b2c3d4e5f6a7b" as MatchId,
  rules: "duel",
  players: [
    { user: "ana" as UserName, game },
    { user: "bia" as UserName, game },
  ],
  seat: 0,
  ready: [true, true],
  table: {
    round: 1,
    turn: [0],
    deadlineMs: 20_000,
    sides: [{ ...side, hand: ["dragon-common-1", "wolf-rare-2", "titan-legendary-3"] }, side],
  },
  seedHash: "00",
  eventSeq: 4,
};

export function shownEvent(eventSeq: number, type = "PASSED", data: object = {}): ShownEvent {
  return { eventSeq, timestamp: 1_000, type, data: data as ShownEvent["data"] };
}

/** How things stand for ana after an event. */
export function anasLook(eventSeq: number, changed: Partial<MatchView> = {}): Look {
  const view = { ...anasView, eventSeq, ...changed };
  return { phase: "match", view, events: [shownEvent(eventSeq)] };
}
