import { createHash } from "node:crypto";
import type { Connection } from "../client/connection.ts";
import { type CardId, kindOf, lentCards } from "../protocol/cards.ts";
import { ProtocolError } from "../protocol/errors.ts";
import type { PlayerMessage } from "../protocol/game-codec.ts";
import { gameLimits } from "../protocol/game-limits.ts";
import type { GameAnswer, GameRequest, Look } from "../protocol/game-requests.ts";
import type { RequestId, UserName } from "../protocol/ids.ts";
import type { MatchId } from "../protocol/matches.ts";
import { Recent } from "../protocol/recent.ts";
import type { Replies } from "../protocol/replies.ts";
import type { Answered } from "./core/effects.ts";
import { refusalOf } from "./refusals.ts";

/** Asks the core of this game server. */
export type AskCore = (user: UserName, request: GameRequest) => Promise<Answered>;

/** Milliseconds after which the cluster is asked again whether a token is valid. */
const believedMs = 60_000;
/** The most tokens that are remembered. */
const mostTokens = 20_000;

/**
 * The players of this game server, by whichever door they come. The cluster says whether a token is
 * valid, and sells packs in the player's name.
 */
export class Players {
  readonly #connection: Connection;
  readonly #ask: AskCore;
  /** For each user and token, the time until which the cluster need not be asked again. */
  readonly #valid = new Recent<string, number | undefined>(mostTokens);
  #open = 0;
  readonly #openOf = new Map<UserName, number>();

  constructor(connection: Connection, ask: AskCore) {
    this.#connection = connection;
    this.#ask = ask;
  }

  /** Requests that wait for an answer. */
  get open(): number {
    return this.#open;
  }

  /** @returns the token of a new session; undefined in a cluster without accounts */
  async logIn(user: UserName, password: string | undefined): Promise<string | undefined> {
    let token: string | undefined;
    const session = this.#connection.session({
      onToken: (given) => {
        token = given;
      },
    });
    await session.login(user, password);
    return token;
  }

  /** @throws ProtocolError that the cluster or the core gives as the reason of a refusal */
  async ask({ user, token, request }: PlayerMessage): Promise<GameAnswer> {
    const own = this.#openOf.get(user) ?? 0;
    if (this.#open >= gameLimits.openRequests || own >= gameLimits.openRequestsOfUser) {
      throw new ProtocolError("unavailable", "Too many requests wait for an answer.");
    }
    this.#open += 1;
    this.#openOf.set(user, own + 1);
    try {
      await this.#check(user, token);
      const answered = await this.#ask(user, await this.#complete(user, token, request));
      if ("refused" in answered) throw refusalOf(answered.refused);
      return answered.answer;
    } finally {
      this.#open -= 1;
      const left = (this.#openOf.get(user) ?? 1) - 1;
      if (left > 0) this.#openOf.set(user, left);
      else this.#openOf.delete(user);
    }
  }

  /**
   * Asks the cluster for something that only the session's user may have. A token that was valid
   * before is believed while the cluster is asked again, so that a match goes on without a quorum.
   */
  async #check(user: UserName, token: string | undefined): Promise<void> {
    const key = `${user} ${token ?? ""}`;
    const untilMs = this.#valid.get(key);
    if ((untilMs ?? 0) > performance.now()) return;
    const session = this.#connection.session({ user, token });
    if (untilMs === undefined) await session.ask("hooks", { user });
    this.#valid.set(key, performance.now() + believedMs);
    if (untilMs === undefined) return;
    session.ask("hooks", { user }).catch((error) => {
      if (error instanceof ProtocolError && !error.retry) this.#valid.set(key, undefined);
    });
  }

  /** Fills in the cards with which a player is ready: those of a new pack, or some that they own. */
  async #complete(
    user: UserName,
    token: string | undefined,
    request: GameRequest,
  ): Promise<GameRequest> {
    if (request.type !== "act" || request.action.type !== "ready") return request;
    const { pack, cards } = request.action;
    if (await this.#isReady(user, request.match)) {
      // A repeated choice has its first outcome, and another one is refused; neither costs anything.
      return { ...request, action: { type: "ready", cards: [] } };
    }
    const session = this.#connection.session({ user, token });
    if (pack !== undefined) {
      // The id is that of the action, so a repeated action buys nothing again.
      const of = `${request.match} ${request.id}`;
      const id = createHash("sha256").update(of).digest("hex").slice(0, 32) as RequestId;
      const bought = await session.ask("buy", { user, pack }, { id });
      return { ...request, action: { type: "ready", pack, cards: bought.cards } };
    }
    const owned = await session.ask("cards", { user }, { consistency: "now" });
    const isOwned = cards?.every((card) => owned.cards.includes(card)) ?? true;
    if (!isOwned) throw refusalOf("deck_wrong");
    return { ...request, action: { type: "ready", cards: cards ?? chosenOf(owned) } };
  }

  /**
   * Whether the player has chosen their cards, so that no pack is bought in vain.
   * @throws ProtocolError if the player can't choose cards for this match
   */
  async #isReady(user: UserName, match: MatchId): Promise<boolean> {
    const answered = await this.#ask(user, { type: "look", waitMs: 0 });
    if ("refused" in answered) throw refusalOf(answered.refused);
    const look = answered.answer as Look;
    if (look.phase !== "match") throw refusalOf("not_in_match");
    const { view } = look;
    if (view.match !== match || view.seat === undefined) throw refusalOf("match_not_found");
    if (view.over !== undefined) throw refusalOf("match_over");
    return view.ready[view.seat];
  }
}

/** The cards of a player that does not say with which ones they play. */
function chosenOf({ cards, deck = [] }: Replies["cards"]): readonly CardId[] {
  const { deckCardsLeast: least } = gameLimits;
  if (deck.length >= least) return deck;
  return cards.length >= least ? strongest(cards) : lentCards;
}

function strongest(cards: readonly CardId[]): readonly CardId[] {
  const power = (card: CardId) => kindOf(card)?.power ?? 0;
  return [...cards].sort((a, b) => power(b) - power(a)).slice(0, gameLimits.deckCards);
}
