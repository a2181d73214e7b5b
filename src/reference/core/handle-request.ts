import { ProtocolError } from "../../protocol/errors.ts";
import type { LamportClock } from "../../protocol/lamport-clock.ts";
import type { HeartbeatReply, ReferenceRequest } from "../../protocol/messages.ts";
import type { Registry } from "./registry.ts";

/** Fields of a reply beyond `clock` and `timestamp`. */
export type Answer = Readonly<Record<string, unknown>>;

/** @throws ProtocolError, for the error reply */
export function handleRequest(
  registry: Registry,
  clock: LamportClock,
  request: ReferenceRequest,
  steadyMs: number,
): Answer {
  clock.receiveFromAnyone(request.clock);
  switch (request.service) {
    case "rank": {
      const { user, address } = request;
      return { status: "OK", rank: registry.rank(user, address, request.clock, steadyMs) };
    }
    case "list":
      return { status: "OK", list: registry.list(steadyMs), view: registry.view };
    case "heartbeat": {
      registry.heartbeat(request, request.clock, steadyMs);
      if (request.view === undefined) return { status: "OK" };
      const reply: HeartbeatReply = {
        view: registry.view,
        list: registry.list(steadyMs),
        waiting: registry.isWaiting(steadyMs),
      };
      return { status: "OK", ...reply };
    }
    case "leave":
      if (registry.leave(request.user, steadyMs)) return { status: "OK" };
      throw new ProtocolError("unavailable", `${request.user} is still in the view.`);
    case "remove":
      return { status: "OK", view: registry.remove(request.user, request.force, steadyMs) };
    case "health":
      return { status: "OK", ready: true, name: "reference", role: "reference" };
    default:
      request satisfies never;
      throw new Error("a request passed the gate that no service takes");
  }
}
