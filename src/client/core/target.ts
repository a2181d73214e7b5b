import {
  type ChannelName,
  parseChannelName,
  parseUserName,
  type UserName,
} from "../../protocol/ids.ts";

/** A channel or a user: where a text goes, or whose messages are wanted. */
export type Target =
  | { readonly channel: ChannelName; readonly user?: never }
  | { readonly user: UserName; readonly channel?: never };

/**
 * `#geral` or `@ana`.
 * @returns undefined if it is neither
 */
export function parseTarget(text: string): Target | undefined {
  try {
    if (text.startsWith("#")) return { channel: parseChannelName(text.slice(1)) };
    if (text.startsWith("@")) return { user: parseUserName(text.slice(1)) };
    return undefined;
  } catch {
    return undefined;
  }
}

export function writeTarget(target: Target): string {
  return target.channel === undefined ? `@${target.user}` : `#${target.channel}`;
}

/** A channel's name, with or without `#`, where only a channel can be meant. */
export function parseChannel(text: string): ChannelName | undefined {
  const target = parseTarget(text.startsWith("#") ? text : `#${text}`);
  return target?.channel;
}

/** A user's name, with or without `@`, where only a user can be meant. */
export function parseUser(text: string): UserName | undefined {
  const target = parseTarget(text.startsWith("@") ? text : `@${text}`);
  return target?.user;
}
