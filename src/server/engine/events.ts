import type { ChannelName, ServerName, UserName } from "../../protocol/ids.ts";
import type { StoredMessage } from "../core/chat/chat-state.ts";
import type { Placed } from "../core/replica/placed.ts";
import type { NewEvent, Scope } from "./engine.ts";

/** The conversations are spread over so many lanes. Each lane is an origin, with numbers of its own. */
export const lanes = 64;

/**
 * Returns the name by which clients know a lane: `server` in receipts, entries and vectors. Lanes
 * sort as their names do. A server of a cluster that was moved into an engine stays an origin, so
 * its lane is given by its name, and above `lanes`; nothing is appended to it.
 */
export function originOf(lane: number): ServerName {
  // `server_00000000` is below every other name in the order of messages, so no lane has it.
  return `server_${(lane + 1).toString(16).padStart(8, "0")}` as ServerName;
}

export function laneOf(origin: ServerName): number {
  return Number.parseInt(origin.slice("server_".length), 16) - 1;
}

/** The columns by which an event is stored and found. */
export interface EventRow extends Scope {
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
export function rowOf(event: NewEvent): EventRow {
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

/**
 * Returns an event as the message that it is.
 * @throws Error if the event is no message
 */
export function messageOf(event: NewEvent, place: Placed): StoredMessage {
  switch (event.kind) {
    case "publication": {
      const { user: from, channel, hook, message: text } = event.data;
      return { ...place, from, to: { channel }, hook, text };
    }
    case "message": {
      const { src: from, dst: user, message: text } = event.data;
      return { ...place, from, to: { user }, hook: undefined, text };
    }
    default:
      throw new Error(`a ${event.kind} is no message`);
  }
}
