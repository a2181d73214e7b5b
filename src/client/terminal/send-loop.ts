import { pause } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { Problem } from "../../platform/problem.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { ChatClient } from "../chat-client.ts";
import { describe, wantsLogin } from "../commands/failure.ts";
import { deliver } from "../commands/send.ts";
import type { Outgoing } from "../core/outgoing.ts";
import type { Target } from "../core/target.ts";
import type { Outbox } from "../outbox.ts";
import type { ChatPorts } from "./chat-ports.ts";

interface SendLoopParts extends ChatPorts {
  readonly client: ChatClient;
  readonly outbox: Outbox;
  readonly log: Log;
}

const againMs = 500;

/**
 * Sends what is in the outbox, one message after the other: what is said first stands first,
 * whatever server takes it. Each is tried until there is a receipt, or a refusal (C5).
 */
export class SendLoop {
  readonly #parts: SendLoopParts;
  #isSending = false;

  constructor(parts: SendLoopParts) {
    this.#parts = parts;
  }

  /** Sends what an earlier process left. */
  start(): void {
    const { outbox, dispatch } = this.#parts;
    for (const outgoing of outbox.waiting) dispatch({ type: "queued", outgoing });
    void this.#run();
  }

  add(user: Outgoing["user"], target: Target, text: string): void {
    const { outbox, dispatch } = this.#parts;
    try {
      dispatch({ type: "queued", outgoing: outbox.add(target, user, text) });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      dispatch({ type: "notice", lines: [error.message], isProblem: true });
    }
    void this.#run();
  }

  async #run(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    const { outbox, signal } = this.#parts;
    try {
      for (let [next] = outbox.waiting; next && !signal.aborted; [next] = outbox.waiting) {
        await this.#send(next);
      }
    } finally {
      this.#isSending = false;
    }
  }

  async #send(outgoing: Outgoing): Promise<void> {
    const { client, outbox, dispatch, ask, text, signal, log } = this.#parts;
    const { id, user, target, text: message } = outgoing;
    try {
      const { receipt } = await ask(() => deliver(client, { user, target, message, id }));
      outbox.settle(id);
      dispatch({ type: "sent", outgoing, receipt });
    } catch (error) {
      // At the end it stays where it is, for the next process.
      if (signal.aborted) return;
      if (!(error instanceof ProtocolError)) throw error;
      log.warn({ id, code: error.code }, `Not sent: ${error.message}`);
      if (error.retry || wantsLogin(error)) return await pause(againMs, signal);
      outbox.settle(id);
      dispatch({ type: "refused", outgoing, why: describe(error, text()) });
    }
  }
}
