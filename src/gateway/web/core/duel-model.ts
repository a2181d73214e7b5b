import { isPlayable, stageOf } from "../../../client/core/duel/duel-cards.ts";
import type { CardId, PackName } from "../../../protocol/cards.ts";
import { gameLimits } from "../../../protocol/game-limits.ts";
import type { Look, LookedAt, PlayerAction } from "../../../protocol/game-requests.ts";
import type { MatchView, Seat, ShownEvent } from "../../../protocol/game-view.ts";
import type { RulesName } from "../../../protocol/matches.ts";
import type { LinkState, Preferences } from "./page-model.ts";

/** What the player has, and what the shop sells. */
export interface Means {
  readonly cards: readonly CardId[];
  readonly coins: number;
  readonly packs: readonly {
    readonly pack: PackName;
    readonly price: number;
    readonly cards: Readonly<Record<string, number>>;
    readonly left?: number;
  }[];
}

/** What the page about matches shows. */
export interface DuelModel {
  readonly preferences: Preferences;
  /** Undefined while it is unknown; empty if the person must log in first. */
  readonly me: string | undefined;
  /** The user whose matches are watched; undefined if the person plays. */
  readonly of: string | undefined;
  /** How things stand; undefined before the first answer. */
  readonly look: Look | undefined;
  /** The events of the match, without a gap. */
  readonly events: readonly ShownEvent[];
  /** By how much the gateway's clock is ahead of this device's, in milliseconds. */
  readonly aheadMs: number;
  readonly nowMs: number;
  /** When `look` came. */
  readonly lookedMs: number;
  readonly link: LinkState;
  /** The game that the person wants to play, until a match is found. */
  readonly wants: RulesName | undefined;
  readonly means: Means | undefined;
  /** Whether an action has been sent that is not answered yet. */
  readonly isActing: boolean;
  /** Whether the page asks if the person means to give up. */
  readonly asksGiveUp: boolean;
  /** Whether the keys 1 to 9 play cards. */
  readonly hasKeys: boolean;
  /** What was refused, as a sentence. */
  readonly problem: string | undefined;
  /** Whether the gateway says that no game server answers. */
  readonly isWithoutGame: boolean;
}

/** The news that a gateway tells. */
export interface News {
  readonly look: Look;
  /** The gateway's time. */
  readonly timeMs: number;
}

export function nothingPlayed(given: Pick<DuelModel, "preferences" | "of" | "nowMs">): DuelModel {
  return {
    ...given,
    me: undefined,
    look: undefined,
    events: [],
    aheadMs: 0,
    lookedMs: given.nowMs,
    link: { state: "connecting" },
    wants: undefined,
    means: undefined,
    isActing: false,
    asksGiveUp: false,
    hasKeys: true,
    problem: undefined,
    isWithoutGame: false,
  };
}

/** Returns the model after news. The result of a match stays on the page after the match is gone. */
export function looked(model: DuelModel, { look, timeMs }: News, nowMs: number): DuelModel {
  const known = { ...model, nowMs, aheadMs: timeMs - nowMs, isWithoutGame: false };
  const before = viewOf(model);
  if (look.phase !== "match") {
    const isResult = before?.over !== undefined && model.wants === undefined;
    if (look.phase === "idle" && isResult) return known;
    return { ...known, look, lookedMs: nowMs, events: [], asksGiveUp: false };
  }
  const isSame = before?.match === look.view.match;
  const isOver = look.view.over !== undefined;
  return {
    ...known,
    look,
    lookedMs: nowMs,
    events: isSame ? joined(model.events, look.events) : look.events,
    wants: isOver ? model.wants : undefined,
    asksGiveUp: model.asksGiveUp && isSame && !isOver,
    problem: isSame ? model.problem : undefined,
  };
}

function joined(known: readonly ShownEvent[], news: readonly ShownEvent[]): readonly ShownEvent[] {
  const [first] = news;
  if (first === undefined) return known;
  const before = known.filter(({ eventSeq }) => eventSeq < first.eventSeq);
  return [...before, ...news].slice(-gameLimits.shownEvents);
}

export function viewOf({ look }: Pick<DuelModel, "look">): MatchView | undefined {
  return look?.phase === "match" ? look.view : undefined;
}

/** Where a new connection goes on. */
export function afterOf({ look, events }: DuelModel): LookedAt | undefined {
  if (look?.phase !== "match" || events.length === 0) return undefined;
  return { match: look.view.match, eventSeq: look.view.eventSeq };
}

/** Whether the game server has forgotten that the person wants a match: they must ask again. */
export function mustEnter({ look, wants }: DuelModel): boolean {
  return wants !== undefined && look?.phase === "idle";
}

/** Returns the whole seconds until a time of the servers' clocks; never below 0. */
function secondsUntil(model: DuelModel, timeMs: number): number {
  return Math.max(0, Math.ceil((timeMs - model.aheadMs - model.nowMs) / 1_000));
}

/** Returns the seconds that are left to choose cards or to move; undefined without a deadline. */
export function secondsLeft(model: DuelModel): number | undefined {
  const view = viewOf(model);
  if (view === undefined || view.over !== undefined) return undefined;
  const timeMs = view.table === undefined ? view.prepareUntilMs : view.table.deadlineMs;
  return timeMs === undefined ? undefined : secondsUntil(model, timeMs);
}

/** Returns the seconds for which the person has waited for a match. */
export function secondsWaited({ look, lookedMs, nowMs }: DuelModel): number {
  const waitedMs = look?.phase === "waiting" ? look.waitedMs : 0;
  return Math.max(0, Math.floor((waitedMs + nowMs - lookedMs) / 1_000));
}

/** The side that the page shows below: the player's own, or that of the watched user. */
export function nearSeat({ seat, players }: MatchView, of: string | undefined): Seat {
  return seat ?? (players[1].user === of ? 1 : 0);
}

export function otherSeat(seat: Seat): Seat {
  return seat === 0 ? 1 : 0;
}

/** Returns what a player would do by choosing this card now; undefined if it can't be played. */
export function actionWith(view: MatchView, card: CardId): PlayerAction | undefined {
  const stage = stageOf(view);
  return stage !== "wait" && isPlayable(view, card) ? { type: stage, card } : undefined;
}

/** Whether the player may pass now. */
export function canPass(view: MatchView): boolean {
  return view.rules === "duel" && stageOf(view) !== "wait";
}

/** Returns the card of the hand that a key from 1 to 9 stands for. */
export function cardOfKey({ seat, table }: MatchView, key: string): CardId | undefined {
  if (seat === undefined || !/^[1-9]$/.test(key)) return undefined;
  return table?.sides[seat].hand?.[Number(key) - 1];
}

/** What lies in front of a player: a card of this round, or the one of the round before. */
export interface Laid {
  readonly card: CardId | "hidden" | undefined;
  readonly isPast: boolean;
}

/** Returns what lies in front of a player. Cards are shown until the next card is played. */
export function laidBy(view: MatchView, events: readonly ShownEvent[], seat: Seat): Laid {
  const card = view.table?.sides[seat].table;
  const isEmpty = view.table?.sides.every(({ table }) => table === undefined) === true;
  if (!isEmpty) return { card, isPast: false };
  const ends = events.flatMap(({ type }, at) => (type === "ROUND_END" ? [at] : []));
  const round = events.slice((ends.at(-2) ?? -1) + 1, (ends.at(-1) ?? -1) + 1);
  const [told] = round.flatMap(({ data }) => {
    const cards: unknown = data.cards;
    return Array.isArray(cards) && typeof cards[seat] === "string" ? [cards[seat] as CardId] : [];
  });
  const played = round.find(({ type, data }) => {
    return (type === "CARD_PLAYED" || type === "CARD_COUNTERED") && data.seat === seat;
  });
  return { card: told ?? (played?.data.card as CardId | undefined), isPast: true };
}

/** How a match ended for its viewer. */
export type Outcome = "won" | "beaten" | "draw" | "void" | "hasWon";

/** Returns how a match ended; undefined while it goes on. */
export function outcomeOf({ over, seat }: MatchView): Outcome | undefined {
  if (over === undefined) return undefined;
  if (over.isVoid) return "void";
  if (over.winner === undefined) return "draw";
  if (seat === undefined) return "hasWon";
  return over.winner === seat ? "won" : "beaten";
}
