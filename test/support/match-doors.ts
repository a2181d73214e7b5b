import { createInterface } from "node:readline";
import { GameClient } from "../../src/client/game-client.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import type { Acted, Look, LookedAt, PlayerAction } from "../../src/protocol/game-requests.ts";
import type { MatchView, Seat } from "../../src/protocol/game-view.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import type { RulesName } from "../../src/protocol/matches.ts";
import type { LocalCluster } from "../../src/trials/local-cluster.ts";
import { CliProcess, clusterVariables } from "../terminal/cli-process.ts";
import { type Frame, LiveClient } from "./live-client.ts";
import { MatchPlayer } from "./match-player.ts";

/** What every player begins with. */
export interface Entry {
  readonly user: string;
  readonly rules?: RulesName;
  readonly choice?: PlayerAction;
}

/** A person who plays by `tertulia duel` without a terminal: lines of JSON out, actions in. */
export class LinePlayer extends MatchPlayer implements Disposable {
  readonly cli: CliProcess;
  /** The looks without a match, and what was said of the connection. */
  readonly told: unknown[] = [];
  readonly #ended: Promise<number | null>;

  constructor(cluster: LocalCluster, { user, rules = "clash", choice }: Entry) {
    super(user, choice);
    this.cli = new CliProcess(["duel", "--user", user, "--rules", rules], {
      ...clusterVariables(cluster.endpoints),
      TERTULIA_GAME: cluster.endpoints.game,
      XDG_STATE_HOME: cluster.folder,
    });
    this.#ended = new Promise((resolve) => this.cli.child.once("close", resolve));
    createInterface(this.cli.child.stdout).on("line", (line) => this.#line(JSON.parse(line)));
  }

  /** Waits until the process ends by itself, and returns its exit code. */
  ended(): Promise<number | null> {
    return this.#ended;
  }

  says(line: string): void {
    this.cli.child.stdin.write(`${line}\n`);
  }

  [Symbol.dispose](): void {
    this.cli[Symbol.dispose]();
  }

  protected override act(action: PlayerAction): void {
    this.says(JSON.stringify(action));
  }

  #line(said: Look | { readonly refused: { readonly code: string } } | { readonly acted: Acted }) {
    if ("phase" in said && said.phase === "match") this.take(said);
    else if ("refused" in said) this.refusals.push(said.refused.code);
    else if (!("acted" in said)) this.told.push(said);
  }
}

/** A person who plays by a WebSocket of a gateway. */
export class SocketPlayer extends MatchPlayer implements Disposable {
  readonly client: LiveClient;
  #ids = 0;

  constructor(gateway: string, token: string, { user, choice }: Entry) {
    super(user, choice);
    this.client = new LiveClient(gateway, { token, onFrame: (frame) => this.#frame(frame) });
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]();
  }

  protected override act(action: PlayerAction, match: MatchView["match"]): void {
    this.#ids += 1;
    this.client.send({ type: "act", id: `act-${this.#ids}`, match, action });
  }

  #frame(frame: Frame): void {
    if (frame.type === "connected") this.client.send({ type: "duel" });
    else if (frame.type === "duel") this.take(frame.look);
    else if (frame.type === "error") this.refusals.push(frame.code);
  }
}

/** Asks a gateway by HTTP. */
export type AskGateway = (operation: string, query: string, body?: object) => Promise<unknown>;

/** A person who plays by HTTP: a look waits for news, and a request for each action. */
export class PollPlayer extends MatchPlayer {
  readonly #ask: AskGateway;

  constructor(ask: AskGateway, { user, choice }: Entry) {
    super(user, choice);
    this.#ask = ask;
  }

  async enter(rules: RulesName): Promise<void> {
    await this.#ask("POST /api/v1/duel/queue", "", { rules });
  }

  /** Looks until the match is over. */
  async run(): Promise<void> {
    let query = "";
    while (!this.seen.isOver) {
      const look = (await this.#ask("GET /api/v1/duel", query)) as Look;
      this.take(look);
      const { match = "", eventSeq } = look.phase === "match" ? look.view : { eventSeq: -1 };
      query = `?${match && `match=${match}&`}eventSeq=${eventSeq}&wait=5`;
    }
  }

  protected override act(action: PlayerAction, match: MatchView["match"]): void {
    this.#ask("POST /api/v1/duel/acts", "", { match, action }).catch((error) => {
      this.refusals.push(String(error));
    });
  }
}

const noMatch = { match: undefined, eventSeq: -1, over: undefined } as const;

/** An action that took effect, and its last event. */
interface Effective {
  readonly seat: Seat | undefined;
  readonly action: PlayerAction;
  readonly eventSeq: number;
}

/** A program that plays by ZeroMQ. */
export class ClientPlayer extends MatchPlayer implements Disposable {
  readonly client: GameClient;
  readonly acted: Effective[] = [];
  #isClosed = false;

  /** @param games the endpoints of the game servers */
  constructor(games: readonly string[], { user, choice }: Entry) {
    super(user, choice);
    this.client = new GameClient({ games, user: parseUserName(user) });
  }

  /** Looks for a match, again and again, and plays it until it is over. */
  async run(rules: RulesName): Promise<void> {
    let after: LookedAt | undefined;
    let old: MatchView["match"] | undefined;
    while (!(this.seen.isOver || this.#isClosed)) {
      const look = await this.client.look(after, 5_000);
      const { match, eventSeq, over } = look.phase === "match" ? look.view : noMatch;
      // The match before this one may still be shown.
      if (after === undefined && over !== undefined) old = match;
      after = { match, eventSeq };
      if (match !== undefined && match !== old) this.take(look);
      // A game server that has not been asked for a match knows nothing of the wish.
      else if (look.phase !== "waiting" && !(await this.#enter(rules))) after = undefined;
    }
  }

  /** @returns false if that must be tried again */
  async #enter(rules: RulesName): Promise<boolean> {
    try {
      await this.client.enter(rules);
      return true;
    } catch (error) {
      // The cluster may not have decided the end of the match before.
      const isPassing = error instanceof ProtocolError && (error.retry || error.code === "seated");
      if (!isPassing) throw error;
      return false;
    }
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.client[Symbol.dispose]();
  }

  protected override act(action: PlayerAction, match: MatchView["match"]): void {
    const seat = this.seen.view?.seat;
    this.client.act(match, action).then(
      ({ eventSeq }) => this.acted.push({ seat, action, eventSeq }),
      (error) => {
        if (!(error instanceof ProtocolError)) throw error;
        this.refusals.push(error.code);
      },
    );
  }
}
