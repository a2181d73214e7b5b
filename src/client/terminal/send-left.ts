import { Problem } from "../../platform/problem.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { harmless } from "../../protocol/harmless.ts";
import type { Text } from "../../texts/texts.ts";
import type { ChatClient } from "../chat-client.ts";
import type { Context } from "../commands/context.ts";
import { asFailure, report, wantsLogin } from "../commands/failure.ts";
import { deliver } from "../commands/send.ts";
import { writeTarget } from "../core/target.ts";
import type { Outbox } from "../outbox.ts";

interface LeftParts {
  readonly context: Context;
  readonly client: ChatClient;
  readonly outbox: Outbox;
  readonly text: Text;
  /** Aborted when the chat has ended: then nobody is told anything more. */
  readonly signal: AbortSignal;
}

/**
 * Sends, in their order, the messages of processes that ended without receipts (C5), and tells the
 * person of each. At the first that can't be sent now, it and those behind it stay for the next.
 * @returns how many were refused for good
 */
export async function sendLeft(parts: LeftParts): Promise<number> {
  const { context, client, outbox, text, signal } = parts;
  const { config, output } = context;
  let refused = 0;
  for (const { id, user, target, text: message } of outbox.waiting) {
    const told = { target: writeTarget(target), text: harmless(message) };
    try {
      const { receipt } = await deliver(client, { user, target, message, id });
      outbox.settle(id);
      output.note(text("lines.leftSent", told));
      if (receipt === undefined) output.note(text("original.accepted"));
    } catch (error) {
      if (!(error instanceof ProtocolError) || wantsLogin(error)) throw error;
      if (signal.aborted) break;
      const why = (asFailure(error, text, { config, client }) as Error).message;
      if (error.retry) {
        const waiting = text("lines.waiting", { count: outbox.waiting.length });
        report(new Problem(`${why} ${waiting}`), output, text);
        break;
      }
      outbox.settle(id);
      refused += 1;
      report(new Problem(text("lines.leftRefused", { ...told, why })), output, text);
    }
  }
  return refused;
}
