import type { Envelope } from "../net/envelope.ts";
import type { Responder } from "../net/responder.ts";
import type { Question, Seals } from "../net/seal.ts";
import type { RequestLog } from "../platform/log.ts";
import { isArray } from "../protocol/codec.ts";
import { ProtocolError } from "../protocol/errors.ts";
import {
  askedIn,
  encodeGameAnswer,
  encodeGameError,
  parsePlayerMessage,
  parseTraceQuestion,
  traceService,
} from "../protocol/game-codec.ts";
import { type GameName, isGameName } from "../protocol/matches.ts";
import type { GameMessage } from "./core/effects.ts";
import { parseGameMessages } from "./parse-game-message.ts";
import type { Players } from "./players.ts";
import { encodeStepsAnswer, parseStepsQuestion } from "./steps/steps-question.ts";
import type { Traces } from "./steps/traces.ts";

interface Parts {
  readonly name: GameName;
  readonly responder: Responder;
  readonly seals: Seals;
  readonly players: Players;
  readonly traces: Traces;
  readonly log: RequestLog;
  /** @param sentClock the Lamport clock in the message */
  onMessage(from: GameName, message: GameMessage, sentClock: number): void;
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
    else this.#hear(envelope, payload, seal);
  }

  #hear(envelope: Envelope, payload: Buffer, seal: Buffer): void {
    const { seals, log, onMessage } = this.#parts;
    const question = seals.takeQuestion(payload, seal);
    if (question === undefined || !isGameName(question.sender)) return;
    const { sender, isNew, clock } = question;
    try {
      if (!isArray(payload)) this.#answerSteps(envelope, payload, question);
      else if (isNew) {
        for (const message of parseGameMessages(payload)) onMessage(sender, message, clock);
      }
    } catch (error) {
      this.dropped += 1;
      const { message } = error as Error;
      log.write("warn", `A message of ${sender} was dropped: ${message}`);
    }
  }

  /** Tells another game server which steps this one remembers. */
  #answerSteps(
    envelope: Envelope,
    payload: Buffer,
    question: Question & { readonly isNew: boolean },
  ): void {
    const { seals, traces, responder } = this.#parts;
    const answer = question.isNew
      ? encodeStepsAnswer(traces.remembered(parseStepsQuestion(payload)))
      : Buffer.alloc(0);
    responder.reply(envelope, answer, seals.sealAnswer(question, answer));
  }

  async #answer(envelope: Envelope, payload: Buffer): Promise<void> {
    const { responder } = this.#parts;
    const asked = askedIn(payload);
    try {
      const answer = await this.#answerTo(asked.service, payload);
      responder.reply(envelope, encodeGameAnswer(asked, answer));
    } catch (error) {
      responder.reply(envelope, encodeGameError(asked, this.#known(error)));
    }
  }

  async #answerTo(service: string, payload: Buffer): Promise<object> {
    const { players, traces } = this.#parts;
    if (service === "health") return this.#health();
    if (service === traceService) return await traces.ask(parseTraceQuestion(payload));
    return await players.ask(parsePlayerMessage(payload));
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
