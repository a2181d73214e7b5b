import { createHash } from "node:crypto";
import type { Connection } from "../../../src/client/connection.ts";
import type { Answered, Effect, Input } from "../../../src/game/core/effects.ts";
import { GameCore } from "../../../src/game/core/game-core.ts";
import type { Said } from "../../../src/game/match-chat.ts";
import { openMqttDoor } from "../../../src/game/mqtt/mqtt-door.ts";
import { Players } from "../../../src/game/players.ts";
import { pause } from "../../../src/platform/clock.ts";
import { openLog } from "../../../src/platform/log.ts";
import { randomHex } from "../../../src/platform/random.ts";
import { cardKinds } from "../../../src/protocol/cards.ts";
import { ProtocolError } from "../../../src/protocol/errors.ts";
import type { GameRequest } from "../../../src/protocol/game-requests.ts";
import type { UserName } from "../../../src/protocol/ids.ts";
import type { GameName, MatchId } from "../../../src/protocol/matches.ts";
import { Arbiter } from "../../simulation/matches/arbiter.ts";
import { signer } from "../../simulation/matches/signer.ts";
import { RawClient } from "./raw-client.ts";

const self = "game_00000001" as GameName;
const now = () => ({ wallMs: Date.now(), steadyMs: performance.now() });

/**
 * A game server with the real core, the real port for players, and the real MQTT door. Its disk and the
 * cluster's decisions are instant, and the cluster is a stand-in that knows passwords and packs.
 */
export class GameScene implements AsyncDisposable {
  endpoint = "";
  readonly passwords = new Map<string, string>();
  readonly asked: { readonly user: string; readonly request: GameRequest }[] = [];
  readonly said: Said[] = [];
  /** How long the cluster takes to let a client hear the chat of its match, in ms. */
  earMs = 0;
  /** For each user, lets their client hear a message of its match's chat. */
  readonly ears = new Map<string, (user: UserName, text: string) => void>();
  /** The packs bought, by the id of the purchase. */
  readonly bought = new Map<string, readonly string[]>();
  /** Holds back what the disk has stored, so that nothing is committed. */
  isDiskSlow = false;
  /** Refuses the next actions of players, once they took effect or before. */
  fails: { readonly when: "before" | "after"; readonly code: "unavailable" } | undefined;
  readonly #core: GameCore;
  readonly #arbiter = new Arbiter();
  readonly #timer: NodeJS.Timeout;
  readonly #clients: RawClient[] = [];
  readonly #inputs: Input[] = [];
  #stored: number[] = [];
  #door: AsyncDisposable | undefined;

  static async open(options: { readonly mostConnections?: number } = {}): Promise<GameScene> {
    const scene = new GameScene();
    await scene.#open(options);
    return scene;
  }

  constructor() {
    const chance = {
      matchId: () => randomHex(8) as MatchId,
      seed: () => randomHex(16),
      hashOf: (text: string) => createHash("sha256").update(text).digest("hex"),
    };
    const logs = new Map();
    this.#core = new GameCore({ self, start: "1", signer, chance, logs }, now());
    this.#timer = setInterval(() => this.#take({ type: "tick" }), 10);
  }

  async #open({ mostConnections }: { readonly mostConnections?: number }): Promise<void> {
    const players = new Players(this.#cluster(), (user, request) => this.#ask(user, request));
    const door = await openMqttDoor({
      endpoint: "tcp://127.0.0.1:*",
      players,
      log: openLog({ level: "silent", role: "game", name: () => self, clock: () => 0 }),
      name: self,
      chat: {
        say: async (said) => void this.said.push(said),
        hear: async ({ user }, onSaid) => {
          await pause(this.earMs);
          this.ears.set(user, onSaid);
          return { [Symbol.dispose]() {} };
        },
      },
      mostConnections,
    });
    this.endpoint = door.endpoint;
    this.#door = door;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    for (const client of this.#clients) client.socket.destroy();
    await this.#door?.[Symbol.asyncDispose]();
  }

  /** Opens a client's connection as a user. */
  async client(user?: string, id = `${user}-1`): Promise<RawClient> {
    const password = user === undefined ? undefined : this.passwords.get(user);
    const login = { id, ...(user && { user }), ...(password && { password }) };
    const { client } = await RawClient.open(this.endpoint, login);
    this.#clients.push(client);
    return client;
  }

  /** Two clients that hear all topics of their common match. */
  async match(regras = "clash") {
    const clients = await Promise.all([this.client("ada"), this.client("bia")]);
    for (const [at, client] of clients.entries()) {
      const user = at === 0 ? "ada" : "bia";
      await client.subscribe(`clientes/${user}/eventos`);
      client.publish(`clientes/${user}/entrar_fila`, { comando: "ENTRAR_FILA", dados: { regras } });
    }
    const sala = String((await clients[0].hears("PARTIDA_ENCONTRADA")).dados.salaID);
    for (const client of clients) {
      await client.hears("PARTIDA_ENCONTRADA");
      await client.subscribe(`partidas/${sala}/eventos`);
    }
    return { ada: clients[0], bia: clients[1], sala, commands: `partidas/${sala}/comandos` };
  }

  /** A match in which both have bought their pack. */
  async startedMatch(regras = "clash") {
    const match = await this.match(regras);
    for (const client of [match.ada, match.bia]) {
      client.publish(match.commands, { comando: "COMPRAR_PACOTE", dados: {} });
    }
    await match.ada.hears("PARTIDA_INICIADA");
    await match.bia.hears("PARTIDA_INICIADA");
    return match;
  }

  acts(type: string): readonly GameRequest[] {
    const all = this.asked.map(({ request }) => request);
    return all.filter((request) => request.type === "act" && request.action.type === type);
  }

  looks(user: string): number {
    return this.asked.filter((one) => one.user === user && one.request.type === "look").length;
  }

  /** Lets the disk store what waits. */
  sync(): void {
    this.isDiskSlow = false;
    for (const upTo of this.#stored.splice(0)) this.#take({ type: "stored", upTo });
  }

  async #ask(user: UserName, request: GameRequest): Promise<Answered> {
    this.asked.push({ user, request });
    const fails = request.type === "act" ? this.fails : undefined;
    if (fails?.when === "before") return { refused: fails.code };
    const answered = await new Promise<Answered>((to) =>
      this.#take({ type: "asked", to, user, request }),
    );
    return fails === undefined ? answered : { refused: fails.code };
  }

  /** Effects are performed in their order, so an input that comes in between waits. */
  #take(input: Input): void {
    this.#inputs.push(input);
    if (this.#inputs.length > 1) return;
    for (let next = this.#inputs[0]; next !== undefined; next = this.#inputs[0]) {
      for (const effect of this.#core.step(next, now())) this.#perform(effect);
      this.#inputs.shift();
    }
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case "store":
        if (this.isDiskSlow) this.#stored.push(effect.number);
        else this.#take({ type: "stored", upTo: effect.number });
        return;
      case "answer":
        return (effect.to as (answered: Answered) => void)(effect.answered);
      case "decide": {
        const { question } = effect;
        const decided = this.#arbiter.decide(self, question, Date.now());
        return this.#take({ type: "decided", question, decided });
      }
      case "locate": {
        const { user, match } = effect;
        return this.#take({ type: "located", user, match, place: this.#arbiter.locate(user) });
      }
      case "list":
        return this.#take({ type: "listed", matches: this.#arbiter.list(self) });
      case "send":
        return;
    }
  }

  /** The part of a connection to the cluster that players use. */
  #cluster(): Connection {
    const session = ({ onToken }: { onToken?: (token: string) => void }) => ({
      login: async (user: string, password?: string) => {
        if (password !== this.passwords.get(user)) {
          throw new ProtocolError("forbidden", "The password is wrong.");
        }
        if (password !== undefined) onToken?.(`token of ${user}`);
      },
      ask: async (service: string, _data: object, options?: { readonly id?: string }) => {
        if (service !== "buy") return { cards: [] };
        const id = String(options?.id);
        const first = 5 * this.bought.size;
        const cards = cardKinds.slice(first, first + 5).map(({ kind }) => `${kind}-1`);
        if (!this.bought.has(id)) this.bought.set(id, cards);
        return { cards: this.bought.get(id) };
      },
    });
    return { session } as unknown as Connection;
  }
}
