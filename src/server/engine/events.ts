import type { ChannelName, ServerName, UserName } from "../../protocol/ids.ts";
import type { StoredMessage } from "../core/chat/chat-state.ts";
import type { Placed } from "../core/replica/placed.ts";
import type { NewEvent } from "./engine.ts";

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

/** What the database knows of an event besides its place. */
export interface EventRow {
  /** Whose lane the event gets: that of a channel or of a user. */
  readonly owner: string;
  /** What the event is about, by which it is found: a channel, a user or a hook. */
  readonly subject: string;
  readonly actor: UserName | undefined;
  /** The scope of the request's id (R6). */
  readonly scope: string;
  /** The text of a message. */
  readonly body: string | undefined;
}

export const channelKey = (channel: ChannelName) => `#${channel}`;
export const userKey = (user: UserName) => `@${user}`;
export const hookKey = (hook: string) => `!${hook}`;

/** Returns under what an event is stored. */
export function rowOf(event: NewEvent): EventRow {
  switch (event.kind) {
    case "login": {
      const { user } = event.data;
      const key = userKey(user);
      return { owner: key, subject: key, actor: user, scope: scopes.login(user), body: undefined };
    }
    case "channel": {
      const { channel, user } = event.data;
      const key = channelKey(channel);
      const scope = scopes.channel(channel, user);
      return { owner: key, subject: key, actor: user, scope, body: undefined };
    }
    case "removal": {
      const { channel, by } = event.data;
      const key = channelKey(channel);
      const scope = scopes.removal(channel, by);
      return { owner: key, subject: key, actor: by, scope, body: undefined };
    }
    case "publication": {
      const { channel, user, hook, message } = event.data;
      const key = channelKey(channel);
      const scope = scopes.message(key, user, hook);
      return { owner: key, subject: key, actor: user, scope, body: message };
    }
    case "message": {
      const { src, dst, message } = event.data;
      const key = userKey(dst);
      const scope = scopes.message(key, src);
      return { owner: key, subject: key, actor: src, scope, body: message };
    }
    case "hook": {
      const { hook, by } = event.data;
      const [owner, subject, scope] = [userKey(by), hookKey(hook), scopes.hook(by)];
      return { owner, subject, actor: by, scope, body: undefined };
    }
    case "unhook": {
      const { hook, by } = event.data;
      const [owner, subject, scope] = [userKey(by), hookKey(hook), scopes.unhook(hook, by)];
      return { owner, subject, actor: by, scope, body: undefined };
    }
  }
}

/**
 * The scopes in which ids of requests are unique. All of one scope lie in one lane, or in lanes of
 * former servers.
 */
export const scopes = {
  login: (user: UserName) => `login\n${user}`,
  channel: (channel: ChannelName, user: UserName | undefined) =>
    `channel\n${channel}\n${user ?? ""}`,
  removal: (channel: ChannelName, by: UserName) => `removal\n${channel}\n${by}`,
  message: (key: string, from: UserName, hook?: string) => {
    return `message\n${key}\n${from}${hook === undefined ? "" : `\n${hook}`}`;
  },
  hook: (by: UserName) => `hook\n${by}`,
  unhook: (hook: string, by: UserName) => `unhook\n${hook}\n${by}`,
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
