import {
  type ChannelName,
  parseChannelName,
  parseUserName,
  type UserName,
} from "../../protocol/ids.ts";

/** Where a text goes, or whose words are wanted. */
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

/** A channel's name where only a channel can be meant: with or without `#`. */
export function parseChannel(text: string): ChannelName | undefined {
  const target = parseTarget(text.startsWith("#") ? text : `#${text}`);
  return target?.channel;
}

/** A user's name where only a user can be meant: with or without `@`. */
export function parseUser(text: string): UserName | undefined {
  const target = parseTarget(text.startsWith("@") ? text : `@${text}`);
  return target?.user;
}
