import type { ReplyData } from "../../src/protocol/client-messages.ts";
import type { MatchId, OpenMatch } from "../../src/protocol/matches.ts";
import type { Auth } from "../../src/server/core/accounts/access.ts";
import { type Fields, Scene } from "./account-scene.ts";

/** The names of game servers. */
export const [one, two, three] = ["game_00000001", "game_00000002", "game_00000003"] as const;

export function idOf(number: number): MatchId {
  return number.toString(16).padStart(16, "0") as MatchId;
}

/** All players come by the first game server. */
export function playersOf(...users: string[]) {
  return users.map((user) => ({ user, game: one }));
}

/** A cluster, and what game servers ask it about matches. The first game server is the host. */
export class Arena {
  readonly scene: Scene;
  readonly #tokens: Record<string, string> = {};

  constructor(auth: Auth = "open") {
    this.scene = new Scene(undefined, auth);
  }

  /** @param data the fields; `at` is the number of the server, by default 1 */
  ask(service: string, { at = 1, game = one, ...data }: Fields = {}): ReplyData {
    this.#tokens[one] ??= this.scene.operator;
    const server = this.scene.cluster.server(Number(at));
    return this.scene.ask(service, { game, token: this.#tokens[one], ...data }, server);
  }

  begin(number: number, users: [string, string], more: Fields = {}): ReplyData {
    const players = playersOf(...users);
    const asked = { match: idOf(number), rules: "duel", players, host: one, shadow: two };
    return this.ask("matchBegin", { ...asked, ...more });
  }

  term(number: number, [term, host]: readonly [number, string], more: Fields = {}): ReplyData {
    return this.ask("matchTerm", { match: idOf(number), term, host, ...more });
  }

  end(number: number, more: Fields = {}): ReplyData {
    return this.ask("matchEnd", { match: idOf(number), term: 1, ...more });
  }

  of(user: string): ReplyData {
    return this.ask("match", { user });
  }
}

export function openMatch(number: number): OpenMatch {
  const [first, second] = playersOf(`a${number}`, `b${number}`) as never[];
  const players = [first, second] as unknown as OpenMatch["players"];
  const host = one as OpenMatch["host"];
  return { match: idOf(number), rules: "duel", players, term: 1, host, shadow: undefined };
}
