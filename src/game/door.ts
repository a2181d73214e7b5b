import type { Envelope } from "../net/envelope.ts";
import type { Responder } from "../net/responder.ts";
import type { Seals } from "../net/seal.ts";
import type { RequestLog } from "../platform/log.ts";
import { ProtocolError } from "../protocol/errors.ts";
import {
  askedIn,
  encodeGameAnswer,
  encodeGameError,
  parsePlayerMessage,
} from "../protocol/game-codec.ts";
import { type GameName, isGameName } from "../protocol/matches.ts";
import type { GameMessage } from "./core/effects.ts";
import { parseGameMessages } from "./parse-game-message.ts";
import type { Players } from "./players.ts";

interface Parts {
  readonly name: GameName;
  readonly responder: Responder;
  readonly seals: Seals;
  readonly players: Players;
  readonly log: RequestLog;
  onMessage(from: GameName, message: GameMessage): void;
  /** Returns why this game server can't serve; undefined if it can. */
  unready(): string | undefined;
}

/** The bound socket of a game server: sealed messages of other game servers, and players' requests. */
export class Door {
  readonly #parts: Parts;
  /** Dropped messages of other game servers. */
  dropped = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  take(envelope: Envelope, payload: Buffer, seal: Buffer | undefined): void {
    if (seal === undefined) void this.#answer(envelope, payload);
    else this.#hear(payload, seal);
  }

  #hear(payload: Buffer, seal: Buffer): void {
    const { seals, log, onMessage } = this.#parts;
    const question = seals.takeQuestion(payload, seal);
    if (question?.isNew !== true || !isGameName(question.sender)) return;
    try {
      for (const message of parseGameMessages(payload)) onMessage(question.sender, message);
    } catch (error) {
      this.dropped += 1;
      const { message } = error as Error;
      log.write("warn", `A message of ${question.sender} was dropped: ${message}`);
    }
  }

  async #answer(envelope: Envelope, payload: Buffer): Promise<void> {
    const { players, responder } = this.#parts;
    const asked = askedIn(payload);
    try {
      const isHealth = asked.service === "health";
      const answer = isHealth ? this.#health() : await players.ask(parsePlayerMessage(payload));
      responder.reply(envelope, encodeGameAnswer(asked, answer));
    } catch (error) {
      responder.reply(envelope, encodeGameError(asked, this.#known(error)));
    }
  }

  /** A defect answers as an error too: one request must not end the matches of all. */
  #known(error: unknown): ProtocolError {
    if (error instanceof ProtocolError) return error;
    this.#parts.log.write("warn", "A request failed", { error: String(error) });
    return new ProtocolError("internal", "The game server has failed.");
  }

  #health(): object {
    const { name, unready } = this.#parts;
    const reason = unready();
    return { name, role: "game", ready: reason === undefined, reason };
  }
}
