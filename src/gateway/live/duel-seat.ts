import { now, pause } from "../../platform/clock.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { parseGameRequest } from "../../protocol/game-codec.ts";
import { gameDurations } from "../../protocol/game-limits.ts";
import type { GameRequest, Look, LookedAt } from "../../protocol/game-requests.ts";
import type { ClientFrame, GatewayFrame } from "../core/frames.ts";
import type { Game } from "../games.ts";

/** Milliseconds before the game servers are asked again, after none of them has answered. */
const againMs = 1_000;
/** The least milliseconds between two looks that show the same. */
const restMs = 250;

interface SeatEvents {
  send(frame: GatewayFrame, ref: ClientFrame["ref"]): void;
  fail(error: unknown, ref: ClientFrame["ref"]): void;
}

type FrameOf<Type extends ClientFrame["type"]> = ClientFrame & { readonly type: Type };
type Asked<Type extends GameRequest["type"]> = GameRequest & { readonly type: Type };

/** Whose match is followed, from where on, and the `ref` of the frame that asked for it. */
type Follow = Pick<Asked<"look">, "of" | "after"> & Pick<ClientFrame, "ref">;

/** What one socket does in matches of cards. At most one match is followed at a time. */
export class DuelSeat {
  readonly #game: Game;
  readonly #events: SeatEvents;
  #following: AbortController | undefined;

  constructor(game: Game, events: SeatEvents) {
    this.#game = game;
    this.#events = events;
  }

  /**
   * Tells from now on each change of the player's match, or of the match of the user `of`. If no game
   * server answers, one error says so, and the next news comes when one answers again.
   * @throws ProtocolError that names the wrong field
   */
  follow({ fields, ref }: FrameOf<"duel">): void {
    const { of, after } = parseGameRequest("look", fields) as Asked<"look">;
    this.end();
    const following = new AbortController();
    this.#following = following;
    this.#loop({ of, after, ref }, following.signal).catch((error) =>
      this.#events.fail(error, ref),
    );
  }

  async act({ fields, ref }: FrameOf<"act">): Promise<void> {
    const { match, action, id } = parseGameRequest("act", fields) as Asked<"act">;
    const { eventSeq } = await this.#game.act(match, action, id);
    this.#events.send({ type: "acted", eventSeq }, ref);
  }

  end(): void {
    this.#following?.abort();
    this.#following = undefined;
  }

  async #loop({ of, ref, ...begun }: Follow, signal: AbortSignal): Promise<void> {
    let after = begun.after;
    let shown: string | undefined;
    let isLost = false;
    while (!signal.aborted) {
      try {
        const look = await this.#look(after, { of, waits: shown !== undefined });
        if (signal.aborted) return;
        isLost = false;
        after = lookedAt(look);
        const state = stateOf(look);
        if (state === shown) await pause(restMs, signal);
        else this.#events.send({ type: "duel", look, timeMs: Math.round(now().wallMs) }, ref);
        shown = state;
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ProtocolError && error.retry)) throw error;
        if (!isLost) this.#events.fail(error, ref);
        isLost = true;
        shown = undefined;
        await pause(againMs, signal);
      }
    }
  }

  #look(
    after: LookedAt | undefined,
    { of, waits }: Pick<Follow, "of"> & { readonly waits: boolean },
  ): Promise<Look> {
    return this.#game.look(after, waits ? gameDurations.lookMs : 0, of);
  }
}

function lookedAt(look: Look): LookedAt {
  if (look.phase !== "match") return { eventSeq: 0 };
  return { match: look.view.match, eventSeq: look.view.eventSeq };
}

/** Returns equal texts for looks that tell the same. */
function stateOf(look: Look): string {
  switch (look.phase) {
    case "idle":
      return look.phase;
    case "waiting":
      return `waiting ${look.rules}`;
    case "match":
      return `${look.view.match} ${look.view.eventSeq}`;
    default:
      return look satisfies never;
  }
}
