import { now } from "../platform/clock.ts";
import type { Service } from "../protocol/client-messages.ts";
import type { Reply } from "../protocol/replies.ts";
import type { RequestData } from "../protocol/request-data.ts";
import { checkCall } from "./check-call.ts";
import { isOperation } from "./pending-requests.ts";
import type { AskOptions, RequestQueue } from "./request-queue.ts";

/**
 * Sends a request. An operation names a slot that was settled before it was sent. So a session that
 * knows no slot asks for one first (D9).
 */
export async function askWithSlot<S extends Service>(
  requests: RequestQueue,
  { service, data }: { readonly service: S; readonly data: RequestData[S] },
  options: AskOptions,
): Promise<Reply<S>> {
  const { asker, deadlineMs, id = requests.newId() } = options;
  checkCall(service, data, id);
  const endMs = now().steadyMs + deadlineMs;
  if (isOperation(service) && asker.slot === undefined) {
    await requests.ask("time", {}, { asker, deadlineMs });
  }
  // A program that gives an id may have sent the request before. A server that is behind would not
  // know that.
  const isAgain = isOperation(service) && options.id !== undefined;
  const consistency = isAgain ? "now" : options.consistency;
  const rest = { ...options, id, consistency, deadlineMs: endMs - now().steadyMs };
  return await requests.ask(service, data, rest);
}
