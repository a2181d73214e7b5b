import type { ChannelName, ServerName, UserName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import { conversationTopic } from "../../../protocol/topics.ts";
import type { Vector } from "../../../protocol/vector.ts";
import { type Change, Changes } from "../replica/changes.ts";
import { isCommitted, type Placed } from "../replica/placed.ts";
import { SortedNames } from "./names.ts";
import { NamesByLook } from "./names-by-look.ts";
import { insert, type Sameness, Tail, Window } from "./window.ts";

export type Target = { readonly channel: ChannelName } | { readonly user: UserName };

interface NewMessage {
  readonly from: UserName;
  readonly to: Target;
  readonly text: string;
}

/** A publication or a private message. */
export interface StoredMessage extends Placed, NewMessage {}

/** How much of the past the state keeps (J3): the same on all servers, so that their states agree. */
export interface Retention {
  /** Publications in one channel. */
  readonly channelMessages: number;
  /** Private messages of one user; a message stays while either party keeps it. */
  readonly userMessages: number;
  readonly userLogins: number;
}

const defaultRetention: Retention = {
  channelMessages: limits.channelMessages,
  userMessages: limits.userMessages,
  userLogins: limits.userLogins,
};

/** The newest messages of one channel, or of all that a user sent or got in private. */
export class Conversation {
  readonly window: Window<StoredMessage>;
  /** The same messages by the server that made them, by rising `seq`. */
  readonly byServer = new Map<ServerName, Tail<StoredMessage>>();

  constructor(most: number) {
    this.window = new Window(most, ofOneRequest);
  }

  add(message: StoredMessage): void {
    let own = this.byServer.get(message.server);
    if (own === undefined) {
      own = new Tail();
      this.byServer.set(message.server, own);
    }
    own.push(message);
    // The lowest message of all is also the lowest of its server.
    for (const dropped of this.window.add(message)) this.byServer.get(dropped.server)?.shift();
  }
}

/** An id names its sender's request to a target, and what was asked for (R6). */
const ofOneRequest: Sameness<StoredMessage> = {
  scopeOf: ({ from, to }) => scopeOf(from, to),
  isDuplicate: (one, other) => one.text === other.text,
};

/** The scope of a message's id: its sender and its target. */
export function scopeOf(from: UserName, to: Target): string {
  return `${conversationTopic(to)}${from}`;
}

export interface Login extends Placed {
  /** Whether the user gave the account's password: never in an open cluster. */
  readonly isProven?: boolean | undefined;
}

/** A channel's creation; its user is the scope of its id (R6). */
export interface Creation extends Placed {
  readonly user: UserName | undefined;
}

/** An administrator took a channel away, or gave it back; the last change holds. */
export interface ChannelChange extends Change {
  readonly channel: ChannelName;
  readonly isRemoved: boolean;
}

export class User {
  readonly name: UserName;
  readonly to: Target;
  /** Empty for a name that so far has only received messages. */
  readonly logins: Window<Login>;
  readonly conversation: Conversation;

  constructor(name: UserName, { userLogins, userMessages }: Retention) {
    this.name = name;
    this.to = { user: name };
    this.logins = new Window(userLogins, { scopeOf: () => "", isDuplicate: () => true });
    this.conversation = new Conversation(userMessages);
  }

  get isKnown(): boolean {
    return this.logins.entries.length > 0;
  }

  /** A full window may have dropped its committed logins: then it counts as committed. */
  isCommitted(committed: Vector): boolean {
    return this.logins.isFull || some(this.logins.entries, committed);
  }
}

export class Channel {
  readonly name: ChannelName;
  readonly to: Target;
  /**
   * In the total order: two servers that did not know of each other may both have created it.
   * Empty while only publications to it have come.
   */
  readonly creations = new Tail<Creation>();
  readonly conversation: Conversation;

  constructor(name: ChannelName, { channelMessages }: Retention) {
    this.name = name;
    this.to = { channel: name };
    this.conversation = new Conversation(channelMessages);
  }

  get isKnown(): boolean {
    return this.creations.length > 0;
  }

  isCommitted(committed: Vector): boolean {
    return some(this.creations, committed);
  }
}

function some(list: Tail<Placed>, committed: Vector): boolean {
  for (let at = 0; at < list.length; at += 1) {
    if (isCommitted(list.at(at) as Placed, committed)) return true;
  }
  return false;
}

/**
 * Users, channels, publications and private messages: a fold of the *set* of events that gives the
 * same state in whatever order they come (R4). Nothing is dropped because what it refers to is
 * missing: the cause may have come to another replica first.
 */
export class ChatState {
  readonly users = new Map<UserName, User>();
  readonly channels = new Map<ChannelName, Channel>();
  readonly removals = new Changes<ChannelChange>();
  /** The names of all known users and channels. */
  readonly userNames = new SortedNames<UserName>();
  readonly channelNames = new SortedNames<ChannelName>();
  /** The channels that each user has made. */
  readonly #madeBy = new Map<UserName, Set<ChannelName>>();
  readonly #userLooks = new NamesByLook<UserName>();
  readonly #channelLooks = new NamesByLook<ChannelName>();
  readonly #retention: Retention;
  /** One string for each name, however many messages have it. */
  readonly #names = new Map<string, string>();

  constructor(retention: Retention = defaultRetention) {
    this.#retention = retention;
  }

  user(name: UserName): User {
    let user = this.users.get(name);
    if (user === undefined) {
      user = new User(name, this.#retention);
      this.users.set(name, user);
      this.#userLooks.add(name);
    }
    return user;
  }

  channel(name: ChannelName): Channel {
    let channel = this.channels.get(name);
    if (channel === undefined) {
      channel = new Channel(name, this.#retention);
      this.channels.set(name, channel);
      this.#channelLooks.add(name);
    }
    return channel;
  }

  addLogin(name: UserName, login: Login): void {
    const user = this.user(name);
    if (!user.isKnown) this.userNames.add(user.name);
    user.logins.add(login);
  }

  addCreation(name: ChannelName, creation: Creation): void {
    const channel = this.channel(name);
    if (!channel.isKnown) this.channelNames.add(channel.name);
    insert(channel.creations, creation);
    const { user } = creation;
    if (user === undefined) return;
    const made = this.#madeBy.get(user);
    if (made === undefined) this.#madeBy.set(user, new Set([channel.name]));
    else made.add(channel.name);
  }

  addMessage({ from, to, text }: NewMessage, placed: Placed): void {
    const owner = "channel" in to ? this.channel(to.channel) : this.user(to.user);
    const { server, seq, clock, time, id } = placed;
    const message: StoredMessage = {
      server: this.#once(server),
      seq,
      clock,
      time,
      id,
      from: this.#once(from),
      to: owner.to,
      text,
    };
    owner.conversation.add(message);
    if ("user" in to && from !== to.user) this.user(from).conversation.add(message);
  }

  knowsUser(name: UserName): boolean {
    return this.users.get(name)?.isKnown === true;
  }

  /** Whether the channel exists: it was made, and no administrator has taken it away. */
  knowsChannel(name: ChannelName): boolean {
    return this.channels.get(name)?.isKnown === true && !this.isRemoved(name);
  }

  /** The number of the user's channels, without those that were taken away. */
  channelsOf(user: UserName): number {
    const made = [...(this.#madeBy.get(user) ?? [])];
    return made.filter((name) => !this.isRemoved(name)).length;
  }

  /** A user who has logged in, written or received, and whose name looks the same. */
  userLike(name: UserName): UserName | undefined {
    const [first] = this.#userLooks.like(name);
    return first;
  }

  /** An existing channel whose name looks the same. */
  channelLike(name: ChannelName): ChannelName | undefined {
    for (const other of this.#channelLooks.like(name)) {
      if (this.knowsChannel(other)) return other;
    }
    return undefined;
  }

  isRemoved(channel: ChannelName): boolean {
    return this.removals.last(channel)?.isRemoved === true;
  }

  #once<T extends string>(name: T): T {
    const known = this.#names.get(name);
    if (known !== undefined) return known as T;
    this.#names.set(name, name);
    return name;
  }
}
