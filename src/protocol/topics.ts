import type { ChannelName, UserName } from "./ids.ts";

/** The topic of the servers' events, acknowledgements and heartbeats. */
export const replicationTopic = "replication";
/** The topic of a coordinator's announcement (P6). */
export const serversTopic = "servers";

/**
 * Returns a channel's topic in the second form (P2). The final NUL keeps a subscription to this
 * topic from matching longer channel names.
 */
export function channelTopic(channel: ChannelName): string {
  return `#${channel}\0`;
}

/** Returns the topic, in the second form, of a user's private messages (P2). */
export function userTopic(user: UserName): string {
  return `@${user}\0`;
}

export type ConversationName =
  | { readonly channel: ChannelName; readonly user?: never }
  | { readonly user: UserName; readonly channel?: never };

/** Returns the conversation of a topic in the second form; undefined for any other topic. */
export function readTopic(topic: string): ConversationName | undefined {
  const name = topic.slice(1, -1);
  if (!topic.endsWith("\0") || name.includes("\0")) return undefined;
  if (topic.startsWith("#")) return { channel: name as ChannelName };
  return topic.startsWith("@") ? { user: name as UserName } : undefined;
}

export function conversationTopic(name: ConversationName): string {
  return name.channel === undefined ? userTopic(name.user) : channelTopic(name.channel);
}
