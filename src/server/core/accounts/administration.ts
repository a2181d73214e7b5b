import type { ParsedRequest, RequestOf } from "../../../protocol/client-messages.ts";
import type { Chain, UserName } from "../../../protocol/ids.ts";
import type { Decided } from "../../../protocol/operation.ts";
import type { Written } from "../../../protocol/replies.ts";
import type { Now } from "../effects.ts";
import { type Decision, idReused, noChannel, refuse, type Services } from "../serving/decision.ts";
import { commit } from "../serving/write.ts";
import { isOf, operationOf, refusal, rightsOf, told } from "./account-decisions.ts";
import type { AccountOperations } from "./account-operations.ts";
import { resetPassword } from "./password-changes.ts";

export function changeAccount(services: Services, request: RequestOf<"account">): Decision {
  const { user, change } = request;
  if (services.accounts.owner(user) === undefined) {
    return refusal("user_not_found", `There is no account "${user}".`);
  }
  if ("newPassword" in change) return resetPassword(services, request, change.newPassword);
  return decided(services, request, { kind: "flag", fields: { user, ...change } });
}

export function changeRegistration(
  services: Services,
  request: RequestOf<"registration">,
): Decision {
  const { mode, invitation } = request;
  const hash = invitation === undefined ? undefined : hashOf(services, invitation);
  return decided(services, request, { kind: "registration", fields: { mode, hash } });
}

/**
 * Has an administrator's request decided. If its id already belongs to an operation, the answer is
 * that operation's, or an error if its fields differ.
 */
function decided<K extends "flag" | "registration">(
  services: Services,
  request: ParsedRequest,
  { kind, fields }: { readonly kind: K; readonly fields: Omit<AccountOperations[K], "rights"> },
): Decision {
  const { id, session, sinceSlot } = request;
  const by = session?.user as UserName;
  const settle = (end: Decided): Decision => {
    return isOf(end.operation, kind, fields) ? told(end) : refuse(idReused());
  };
  const first = services.log.find(by, id);
  if (first !== undefined) return settle(first);
  const asked = { ...fields, rights: rightsOf(request) } as AccountOperations[K];
  const operation = operationOf(services, kind, { id, sinceSlot, by, fields: asked });
  return { next: "decide", operation, settle };
}

/**
 * Decides an administrator's request to remove or restore a channel. The messages of a removed
 * channel are kept, but hidden until the channel is restored (A10).
 */
export function changeChannel(
  services: Services,
  { channel, isRemoved, id, session }: RequestOf<"removal">,
  now: Now,
): Decision<Written> {
  const { channels, removals } = services.chat;
  if (channels.get(channel)?.isKnown !== true) return { next: "refuse", error: noChannel(channel) };
  const asked = { id, by: session?.user as UserName };
  const before = removals.asked(channel, asked);
  const again = before.find((one) => one.isRemoved === isRemoved);
  if (again !== undefined) return commit(services, again);
  if (before.length > 0) return refuse(idReused());
  const data = { channel, isRemoved, ...asked };
  const event = services.ledger.make("removal", data, services.correctedMs(now));
  return commit(services, { ...event, time: event.timestamp, id });
}

/**
 * Returns the hash of an invitation. A fast hash without salt is enough, because an invitation is
 * too long and random to be guessed.
 */
export function hashOf({ digest }: Services, invitation: string): string {
  return digest.chain("" as Chain, invitation);
}
