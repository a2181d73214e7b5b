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

/** Claims the name, unless something forbids it that this server knows or may still miss. */
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

/** The error if the sender may not register the name. */
function mayRegister(
  services: Services,
  request: RequestOf<"register">,
  now: Now,
): ProtocolError | undefined {
  const { user, invitation, id } = request;
  const { chat, accounts, auth } = services;
  // A repeated request (R6).
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
  // A new owner would read the messages of the name's user, or be taken for that user.
  const like = chat.userLike(user);
  const isHeld = holder !== undefined || accounts.holderLike(user) !== undefined;
  if (like === undefined || isHeld) return undefined;
  // A guest asks: only `users`, which requires a session, may tell the other name.
  const what = chat.users.has(user) ? `The name "${user}"` : `A name that looks like "${user}"`;
  const description = `${what} is in use, without an account: an administrator makes it.`;
  return new ProtocolError("forbidden", description, { reason: "name_in_use" });
}

/** In an open cluster nobody administers. */
const anybody = { mode: "open", hash: undefined } as const;
