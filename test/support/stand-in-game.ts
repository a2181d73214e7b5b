import { Responder } from "../../src/net/responder.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import {
  askedIn,
  encodeGameAnswer,
  encodeGameError,
  type PlayerMessage,
  parsePlayerMessage,
} from "../../src/protocol/game-codec.ts";
import type { GameAnswer } from "../../src/protocol/game-requests.ts";

type Answering = (message: PlayerMessage) => GameAnswer | Promise<GameAnswer>;

/** Speaks as a game server does, but a test decides what it answers. */
export class StandInGame implements AsyncDisposable {
  readonly endpoint: string;
  /** What players have asked. */
  readonly asked: PlayerMessage[] = [];
  readonly #responder: Responder;

  private constructor(responder: Responder, endpoint: string) {
    this.#responder = responder;
    this.endpoint = endpoint;
  }

  /** @param answer may throw a ProtocolError, which is the answer then */
  static async start(answer: Answering, endpoint = "tcp://127.0.0.1:*"): Promise<StandInGame> {
    const reply = async (payload: Uint8Array) => {
      const message = parsePlayerMessage(payload);
      const asked = askedIn(payload);
      game.asked.push(message);
      try {
        return encodeGameAnswer(asked, await answer(message));
      } catch (error) {
        if (error instanceof ProtocolError) return encodeGameError(asked, error);
        throw error;
      }
    };
    const responder = new Responder((envelope, payload) => {
      void reply(payload).then((answered) => responder.reply(envelope, answered));
    });
    const game = new StandInGame(responder, await responder.bind(endpoint));
    responder.start();
    return game;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#responder.close();
  }
}
