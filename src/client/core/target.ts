import {
  type ChannelName,
  parseChannelName,
  parseUserName,
  type UserName,
} from "../../protocol/ids.ts";

/** A channel or a user to send a text to, or to read messages of. */
export type Target =
  | { readonly channel: ChannelName; readonly user?: never }
  | { readonly user: UserName; readonly channel?: never };

/** Parses `#geral` or `@ana`. @returns undefined for any other text */
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

/** Parses a channel's name, with or without `#`. */
export function parseChannel(text: string): ChannelName | undefined {
  const target = parseTarget(text.startsWith("#") ? text : `#${text}`);
  return target?.channel;
}

/** Parses a user's name, with or without `@`. */
export function parseUser(text: string): UserName | undefined {
  const target = parseTarget(text.startsWith("@") ? text : `@${text}`);
  return target?.user;
}
