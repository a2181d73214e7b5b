import type { Log } from "../../platform/log.ts";
import { Problem } from "../../platform/problem.ts";
import { retrying } from "../../platform/retry.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { ChatClient } from "../chat-client.ts";
import { describe, wantsLogin } from "../commands/failure.ts";
import { deliver, sentSentence } from "../commands/send.ts";
import type { Outgoing } from "../core/outgoing.ts";
import { type Target, writeTarget } from "../core/target.ts";
import type { Outbox } from "../outbox.ts";
import type { ChatPorts } from "./chat-ports.ts";

interface SendLoopParts extends ChatPorts {
  readonly client: ChatClient;
  readonly outbox: Outbox;
  readonly log: Log;
  /** Of work that nobody waits for. */
  readonly watch: (work: Promise<void>) => void;
}

const pauses = { pauseMs: 500, mostPauseMs: 4_000 };

/**
 * Sends what is in the outbox: of one conversation one message after the other, so that what is
 * said first stands first, whatever server takes it. Each is tried until there is a receipt, or a
 * refusal (C5).
 */
export class SendLoop {
  readonly #parts: SendLoopParts;
  /** Conversations that something is being sent to. */
  readonly #busy = new Set<string>();

  constructor(parts: SendLoopParts) {
    this.#parts = parts;
  }

  /** Sends what an earlier process left. */
  start(): void {
    const { outbox, dispatch, watch } = this.#parts;
    for (const outgoing of outbox.waiting) dispatch({ type: "queued", outgoing });
    for (const { target } of outbox.waiting) watch(this.#run(writeTarget(target)));
  }

  add(user: Outgoing["user"], target: Target, text: string): void {
    const { outbox, dispatch, watch } = this.#parts;
    try {
      dispatch({ type: "queued", outgoing: outbox.add(target, user, text) });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      dispatch({ type: "notice", lines: [error.message], isProblem: true });
    }
    watch(this.#run(writeTarget(target)));
  }

  async #run(key: string): Promise<void> {
    if (this.#busy.has(key)) return;
    this.#busy.add(key);
    const { outbox, signal } = this.#parts;
    const first = () => outbox.waiting.find(({ target }) => writeTarget(target) === key);
    try {
      for (let next = first(); next && !signal.aborted; next = first()) await this.#send(next);
    } finally {
      this.#busy.delete(key);
    }
  }

  async #send(outgoing: Outgoing): Promise<void> {
    const { client, outbox, dispatch, ask, text, signal, log } = this.#parts;
    const { id, user, target, text: message } = outgoing;
    let logged: string | undefined;
    const canHelp = (error: unknown) => {
      if (!(error instanceof ProtocolError)) return false;
      if (error.code !== logged) log.warn({ id, code: error.code }, `Not sent: ${error.message}`);
      logged = error.code;
      return error.retry || wantsLogin(error);
    };
    try {
      const { receipt } = await retrying({ ...pauses, canHelp, signal }, () =>
        ask(() => deliver(client, { user, target, message, id })),
      );
      outbox.settle(id);
      if (receipt !== undefined) return dispatch({ type: "sent", outgoing, receipt });
      // Without a receipt it has no place in the history, and it is never sent again.
      dispatch({ type: "refused", outgoing, why: sentSentence(text(), target, receipt) });
    } catch (error) {
      // At the end it stays where it is, for the next process.
      if (signal.aborted) return;
      if (!(error instanceof ProtocolError)) throw error;
      outbox.settle(id);
      dispatch({ type: "refused", outgoing, why: describe(error, text()) });
    }
  }
}
