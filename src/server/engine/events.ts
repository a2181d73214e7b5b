import type { ChannelName, ServerName, UserName } from "../../protocol/ids.ts";
import type { ChatData } from "../core/chat/chat-facts.ts";
import type { NewEvent, Scope } from "./engine.ts";

/** The conversations are spread over so many lanes. Each lane is an origin, with numbers of its own. */
export const laneCount = 64;

/**
 * Returns the name by which clients know a lane: `server` in receipts, entries and vectors. Lanes
 * sort as their names do. A lane's name is `server_` and the lane plus one, in hexadecimal. A former
 * server of a moved cluster keeps its name, so it has the lane that its name says. Such a lane is at
 * least `laneCount`, and nothing is appended to it.
 */
export function originOf(lane: number): ServerName {
  // `server_00000000` is below every other name in the order of messages, so no lane has it.
  return `server_${(lane + 1).toString(16).padStart(8, "0")}` as ServerName;
}

export function laneOf(origin: ServerName): number {
  return Number.parseInt(origin.slice("server_".length), 16) - 1;
}

/** What a kind of event is, without its place. */
export type Fact = {
  readonly [Kind in keyof ChatData]: { kind: Kind; data: ChatData[Kind] };
}[keyof ChatData];

/** The columns by which an event is stored and found. */
export interface EventStorage extends Scope {
  /** What the event is about, by which it is found: a channel, a user or a hook. */
  readonly subject: string;
  readonly actor: UserName | undefined;
  /** The text of a message. */
  readonly body: string | undefined;
}

export const channelKey = (channel: ChannelName) => `#${channel}`;
export const userKey = (user: UserName) => `@${user}`;
export const hookKey = (hook: string) => `!${hook}`;

/** Returns the columns by which an event is stored and found. */
export function storageOf(event: NewEvent): EventStorage {
  switch (event.kind) {
    case "login": {
      const { user } = event.data;
      return { ...scopes.login(user), subject: userKey(user), actor: user, body: undefined };
    }
    case "channel": {
      const { channel, user } = event.data;
      const scope = scopes.channel(channel, user);
      return { ...scope, subject: channelKey(channel), actor: user, body: undefined };
    }
    case "removal": {
      const { channel, by } = event.data;
      const scope = scopes.removal(channel, by);
      return { ...scope, subject: channelKey(channel), actor: by, body: undefined };
    }
    case "publication": {
      const { channel, user, hook, message } = event.data;
      const subject = channelKey(channel);
      return { ...scopes.message(subject, user, hook), subject, actor: user, body: message };
    }
    case "message": {
      const { src, dst, message } = event.data;
      const subject = userKey(dst);
      return { ...scopes.message(subject, src), subject, actor: src, body: message };
    }
    case "hook": {
      const { hook, by } = event.data;
      return { ...scopes.hook(by), subject: hookKey(hook), actor: by, body: undefined };
    }
    case "unhook": {
      const { hook, by } = event.data;
      return { ...scopes.unhook(hook, by), subject: hookKey(hook), actor: by, body: undefined };
    }
  }
}

/**
 * The scopes in which ids of requests are unique. All events of one scope lie in the lane of its
 * owner, or in lanes of former servers.
 */
export const scopes = {
  login: (user: UserName): Scope => ({ owner: userKey(user), scope: `login\n${user}` }),
  channel: (channel: ChannelName, user: UserName | undefined): Scope => {
    return { owner: channelKey(channel), scope: `channel\n${channel}\n${user ?? ""}` };
  },
  removal: (channel: ChannelName, by: UserName): Scope => {
    return { owner: channelKey(channel), scope: `removal\n${channel}\n${by}` };
  },
  /** @param owner the key of the receiver */
  message: (owner: string, from: UserName, hook?: string): Scope => {
    const scope = `message\n${owner}\n${from}${hook === undefined ? "" : `\n${hook}`}`;
    return { owner, scope };
  },
  hook: (by: UserName): Scope => ({ owner: userKey(by), scope: `hook\n${by}` }),
  unhook: (hook: string, by: UserName): Scope => {
    return { owner: userKey(by), scope: `unhook\n${hook}\n${by}` };
  },
} as const;

/** Returns who wrote a message, to whom, and what; undefined if the event is no message. */
export function messageIn(event: Fact) {
  switch (event.kind) {
    case "publication": {
      const { user: from, channel, message: text, hook } = event.data;
      return { from, to: { channel }, text, hook };
    }
    case "message": {
      const { src: from, dst, message: text } = event.data;
      return { from, to: { user: dst }, text, hook: undefined };
    }
    default:
      return undefined;
  }
}
