import type { UserName } from "../../protocol/ids.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { ConversationName } from "../../protocol/topics.ts";
import type { Target } from "./target.ts";

/** The conversation to request from the servers, and a filter for its entries. */
interface ConversationQuery {
  readonly name: ConversationName;
  readonly with?: UserName;
  readonly has: (entry: Entry) => boolean;
}

/**
 * Translates a target into a query. The person's own name stands for all their private messages.
 * For another user, the query also reads all private messages of the person, and its filter selects
 * those with that user.
 */
export function conversationOf(target: Target, me: () => UserName): ConversationQuery {
  if (target.channel !== undefined) return { name: { channel: target.channel }, has: () => true };
  const { user: other } = target;
  const user = me();
  if (other === user) return { name: { user }, has: () => true };
  const has = (entry: Entry) => "src" in entry && (entry.src === other || entry.dst === other);
  return { name: { user }, with: other, has };
}
