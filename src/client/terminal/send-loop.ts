import type { Log } from "../../platform/log.ts";
import { Problem } from "../../platform/problem.ts";
import { retrying } from "../../platform/retry.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { describe, wantsLogin } from "../commands/failure.ts";
import { deliver, sentSentence } from "../commands/send.ts";
import type { ChatEvent } from "../core/chat-events.ts";
import type { Outgoing } from "../core/outgoing.ts";
import { type Target, writeTarget } from "../core/target.ts";
import type { Outbox } from "../outbox.ts";
import type { ChatSession } from "./chat-session.ts";

interface SendLoopParts {
  readonly session: ChatSession;
  readonly outbox: Outbox;
  readonly log: Log;
  readonly dispatch: (event: ChatEvent) => void;
  /** Ends the chat with an error if the work fails. */
  readonly watch: (work: Promise<void>) => void;
}

const pauses = { pauseMs: 500, mostPauseMs: 4_000 };

/**
 * Sends the messages in the outbox. Messages of one conversation are sent one by one, so that they
 * keep their order even if different servers accept them. Each message is resent until it has a
 * receipt or is refused for good (C5).
 */
export class SendLoop {
  readonly #parts: SendLoopParts;
  /** Conversations whose messages `#run` is sending at the moment. */
  readonly #busy = new Set<string>();

  constructor(parts: SendLoopParts) {
    this.#parts = parts;
  }

  /** Sends the messages that earlier processes left in the outbox. */
  start(): void {
    const { outbox, dispatch, watch } = this.#parts;
    for (const outgoing of outbox.waiting) dispatch({ type: "queued", outgoing });
    for (const { target } of outbox.waiting) watch(this.#run(writeTarget(target)));
  }

  add(target: Target, text: string): void {
    const { session, outbox, dispatch, watch } = this.#parts;
    try {
      dispatch({ type: "queued", outgoing: outbox.add(target, session.user, text) });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      dispatch({ type: "notice", lines: [error.message], isProblem: true });
    }
    watch(this.#run(writeTarget(target)));
  }

  async #run(key: string): Promise<void> {
    if (this.#busy.has(key)) return;
    this.#busy.add(key);
    const { outbox, session } = this.#parts;
    const first = () => outbox.waiting.find(({ target }) => writeTarget(target) === key);
    try {
      for (let next = first(); next && !session.signal.aborted; next = first()) {
        await this.#send(next);
      }
    } finally {
      this.#busy.delete(key);
    }
  }

  async #send(outgoing: Outgoing): Promise<void> {
    const { session, outbox, dispatch, log } = this.#parts;
    const { client, context, signal } = session;
    const { id, target } = outgoing;
    let logged: string | undefined;
    const canHelp = (error: unknown) => {
      if (!(error instanceof ProtocolError)) return false;
      if (error.code !== logged) log.warn({ id, code: error.code }, `Not sent: ${error.message}`);
      logged = error.code;
      return error.retry || wantsLogin(error);
    };
    const refuse = (why: string) => dispatch({ type: "refused", outgoing, why });
    try {
      const { receipt } = await retrying({ ...pauses, canHelp, signal }, () =>
        session.ask(() => deliver(client, outgoing)),
      );
      outbox.settle(id);
      if (receipt !== undefined) dispatch({ type: "sent", outgoing, receipt });
      // A server of the original protocol gave no receipt, so the message has no place in the
      // history and is never resent.
      else refuse(sentSentence(context.text, target, receipt));
    } catch (error) {
      // The message stays in the outbox for the next process.
      if (signal.aborted) return;
      if (!(error instanceof ProtocolError)) throw error;
      outbox.settle(id);
      refuse(describe(error, context.text));
    }
  }
}
