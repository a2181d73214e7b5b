import type { ChannelName, UserName } from "./ids.ts";

/** Where servers speak to each other: events, acknowledgements, heartbeats. */
export const replicationTopic = "replication";
/** Where a coordinator announces itself (P6). */
export const serversTopic = "servers";

/** The second form of a channel's topic (P2): the NUL keeps a prefix from matching. */
export function channelTopic(channel: ChannelName): string {
  return `#${channel}\0`;
}

/** The second form of a user's topic, for private messages (P2). */
export function userTopic(user: UserName): string {
  return `@${user}\0`;
}

export type ConversationName =
  | { readonly channel: ChannelName; readonly user?: never }
  | { readonly user: UserName; readonly channel?: never };

export function conversationTopic(name: ConversationName): string {
  return name.channel === undefined ? userTopic(name.user) : channelTopic(name.channel);
}
