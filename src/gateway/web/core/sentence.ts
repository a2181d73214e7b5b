import type { ProtocolError } from "../../../protocol/errors.ts";
import { harmless } from "../../../protocol/harmless.ts";
import type { Text } from "../../../texts/texts.ts";

/** Describes in one sentence what was refused, and why. */
export function sentenceOf(error: ProtocolError, words: Text): string {
  const { code, reason, message, wait = 1 } = error;
  if (reason === "invitation_wanted") return words("page.invitationWanted");
  if (reason !== undefined) return words(`reason.${reason}`);
  if (code === "channel_not_found") return words("page.channelNotFound");
  return words(`error.${code}`, { description: harmless(message), wait: Math.ceil(wait) });
}
