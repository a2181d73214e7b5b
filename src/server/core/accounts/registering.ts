import type { RequestOf } from "../../../protocol/client-messages.ts";
import { ProtocolError } from "../../../protocol/errors.ts";
import { oddityOf } from "../../../protocol/looks.ts";
import type { Replies } from "../../../protocol/replies.ts";
import type { Now } from "../effects.ts";
import { idOf } from "../replica/placed.ts";
import {
  type Circumstances,
  type Decision,
  refuse,
  type Services,
  waits,
} from "../serving/decision.ts";
import { administers } from "./access.ts";
import { hashOf } from "./administration.ts";

/**
 * Decides a request to register a name. If this server would refuse the request, it first waits for
 * the events that the client has seen. Otherwise it decides to claim the name.
 */
export function register(
  services: Services,
  request: RequestOf<"register">,
  at: Circumstances,
): Decision<Replies["register"]> {
  const error = mayRegister(services, request, at.now);
  if (error === undefined) return { next: "claim", request };
  const decision = waits(services, request, at) ?? refuse(error);
  return decision.next === "wait" ? { ...decision, error } : decision;
}

function mayRegister(
  services: Services,
  request: RequestOf<"register">,
  now: Now,
): ProtocolError | undefined {
  const { user, invitation, id } = request;
  const { chat, accounts, auth } = services;
  // If an earlier copy of this request holds the name, this copy must get the same outcome (R6).
  const holder = accounts.holder(user);
  if (holder !== undefined && idOf(holder) === id) return undefined;
  const isNew = holder === undefined && !chat.users.has(user);
  const oddity = isNew ? oddityOf(user, "user") : undefined;
  if (oddity !== undefined) return new ProtocolError("name_invalid", oddity);
  if (auth === "required" && administers(request, accounts, services.correctedMs(now))) {
    return undefined;
  }
  const { mode, hash } = auth === "required" ? accounts.registration : anybody;
  if (mode === "closed") {
    const description = "Registration is closed: ask an administrator.";
    return new ProtocolError("forbidden", description, { reason: "registration_closed" });
  }
  if (
    mode === "invitation" &&
    (invitation === undefined || hashOf(services, invitation) !== hash)
  ) {
    const description = "Registration wants the `invitation` of an administrator.";
    return new ProtocolError("forbidden", description, { reason: "invitation_wanted" });
  }
  // If a user without an account uses this name, or a name that looks the same, the request is
  // refused. A new owner of the name could read that user's messages, or be mistaken for that user.
  const like = chat.userLike(user);
  const isHeld = holder !== undefined || accounts.holderLike(user) !== undefined;
  if (like === undefined || isHeld) return undefined;
  // The sender may be a guest, so the error does not reveal the similar name. Only `users`, which
  // requires a session, lists names.
  const what = chat.users.has(user) ? `The name "${user}"` : `A name that looks like "${user}"`;
  const description = `${what} is in use, without an account: an administrator makes it.`;
  return new ProtocolError("forbidden", description, { reason: "name_in_use" });
}

/** The rule of an open cluster, which has no administrators: anybody may register. */
const anybody = { mode: "open", hash: undefined } as const;
