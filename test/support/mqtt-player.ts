import { expect } from "vitest";
import { type Message, RawClient } from "../game/mqtt/raw-client.ts";
import type { SeenMatch } from "./match-player.ts";
import { until } from "./until.ts";

/** A person who plays a clash by MQTT, with a client of single packets. */
export class MqttPlayer implements Disposable {
  readonly user: string;
  readonly client: RawClient;
  /** The match that the person sits in. */
  match = "";
  #packets = 0;

  private constructor(user: string, client: RawClient) {
    this.user = user;
    this.client = client;
  }

  /** @param endpoint such as `mqtt://127.0.0.1:1883` */
  static async start(endpoint: string, user: string): Promise<MqttPlayer> {
    const login = { id: `c-${user}`, user };
    const { client, code } = await RawClient.open(endpoint.replace("mqtt:", "tcp:"), login);
    expect(code).toBe(0);
    expect(await client.subscribe(`clientes/${user}/eventos`)).toBe(1);
    return new MqttPlayer(user, client);
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]();
  }

  enter(): Promise<void> {
    return this.#publish(`clientes/${this.user}/entrar_fila`, "ENTRAR_FILA", { regras: "clash" });
  }

  /** Waits for an opponent, whose name it returns, and hears the match from then on. */
  async meets(): Promise<unknown> {
    const { dados } = await this.client.hears("PARTIDA_ENCONTRADA");
    this.match = String(dados.salaID);
    expect(await this.client.subscribe(`partidas/${this.match}/eventos`)).toBe(1);
    return dados.oponenteNome;
  }

  /** Does something in the match, and waits until it has taken effect or was refused. */
  command(comando: string, dados: object = {}): Promise<void> {
    return this.#publish(`partidas/${this.match}/comandos`, comando, dados);
  }

  /** Plays the first card of each of these rounds, or until the match is over. */
  async plays(from = 1, to = Number.POSITIVE_INFINITY): Promise<void> {
    for (let round = from; round <= to; round += 1) {
      await until(() => this.#hand(round) !== undefined || this.#isOver, `round ${round}`);
      if (this.#isOver) return;
      const [card] = this.#hand(round) ?? [];
      await this.command("JOGAR_CARTA", { carta_id: card?.id, rodada: round });
    }
  }

  get #isOver(): boolean {
    return this.client.of("FIM_DE_JOGO").length > 0;
  }

  /** The hand in a round in which the person has not played yet. */
  #hand(round: number): readonly { readonly id: string }[] | undefined {
    const { messages } = this.client;
    const state = messages.findLast(({ dados }) => dados.mao !== undefined)?.dados;
    if (state?.numeroRodada !== round || state.turnoDe !== this.user) return undefined;
    return state.mao as { id: string }[];
  }

  async #publish(topic: string, comando: string, dados: object): Promise<void> {
    this.#packets += 1;
    const packet = this.#packets;
    this.client.publish(topic, { comando, dados }, { packet });
    await this.client.acked(packet);
  }
}

/** What a client heard by MQTT is what somebody else was told of the same match. */
export function expectHeard(client: RawClient, { events, view }: SeenMatch): void {
  const updates = client.of("ATUALIZACAO_JOGO");
  const between = events.slice(1, -1);
  expect(updates.map(({ dados }) => dados.eventSeq)).toEqual(between.map((one) => one.eventSeq));
  const nameOf = (seat: unknown) => view?.players[seat === 0 ? 0 : 1].user;
  for (const [at, { type, data }] of between.entries()) {
    const heard = cardsOf(updates[at]);
    if (type === "ROUND_END") {
      const cards = data.cards as string[];
      expect(heard).toEqual({ [`${nameOf(0)}`]: cards[0], [`${nameOf(1)}`]: cards[1] });
      const winner = data.winner === undefined ? "EMPATE" : nameOf(data.winner);
      expect(updates[at]?.dados.vencedorRodada).toBe(winner);
    } else if (type === "CARD_PLAYED") {
      // Each of the two sees a card that lies face-down only if it is their own.
      const [card] = Object.values(heard);
      if (card !== undefined && data.card !== "hidden") expect(card).toBe(data.card);
    }
  }
  const ends = client.of("FIM_DE_JOGO");
  const end = events.at(-1);
  const { winner, seed } = end?.data ?? {};
  const vencedorNome = winner == null ? "EMPATE" : nameOf(winner);
  expect(ends).toHaveLength(1);
  expect(ends[0]?.dados).toMatchObject({ eventSeq: end?.eventSeq, vencedorNome, seed });
}

function cardsOf(message: Message | undefined): Record<string, string> {
  const played = (message?.dados.ultimaJogada ?? {}) as Record<string, { readonly id: string }>;
  return Object.fromEntries(Object.entries(played).map(([user, { id }]) => [user, id]));
}
