import { packNames } from "../../../protocol/cards.ts";
import type { PlayerAction } from "../../../protocol/game-requests.ts";
import { rulesNames } from "../../../protocol/matches.ts";
import { graphemes } from "../cells.ts";
import { isControl, type Key } from "../keys.ts";
import { isPlayable, stageOf } from "./duel-cards.ts";
import {
  type DuelModel,
  type DuelStep,
  duelStill,
  isPlaying,
  matchOf,
  type SeenMatch,
  told,
} from "./duel-model.ts";

/** Longest time between two presses of Ctrl-C that leave a match. */
const quitAgainMs = 3_000;

/** @returns the time of the last Ctrl-C, if a second one at `nowMs` would leave the match */
export function quitAsked({ quitAskedMs }: DuelModel, nowMs: number): number | undefined {
  if (quitAskedMs === undefined || nowMs - quitAskedMs > quitAgainMs) return undefined;
  return quitAskedMs;
}

export function pressInDuel(model: DuelModel, key: Key): DuelStep {
  if (isControl(key, "l")) return { model, effects: [{ type: "redraw" }] };
  if (isControl(key, "z")) return { model, effects: [{ type: "suspend" }] };
  if (isControl(key, "c")) return interrupt(model);
  if (key.name === "unknown" || key.name === "paste" || key.ctrl === true) return duelStill(model);
  if (key.name !== "text") return pressOne(model, key.name);
  let step = duelStill(model);
  for (const letter of graphemes(key.text ?? "")) {
    const { model: next, effects } = pressOne(step.model, letter.toLowerCase());
    step = { model: next, effects: [...step.effects, ...effects] };
  }
  return step;
}

function interrupt(model: DuelModel): DuelStep {
  if (!isPlaying(model) || quitAsked(model, model.nowMs) !== undefined) return leave(model);
  const asked = told(model, model.words("duel.quitAgain"));
  return duelStill({ ...asked, quitAskedMs: model.nowMs, asksGiveUp: false });
}

/** @param key the name of a key, or a typed letter */
function pressOne(before: DuelModel, key: string): DuelStep {
  const model: DuelModel = {
    ...before,
    notice: undefined,
    quitAskedMs: undefined,
    asksGiveUp: false,
  };
  const match = matchOf(model);
  if (match === undefined) return pressWaiting(model, key);
  if (match.view.over != null) return pressOver(model, key);
  if (match.view.seat == null) return isLeave(key) ? leave(model) : duelStill(model);
  if (key === "g") {
    return before.asksGiveUp ? act(model, match, { type: "giveUp" }) : askGiveUp(model);
  }
  if (before.asksGiveUp) return duelStill(model);
  if (isLeave(key)) return duelStill(told(model, model.words("duel.noQuit")));
  return match.view.table == null ? choose(model, match, key) : play(model, match, key);
}

function isLeave(key: string): boolean {
  return key === "escape" || key === "q";
}

function pressWaiting(model: DuelModel, key: string): DuelStep {
  if (isLeave(key)) return leave(model);
  if (key !== "r" || model.watched !== undefined || model.isLeaving) return duelStill(model);
  const at = rulesNames.indexOf(model.rules);
  const rules = rulesNames[(at + 1) % rulesNames.length] ?? model.rules;
  return { model: { ...model, rules }, effects: [{ type: "enter", rules }] };
}

/** Leaves the screen. A player that waits for a match first leaves the queue. */
function leave(model: DuelModel): DuelStep {
  const isQueued = model.wants && model.watched === undefined;
  if (!isQueued || model.isLeaving) return { model, effects: [{ type: "quit" }] };
  const leaving = told(model, model.words("duel.leaving"));
  return { model: { ...leaving, isLeaving: true }, effects: [{ type: "leave" }] };
}

function pressOver(model: DuelModel, key: string): DuelStep {
  if (isLeave(key)) return leave(model);
  if (key !== "enter" || model.watched !== undefined) return duelStill(model);
  const waiting = { ...model, wants: true, waitingSinceMs: model.nowMs };
  return { model: waiting, effects: [{ type: "enter", rules: model.rules }] };
}

function askGiveUp(model: DuelModel): DuelStep {
  return duelStill({ ...told(model, model.words("duel.giveUpAgain"), true), asksGiveUp: true });
}

function choose(model: DuelModel, match: SeenMatch, key: string): DuelStep {
  const { shop, words } = model;
  const { ready, seat } = match.view;
  if (seat == null || ready[seat]) return duelStill(model);
  if (key === "enter") return act(model, match, { type: "ready" });
  const pack = /^[1-9]$/.test(key) ? packNames[Number(key) - 1] : undefined;
  if (pack === undefined) return duelStill(model);
  const offer = shop?.packs.find((one) => one.pack === pack);
  if (offer?.left === 0) return duelStill(told(model, words("error.sold_out"), true));
  if (offer !== undefined && shop !== undefined && offer.price > shop.coins) {
    return duelStill(told(model, words("error.too_few_coins"), true));
  }
  return act(model, match, { type: "ready", pack });
}

function play(model: DuelModel, match: SeenMatch, key: string): DuelStep {
  const hand = handOf(match);
  if (key === "up" || key === "left") return moved(model, hand, -1);
  if (key === "down" || key === "right") return moved(model, hand, 1);
  if (key === "home") return moved(model, hand, -hand.length);
  if (key === "end") return moved(model, hand, hand.length);
  if (key === "enter") return put(model, match, model.chosen);
  if (/^[1-9]$/.test(key)) return put(model, match, Number(key) - 1);
  if (match.view.rules === "clash") return duelStill(model);
  if (key === "c") return counter(model, match);
  if (key !== "p") return duelStill(model);
  const problem = notNow(model, match);
  return problem === undefined ? act(model, match, { type: "pass" }) : problem;
}

function handOf({ view }: SeenMatch): readonly string[] {
  return view.seat == null ? [] : (view.table?.sides[view.seat].hand ?? []);
}

function moved(model: DuelModel, hand: readonly string[], by: number): DuelStep {
  const chosen = Math.max(0, Math.min(hand.length - 1, model.chosen + by));
  return duelStill({ ...model, chosen });
}

/** Plays the card at a place of the hand, or counters with it. */
function put(model: DuelModel, match: SeenMatch, at: number): DuelStep {
  const card = handOf(match)[at];
  if (card === undefined) return duelStill(model);
  const problem = notNow(model, match);
  if (problem !== undefined) return problem;
  const chosen = { ...model, chosen: at };
  const isCounter = stageOf(match.view) === "counter";
  if (!isPlayable(match.view, card)) {
    const beats = isPlayable(match.view, card, Number.POSITIVE_INFINITY);
    const key = isCounter && !beats ? "error.card_does_not_beat" : "error.too_few_points";
    return duelStill(told(chosen, model.words(key), true));
  }
  return act(chosen, match, { type: isCounter ? "counter" : "play", card });
}

/** Counters with the chosen card or, if it can't, with the first one that can. */
function counter(model: DuelModel, match: SeenMatch): DuelStep {
  const problem = notNow(model, match);
  if (problem !== undefined) return problem;
  const { words, chosen } = model;
  if (stageOf(match.view) !== "counter") {
    return duelStill(told(model, words("error.move_unknown"), true));
  }
  const able = handOf(match).flatMap((card, at) => (isPlayable(match.view, card) ? [at] : []));
  const at = able.includes(chosen) ? chosen : able[0];
  if (at === undefined) return duelStill(told(model, words("duel.noCounter"), true));
  return put(model, match, at);
}

/** @returns a step that says why the player can't move now; undefined if they can */
function notNow(model: DuelModel, { view }: SeenMatch): DuelStep | undefined {
  if (model.isActing) return duelStill(model);
  if (stageOf(view) !== "wait") return undefined;
  const key = view.rules === "clash" ? "error.already_played" : "error.not_your_turn";
  return duelStill(told(model, model.words(key), true));
}

function act(model: DuelModel, { view }: SeenMatch, action: PlayerAction): DuelStep {
  if (model.isActing) return duelStill(model);
  const { match } = view;
  return { model: { ...model, isActing: true }, effects: [{ type: "act", match, action }] };
}
