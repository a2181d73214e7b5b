import { GameClient } from "../../src/client/game-client.ts";
import type { ProtocolError } from "../../src/protocol/errors.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import type { ServerSteps, StepKind, Trace } from "../../src/protocol/steps.ts";
import { ClientPlayer } from "../support/match-doors.ts";
import { until } from "../support/until.ts";
import { faultMs, type MatchScene } from "./match-scene.ts";

/** A player, and their game server. */
interface Seated {
  readonly player: ClientPlayer;
  readonly name: string | undefined;
  readonly endpoint: string;
}

/** A clash in its first round: its host has one of the players, its shadow the other. */
export class FirstRound implements Disposable {
  readonly host: Seated;
  readonly shadow: Seated;

  private constructor(host: Seated, shadow: Seated) {
    this.host = host;
    this.shadow = shadow;
  }

  static async begin(scene: MatchScene): Promise<FirstRound> {
    const seats = scene.pair().map((user, game): Seated => {
      const [name, endpoint = ""] = [scene.names[game], scene.games[game]];
      return { name, endpoint, player: new ClientPlayer([endpoint], { user }) };
    }) as [Seated, Seated];
    for (const { player } of seats) {
      player.upTo(0);
      // It ends with the test, in the middle of the match.
      void player.run("clash").catch(() => {});
    }
    await until(() => seats.every(({ player }) => player.seen.round === 1), "round 1", faultMs);
    const [first, second] = seats;
    const { open } = await scene.matchesOf(first.player.user);
    return open?.host === first.name
      ? new FirstRound(first, second)
      : new FirstRound(second, first);
  }

  get match() {
    const { view } = this.host.player.seen;
    if (view === undefined) throw new Error("no match is seen");
    return view.match;
  }

  /**
   * Plays the first card of a player's hand, with one attempt.
   * @returns the code of a refusal, if the play is refused
   */
  async play({ player, endpoint }: Seated, id: string): Promise<string | undefined> {
    const { seat, table } = player.seen.view ?? {};
    const card = table?.sides[seat ?? 0].hand?.[0] ?? "";
    const user = parseUserName(player.user);
    using client = new GameClient({ games: [endpoint], user, deadlineMs: 1 });
    try {
      await client.act(this.match, { type: "play", card }, id);
      return undefined;
    } catch (error) {
      return (error as ProtocolError).code;
    }
  }

  [Symbol.dispose](): void {
    for (const { player } of [this.host, this.shadow]) player[Symbol.dispose]();
  }
}

/** Asks one game server for a trace. */
export async function traced(game: string, of: string): Promise<Trace> {
  using client = new GameClient({ games: [game], user: parseUserName("eva") });
  return await client.trace(of);
}

export function stepsAt({ servers }: Trace, name: string | undefined): ServerSteps["steps"] {
  return servers.find((server) => server.name === name)?.steps ?? [];
}

export function kindsAt(trace: Trace, name: string | undefined): StepKind[] {
  return stepsAt(trace, name).map(({ kind }) => kind);
}
