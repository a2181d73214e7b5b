import type { RequestOf } from "../../../protocol/client-messages.ts";
import type { Chain, UserName } from "../../../protocol/ids.ts";
import type { Written } from "../../../protocol/replies.ts";
import type { Now } from "../effects.ts";
import { type Decision, noChannel, type Services } from "../serving/decision.ts";
import { commit } from "../serving/write.ts";
import { maker, refusal, repeated } from "./account-decisions.ts";
import { resetPassword } from "./password-changes.ts";

export function changeAccount(
  services: Services,
  request: RequestOf<"account">,
  now: Now,
): Decision<Written> {
  const { user, change, id } = request;
  const { accounts } = services;
  if (accounts.owner(user) === undefined) {
    return refusal("user_not_found", `There is no account "${user}".`);
  }
  const asked = { id, by: request.session?.user as UserName };
  if ("newPassword" in change) return resetPassword(services, request, change.newPassword);
  const before = accounts.flagChanges({ user, ...change }, asked);
  const again = repeated(services, before, ({ isSet }) => isSet === change.isSet);
  if (again !== undefined) return again;
  const event = maker(services, "account")({ user, ...change, ...asked }, now);
  return commit(services, event);
}

export function changeRegistration(
  services: Services,
  { mode, invitation, id, session }: RequestOf<"registration">,
  now: Now,
): Decision<Written> {
  const asked = { id, by: session?.user as UserName };
  const hash = invitation === undefined ? undefined : hashOf(services, invitation);
  const before = services.accounts.registrations.asked("", asked);
  const again = repeated(services, before, (one) => one.mode === mode && one.hash === hash);
  if (again !== undefined) return again;
  const event = maker(services, "registration")({ mode, hash, ...asked }, now);
  return commit(services, event);
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
  const again = repeated(services, before, (one) => one.isRemoved === isRemoved);
  if (again !== undefined) return again;
  const event = maker(services, "removal")({ channel, isRemoved, ...asked }, now);
  return commit(services, event);
}

/**
 * Returns the hash of an invitation. A fast hash without salt is enough, because an invitation is
 * too long and random to be guessed.
 */
export function hashOf({ digest }: Services, invitation: string): string {
  return digest.chain("" as Chain, invitation);
}
