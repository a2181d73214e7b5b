import { ProtocolError } from "../../protocol/errors.ts";
import type { LamportClock } from "../../protocol/lamport-clock.ts";
import type { HeartbeatReply, ReferenceRequest } from "../../protocol/reference-messages.ts";
import type { Registry } from "./registry.ts";

/** The fields of a reply, without `clock` and `timestamp`. */
export type Answer = Readonly<Record<string, unknown>>;

/** A request, with the name of the member that has sealed it; undefined for a guest. */
export type Asked = ReferenceRequest & { readonly member: string | undefined };

interface Reference {
  readonly registry: Registry;
  readonly clock: LamportClock;
  readonly steadyMs: number;
}

/**
 * Answers a request.
 * @throws ProtocolError, which the caller sends as an error reply
 */
export function handleRequest(request: Asked, { registry, clock, steadyMs }: Reference): Answer {
  const { member } = request;
  const speaker = { isKnown: member !== undefined, clock: request.clock };
  // A member's clock is the counter in the member's seal. The reference's clock already received
  // this counter when the seal was checked.
  if (!speaker.isKnown) clock.receive(registry.believed(request.clock, clock.value, steadyMs));
  switch (request.service) {
    case "rank": {
      const { user, address } = request;
      assertSelf(user, member);
      return { status: "OK", rank: registry.rank({ user, address }, speaker, steadyMs) };
    }
    case "list":
      return { status: "OK", list: registry.list(steadyMs), view: registry.view };
    case "heartbeat": {
      assertSelf(request.user, member);
      registry.heartbeat(request, speaker, steadyMs);
      if (request.view === undefined || !speaker.isKnown) return { status: "OK" };
      const reply: HeartbeatReply = {
        view: registry.view,
        list: registry.list(steadyMs),
        waiting: registry.isWaiting(steadyMs),
      };
      return { status: "OK", ...reply };
    }
    case "leave":
      assertMember(member);
      assertSelf(request.user, member);
      if (registry.leave(request.user, steadyMs)) return { status: "OK" };
      throw new ProtocolError("unavailable", `${request.user} is still in the view.`);
    case "remove":
      assertMember(member);
      return { status: "OK", view: registry.remove(request.user, request.force, steadyMs) };
    case "health":
      return { status: "OK", ready: true, name: "reference", role: "reference" };
    default:
      request satisfies never;
      throw new Error("a request passed the gate that no service takes");
  }
}

/** @throws ProtocolError `unauthenticated` if the request comes from a guest */
function assertMember(member: string | undefined): void {
  if (member !== undefined) return;
  const description = "Only a process with the cluster's secret may change the members.";
  throw new ProtocolError("unauthenticated", description);
}

/**
 * Checks that a member reports only about itself.
 * @throws ProtocolError `unauthenticated` otherwise
 */
function assertSelf(user: string, member: string | undefined): void {
  if (member === undefined || user === member) return;
  throw new ProtocolError("unauthenticated", `${member} may not speak for ${user}.`);
}
