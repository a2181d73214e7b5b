import type { LookedAt } from "../../../src/protocol/game-requests.ts";
import type { UserName } from "../../../src/protocol/ids.ts";
import type { PlayerAsks } from "./virtual-player.ts";
import type { World } from "./world.ts";

/** Milliseconds after which a spectator asks again, whatever has become of the last question. */
const patienceMs = 3_000;

/** Somebody who looks at the matches of others, at any game server. */
export class Spectator {
  readonly #world: World;
  readonly #players: readonly UserName[];
  #after: LookedAt | undefined;

  constructor(players: readonly UserName[], world: World) {
    this.#world = world;
    this.#players = players;
    this.#look();
  }

  #look(): void {
    const { dice, time, games, checks } = this.#world;
    const game = dice.pick(games.filter(({ isUp }) => isUp));
    const of = dice.pick(this.#players);
    const user = "spectator" as UserName;
    let isDone = false;
    const again = (delayMs: number) => {
      if (isDone) return;
      isDone = true;
      time.after(delayMs, () => this.#look());
    };
    time.after(patienceMs, () => again(0));
    const to: PlayerAsks = {
      answer: (answered) => {
        const { answer } = answered as { readonly answer?: object };
        if (answer === undefined || !("view" in answer)) return again(100);
        const look = answer as Parameters<typeof checks.onTold>[1];
        checks.onTold(user, look);
        this.#after = { match: look.view.match, eventSeq: look.view.eventSeq };
        again(dice.between(1, 200));
      },
    };
    const request = { type: "look", of, after: this.#after, waitMs: 500 } as const;
    if (game === undefined) again(100);
    else this.#world.ask(game, { to, user, request });
  }
}
