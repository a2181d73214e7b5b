import type { Answered, GameMessage } from "../../../src/game/core/effects.ts";
import type { Holding } from "../../../src/game/core/holdings.ts";
import type { GameRequest, PlayerAction } from "../../../src/protocol/game-requests.ts";
import type { UserName } from "../../../src/protocol/ids.ts";
import type { GameName, MatchId, RulesName } from "../../../src/protocol/matches.ts";
import type { VirtualGame } from "../../simulation/matches/virtual-game.ts";
import { World } from "../../simulation/matches/world.ts";

export const [ada, bob, eve] = ["ada", "bob", "eve"] as UserName[] as [
  UserName,
  UserName,
  UserName,
];

/** For each player, the cards to play with; no card is in both decks. */
export const decks: Readonly<Record<string, readonly string[]>> = {
  [ada]: [1, 2, 3, 4, 5].map((number) => `dragon-common-${number}`),
  [bob]: [1, 2, 3, 4, 5].map((number) => `wolf-common-${number}`),
};

/** What became of a request; `answered` is set once there is an answer. */
export interface Told {
  answered: Answered | undefined;
}

interface Sent {
  readonly from: GameName;
  readonly to: GameName;
  readonly message: GameMessage;
}

/** Two game servers in virtual time: Ada uses the first, Bob the second. There may be more. */
export class TwoServers {
  readonly world: World;
  /** All messages between the servers but `hello`, in the order in which they were sent. */
  readonly sent: Sent[] = [];
  /** Which messages are lost. */
  loses: (message: GameMessage, from: GameName, to: GameName) => boolean = () => false;
  #ids = 0;

  constructor(games = 2) {
    this.world = new World(1, games, () => {});
    this.world.loses = (message, from, to) => {
      if (message.type !== "hello") this.sent.push({ from, to, message });
      return this.loses(message, from, to);
    };
  }

  get first(): VirtualGame {
    return this.world.games[0] as VirtualGame;
  }

  get second(): VirtualGame {
    return this.world.games[1] as VirtualGame;
  }

  runFor(durationMs: number): void {
    this.world.time.runFor(durationMs);
  }

  ask(user: UserName, request: GameRequest, game = this.#gameOf(user)): Told {
    const told: Told = { answered: undefined };
    const to = {
      answer: (answered: Answered) => {
        told.answered = answered;
      },
    };
    this.world.ask(game, { to, user, request });
    return told;
  }

  /** Asks, and waits for the answer. */
  get(user: UserName, request: GameRequest, game = this.#gameOf(user)): Answered {
    const told = this.ask(user, request, game);
    this.world.time.runUntil(() => told.answered !== undefined, "the answer to a request");
    return told.answered as Answered;
  }

  act(user: UserName, action: PlayerAction, id = this.newId()): Told {
    return this.ask(user, { type: "act", id, match: this.match, action });
  }

  /** Acts, and waits for the answer. */
  done(user: UserName, action: PlayerAction, match = this.match): Answered {
    return this.get(user, { type: "act", id: this.newId(), match, action });
  }

  newId(): string {
    this.#ids += 1;
    return `a${this.#ids}`;
  }

  /** Begins a match: Bob's server hears first that there are two, and hosts it. */
  begin(rules: RulesName = "clash"): void {
    this.get(ada, { type: "enter", rules });
    this.runFor(300);
    this.get(bob, { type: "enter", rules });
    const { time } = this.world;
    time.runUntil(() => this.#agreed === 1, "the first event is at both servers");
  }

  /** Begins a match, and both players choose their cards. */
  start(rules: RulesName = "clash"): void {
    this.begin(rules);
    for (const user of [ada, bob]) {
      this.done(user, { type: "ready", cards: decks[user] as readonly string[] });
    }
  }

  get match(): MatchId {
    return this.host.copy.match;
  }

  get host(): Holding {
    return this.#holdings.find(({ hosting }) => hosting !== undefined) as Holding;
  }

  get shadow(): Holding {
    return this.#holdings.find(({ hosting }) => hosting === undefined) as Holding;
  }

  get hostGame(): VirtualGame {
    return this.world.game(this.host.copy.term.host);
  }

  get shadowGame(): VirtualGame {
    return this.world.game(this.host.copy.term.shadow as GameName);
  }

  /** The signatures of the logs of both servers, which tell apart all logs that differ. */
  get logs(): readonly (readonly string[])[] {
    return this.#holdings.map(({ copy }) => copy.events.map(({ signature }) => signature));
  }

  /** Delivers a message to a server, and returns the types and fields of what it sends at once. */
  deliver(game: VirtualGame, from: GameName, message: GameMessage): readonly GameMessage[] {
    const before = this.sent.length;
    game.take({ type: "message", from, message: structuredClone(message) });
    return this.sent.slice(before).map((one) => one.message);
  }

  get #holdings(): Holding[] {
    return this.world.games.flatMap(({ core }) => [...(core?.holdings ?? [])]);
  }

  get #agreed(): number | undefined {
    return this.#holdings.find(({ hosting }) => hosting !== undefined)?.hosting?.agreed?.length;
  }

  #gameOf(user: UserName): VirtualGame {
    return user === bob ? this.second : this.first;
  }
}
