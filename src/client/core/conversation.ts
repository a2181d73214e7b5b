import type { UserName } from "../../protocol/ids.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { ConversationName } from "../../protocol/topics.ts";
import type { Target } from "./target.ts";

/** What to ask the servers for, and which of what comes is meant. */
export interface Conversation {
  readonly name: ConversationName;
  readonly with?: UserName;
  readonly has: (entry: Entry) => boolean;
}

/**
 * What a person means by a target: a channel, his own private messages (his own name), or what
 * he and another wrote to each other. The last is a part of his own private messages: what that
 * other one writes to others is none of his business.
 */
export function conversationOf(target: Target, me: () => UserName): Conversation {
  if (target.channel !== undefined) return { name: { channel: target.channel }, has: () => true };
  const { user: other } = target;
  const user = me();
  if (other === user) return { name: { user }, has: () => true };
  const has = (entry: Entry) => "src" in entry && (entry.src === other || entry.dst === other);
  return { name: { user }, with: other, has };
}
