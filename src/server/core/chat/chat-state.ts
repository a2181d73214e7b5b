import type { ChannelName, HookName, ServerName, UserName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import { conversationTopic } from "../../../protocol/topics.ts";
import { type MutableVector, raise, type Vector } from "../../../protocol/vector.ts";
import { type Change, Changes } from "../replica/changes.ts";
import { isCommitted, type Placed } from "../replica/placed.ts";
import { Hooks } from "./hooks.ts";
import { SortedNames } from "./names.ts";
import { NamesByLook } from "./names-by-look.ts";
import { insert, type Sameness, Tail, Window } from "./window.ts";

export type Target = { readonly channel: ChannelName } | { readonly user: UserName };

/** The author and the receivers of a message. */
export interface Ends {
  readonly from: UserName;
  readonly to: Target;
  /** The hook that wrote the message in the name of `from`. */
  readonly hook: HookName | undefined;
}

interface NewMessage extends Ends {
  readonly text: string;
}

/** A publication or a private message. */
export interface StoredMessage extends Placed, NewMessage {}

/**
 * How many messages and logins the state keeps (J3). All servers need the same values, so that
 * their states agree.
 */
export interface Retention {
  /** The most publications to keep in each channel. */
  readonly channelMessages: number;
  /**
   * The most private messages to keep for each user. A message stays while its sender or its
   * receiver keeps it.
   */
  readonly userMessages: number;
  readonly userLogins: number;
}

const defaultRetention: Retention = {
  channelMessages: limits.channelMessages,
  userMessages: limits.userMessages,
  userLogins: limits.userLogins,
};

/**
 * The newest messages of one channel, or the newest private messages that one user sent or
 * received.
 */
export class Conversation {
  readonly window: Window<StoredMessage>;
  /** The messages of `window` by origin; those of each origin are sorted by `seq`. */
  readonly byServer = new Map<ServerName, Tail<StoredMessage>>();
  /**
   * For each origin, the highest `seq` of the messages that the window has dropped. It depends only
   * on the set of added messages, as the window does (R4).
   */
  readonly #dropped: MutableVector = {};

  constructor(most: number) {
    this.window = new Window(most, ofOneRequest);
  }

  get dropped(): Vector {
    return this.#dropped;
  }

  add(message: StoredMessage): void {
    let own = this.byServer.get(message.server);
    if (own === undefined) {
      own = new Tail();
      this.byServer.set(message.server, own);
    }
    insert(own, message);
    // The window drops its lowest message in the total order, which is the first message of its
    // origin.
    for (const { server, seq } of this.window.add(message)) {
      this.byServer.get(server)?.shift();
      this.noteDropped({ [server]: seq });
    }
  }

  /** Records dropped messages, by the highest `seq` of each origin. */
  noteDropped(dropped: Vector): void {
    raise(this.#dropped, dropped);
  }
}

/**
 * Two messages with the same id are duplicates if their senders, targets and texts are equal (R6).
 */
const ofOneRequest: Sameness<StoredMessage> = {
  scopeOf,
  isDuplicate: (one, other) => one.text === other.text,
};

/**
 * The scope of a message's id: its sender, its hook and its target. So the ids of two hooks, and of
 * their owner, are independent.
 */
export function scopeOf({ from, to, hook }: Ends): string {
  const sender = `${conversationTopic(to)}${from}`;
  return hook === undefined ? sender : `${sender}\0${hook}`;
}

export interface Login extends Placed {
  /** Whether the user gave the account's password; never true in an open cluster. */
  readonly isProven?: boolean | undefined;
}

/** The creation of a channel. Equal ids of different users belong to different requests (R6). */
export interface Creation extends Placed {
  readonly user: UserName | undefined;
}

/** An administrator's removal or restoration of a channel; the last change is in force. */
export interface ChannelChange extends Change {
  readonly channel: ChannelName;
  readonly isRemoved: boolean;
}

export class User {
  readonly name: UserName;
  readonly to: Target;
  /** The user's newest logins. The list is empty if the name occurs only in private messages. */
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

  /**
   * Whether a login of the user is committed. A full window of logins counts as having a committed
   * login, because the window may have dropped a committed login.
   */
  isCommitted(committed: Vector): boolean {
    return this.logins.isFull || some(this.logins.entries, committed);
  }
}

export class Channel {
  readonly name: ChannelName;
  readonly to: Target;
  /**
   * The creations of the channel, in the total order. There can be several, because two servers may
   * create the channel at the same time. Empty if publications to the channel have arrived before
   * its creation.
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
 * Users, channels, publications and private messages. The state depends on the *set* of events, not
 * on the order in which they come (R4). An event stays even if the user or channel in it is
 * unknown, because the event that makes them known may come later.
 */
export class ChatState {
  readonly users = new Map<UserName, User>();
  readonly channels = new Map<ChannelName, Channel>();
  readonly removals = new Changes<ChannelChange>();
  readonly hooks = new Hooks();
  /** The sorted names of all known users, and of all channels that were ever created. */
  readonly userNames = new SortedNames<UserName>();
  readonly channelNames = new SortedNames<ChannelName>();
  /** The channels that each user has created, including removed channels. */
  readonly #madeBy = new Map<UserName, Set<ChannelName>>();
  readonly #userLooks = new NamesByLook<UserName>();
  readonly #channelLooks = new NamesByLook<ChannelName>();
  readonly #retention: Retention;
  /** One string object for each name, also of hooks, shared by all messages with the name, to save memory. */
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

  addMessage({ from, to, text, hook }: NewMessage, placed: Placed): void {
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
      hook: hook && this.#once(hook),
      text,
    };
    owner.conversation.add(message);
    if ("user" in to && from !== to.user) this.user(from).conversation.add(message);
  }

  knowsUser(name: UserName): boolean {
    return this.users.get(name)?.isKnown === true;
  }

  /** Whether the channel exists: it was created, and is not removed by an administrator. */
  knowsChannel(name: ChannelName): boolean {
    return this.channels.get(name)?.isKnown === true && !this.isRemoved(name);
  }

  /** The number of channels that the user created, without removed channels. */
  channelsOf(user: UserName): number {
    const made = [...(this.#madeBy.get(user) ?? [])];
    return made.filter((name) => !this.isRemoved(name)).length;
  }

  /**
   * Returns a user whose name equals `name` or has the same looks. The user has logged in, or has
   * sent or received private messages.
   */
  userLike(name: UserName): UserName | undefined {
    const [first] = this.#userLooks.like(name);
    return first;
  }

  /** Returns an existing channel whose name equals `name` or has the same looks. */
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
