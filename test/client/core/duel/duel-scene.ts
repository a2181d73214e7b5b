import {
  beginningDuel,
  type DuelEffect,
  type DuelEvent,
  type DuelModel,
} from "../../../../src/client/core/duel/duel-model.ts";
import { updateDuel } from "../../../../src/client/core/duel/duel-update.ts";
import { duelView } from "../../../../src/client/core/duel/duel-view.ts";
import { decodeKeys } from "../../../../src/client/core/keys.ts";
import type { Action, Draft, MatchEvent } from "../../../../src/game/core/match-event.ts";
import {
  begun,
  fold,
  judge,
  type MatchState,
  shownEvent,
  viewOf,
} from "../../../../src/game/core/match-state.ts";
import { packs } from "../../../../src/protocol/cards.ts";
import type { Look } from "../../../../src/protocol/game-requests.ts";
import type { Seat } from "../../../../src/protocol/game-view.ts";
import type { UserName } from "../../../../src/protocol/ids.ts";
import type { MatchId, RulesName } from "../../../../src/protocol/matches.ts";
import { textsIn } from "../../../../src/texts/texts.ts";

export const firstMs = Date.parse("2026-01-31T08:00:00Z");
export const match = "0a1b2c3d4e5f6a7b" as MatchId;
const [ana, bia] = ["ana", "bia"] as UserName[] as [UserName, UserName];
const games = ["game_0a1b2c3d", "game_4e5f6a7b"] as const;

/** The cards of ana and of bia. */
export const decks = [
  ["dragon-common-1", "warrior-common-1", "phoenix-rare-1", "tiger-uncommon-1", "angel-common-1"],
  ["dragon-common-2", "warrior-common-2", "mage-rare-2", "demon-uncommon-2", "phoenix-legendary-2"],
] as const;

/** A match by the real rules, as its two players and spectators see it. */
export class PlayedMatch {
  state: MatchState;
  readonly #events: MatchEvent[] = [];
  timeMs = firstMs;

  constructor(rules: RulesName, id: MatchId = match) {
    const players = [
      { user: ana, game: games[0] as never },
      { user: bia, game: games[1] as never },
    ] as const;
    const data = { rules, players, seed: "0".repeat(31).concat("7"), seedHash: "f".repeat(64) };
    const first = this.#event({ type: "MATCH_FOUND", data }, 0, id);
    this.#events.push(first);
    this.state = begun(first);
  }

  start(): this {
    return this.act({ type: "ready", seat: 0, cards: decks[0] }).act({
      type: "ready",
      seat: 1,
      cards: decks[1],
    });
  }

  /** Performs an action `afterMs` after the one before. */
  act(action: Action, afterMs = 1_000): this {
    this.timeMs += afterMs;
    const drafts = judge(this.state, action, this.timeMs);
    if (typeof drafts === "string") throw new Error(drafts);
    for (const draft of drafts) this.add(draft);
    return this;
  }

  /** Adds an event, such as FAILOVER, that no action makes. */
  add(draft: Draft): this {
    const event = this.#event(draft, this.state.length, this.state.match);
    this.#events.push(event);
    this.state = fold(this.state, event);
    return this;
  }

  hand(seat: Seat): readonly string[] {
    return viewOf(this.state, seat).table?.sides[seat].hand ?? [];
  }

  look(seat: Seat | undefined): Look {
    const events = this.#events.map((event) => shownEvent(this.state, event, seat));
    return { phase: "match", view: viewOf(this.state, seat), events };
  }

  #event(draft: Draft, eventSeq: number, matchId: MatchId): MatchEvent {
    const { timeMs: timestamp } = this;
    return { ...draft, eventSeq, matchId, term: 1, timestamp, clock: {}, signature: "" };
  }
}

/** The screen of a match of ana, without a terminal or game servers. */
export class DuelScene {
  model: DuelModel;
  readonly effects: DuelEffect[] = [];

  constructor({
    columns = 80,
    rows = 24,
    language = "en",
    watched,
  }: {
    readonly columns?: number;
    readonly rows?: number;
    readonly language?: "en" | "pt-br";
    readonly watched?: string | undefined;
  } = {}) {
    this.model = beginningDuel({
      me: ana,
      words: textsIn(language),
      size: { columns, rows },
      nowMs: firstMs,
      rules: "duel",
      watched: watched as UserName | undefined,
      games: "tcp://127.0.0.1:5561",
    });
  }

  on(event: DuelEvent): this {
    const { model, effects } = updateDuel(this.model, event);
    this.model = model;
    this.effects.push(...effects);
    return this;
  }

  looks(look: Look, nowMs = this.model.nowMs, isFresh = false): this {
    return this.on({ type: "looked", look, nowMs, isFresh });
  }

  /** Looks at a match as ana, or as a spectator. */
  sees(played: PlayedMatch, as: "ana" | "spectator" = "ana"): this {
    return this.looks(played.look(as === "ana" ? 0 : undefined), played.timeMs);
  }

  /** Types `input`, the characters that a terminal sends. */
  types(input: string): this {
    for (const key of decodeKeys(input, true).keys) this.on({ type: "key", key });
    return this;
  }

  /** The effects since the last call, except those that fetch numbers. */
  get done(): DuelEffect[] {
    const all = this.effects.splice(0);
    return all.filter(({ type }) => type !== "shop" && type !== "record");
  }

  withShop(coins: number): this {
    const forSale = Object.entries(packs).map(([pack, { price, cards }]) => {
      return { pack, price, cards, left: pack === "legendary" ? 0 : undefined };
    });
    return this.on({ type: "shop", shop: { coins, packs: forSale } });
  }

  /** The screen's text, without spaces at the ends of lines. */
  get screen(): string {
    const { lines } = duelView(this.model);
    return `\n${lines
      .map((line) =>
        line
          .map(({ text }) => text)
          .join("")
          .trimEnd(),
      )
      .join("\n")}\n`;
  }
}
