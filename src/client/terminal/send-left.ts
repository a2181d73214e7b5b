import { Problem } from "../../platform/problem.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { harmless } from "../../protocol/harmless.ts";
import { asFailure, wantsLogin } from "../commands/failure.ts";
import { report } from "../commands/report.ts";
import { deliver } from "../commands/send.ts";
import { writeTarget } from "../core/target.ts";
import type { Outbox } from "../outbox.ts";
import type { ChatSession } from "./chat-session.ts";

/**
 * Sends the unsent messages of ended processes in their order (C5), and reports each to the person.
 * The first message that can't be sent now, and all messages after it, stay for the next chat.
 * @returns how many messages were refused for good
 */
export async function sendLeft(session: ChatSession, outbox: Outbox): Promise<number> {
  const { context, client, signal } = session;
  const { output, text } = context;
  let refused = 0;
  for (const outgoing of outbox.waiting) {
    const told = { target: writeTarget(outgoing.target), text: harmless(outgoing.text) };
    try {
      const { receipt } = await deliver(client, outgoing);
      outbox.settle(outgoing.id);
      output.note(text("lines.leftSent", told));
      if (receipt === undefined) output.note(text("original.accepted"));
    } catch (error) {
      if (!(error instanceof ProtocolError) || wantsLogin(error)) throw error;
      if (signal.aborted) break;
      const why = asFailure(error, context, client).message;
      if (error.retry) {
        const waiting = text("lines.waiting", { count: outbox.waiting.length });
        report(new Problem(`${why} ${waiting}`), output, text);
        break;
      }
      outbox.settle(outgoing.id);
      refused += 1;
      report(new Problem(text("lines.leftRefused", { ...told, why })), output, text);
    }
  }
  return refused;
}
