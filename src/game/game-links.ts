import { Requester } from "../net/requester.ts";
import type { Seals } from "../net/seal.ts";
import { withKey } from "../platform/endpoint.ts";
import { Problem } from "../platform/problem.ts";
import { encode } from "../protocol/codec.ts";
import { ProtocolError } from "../protocol/errors.ts";
import type { GameName } from "../protocol/matches.ts";
import type { GameMessage } from "./core/effects.ts";

interface Link {
  readonly address: string;
  readonly requester: Requester;
  /** Messages of this turn of the event loop, which are sent together. */
  waiting: GameMessage[];
}

/** Sends messages and questions to the other game servers. A message that can't be sent now is lost. */
export class GameLinks {
  readonly #seals: Seals;
  readonly #key: string;
  readonly #links = new Map<GameName, Link>();
  #isClosed = false;

  /** @param key what a member needs to connect; addresses do not contain it */
  constructor(seals: Seals, key: string) {
    this.#seals = seals;
    this.#key = key;
  }

  /** Keeps a connection to each of these game servers, and to no other. */
  keep(games: ReadonlyMap<GameName, string>): void {
    if (this.#isClosed) return;
    for (const [game, { address, requester }] of this.#links) {
      if (games.get(game) === address) continue;
      requester.close();
      this.#links.delete(game);
    }
    for (const [game, address] of games) if (!this.#links.has(game)) this.#open(game, address);
  }

  send(to: GameName, message: GameMessage): void {
    const link = this.#links.get(to);
    if (link === undefined) return;
    link.waiting.push(message);
    if (link.waiting.length === 1) queueMicrotask(() => this.#flush(link));
  }

  get games(): readonly GameName[] {
    return [...this.#links.keys()];
  }

  /** @throws ProtocolError `unavailable` if that game server does not answer in time */
  async ask(to: GameName, question: Uint8Array, timeoutMs: number): Promise<Buffer> {
    const requester = this.#links.get(to)?.requester;
    if (requester === undefined) throw new ProtocolError("unavailable", `${to} is not known.`);
    return await requester.ask(question, timeoutMs);
  }

  close(): void {
    this.#isClosed = true;
    for (const { requester } of this.#links.values()) requester.close();
    this.#links.clear();
  }

  #open(game: GameName, address: string): void {
    try {
      const sealing = { seals: this.#seals, to: game };
      const requester = new Requester(withKey([address], this.#key), { sealing });
      this.#links.set(game, { address, requester, waiting: [] });
    } catch (error) {
      // An address that is no endpoint: only the silence of that game server will show it.
      if (!(error instanceof Problem)) throw error;
    }
  }

  #flush(link: Link): void {
    const messages = link.waiting;
    link.waiting = [];
    if (messages.length > 0 && !this.#isClosed) link.requester.tell(encode(messages));
  }
}
