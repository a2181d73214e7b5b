import type { UserName } from "../../protocol/ids.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { ConversationName } from "../../protocol/topics.ts";
import type { Target } from "./target.ts";

/** The conversation to ask the servers for, and which of its entries are meant. */
interface ConversationQuery {
  readonly name: ConversationName;
  readonly with?: UserName;
  readonly has: (entry: Entry) => boolean;
}

/**
 * The meaning of a target: a channel, all of the person's private messages (their own name), or what
 * they and another user wrote to each other. The last is a part of the person's own private messages:
 * nobody may read what that user writes to others.
 */
export function conversationOf(target: Target, me: () => UserName): ConversationQuery {
  if (target.channel !== undefined) return { name: { channel: target.channel }, has: () => true };
  const { user: other } = target;
  const user = me();
  if (other === user) return { name: { user }, has: () => true };
  const has = (entry: Entry) => "src" in entry && (entry.src === other || entry.dst === other);
  return { name: { user }, with: other, has };
}
