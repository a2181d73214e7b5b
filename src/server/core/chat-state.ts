import { compareOrder, type Event } from "../../protocol/event.ts";
import type { ChannelName, RequestId, ServerName, UserName } from "../../protocol/ids.ts";
import type { Vector } from "../../protocol/vector.ts";

/** What names an event and places it in the order. */
export interface Placed {
  readonly server: ServerName;
  readonly seq: number;
  readonly clock: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly id: RequestId | undefined;
}

/** A publication or a private message. */
export interface StoredMessage extends Placed {
  readonly from: UserName;
  readonly to: { readonly channel: ChannelName } | { readonly user: UserName };
  readonly text: string;
}

export function isCommitted(placed: Placed, committed: Vector): boolean {
  return placed.seq <= (committed[placed.server] ?? 0);
}

/** Inserts into a list in the total order; nearly always at its end. */
function insert<T extends Placed>(list: T[], item: T): void {
  let at = list.length;
  if (at > 0 && compareOrder(list[at - 1] as T, item) > 0) at = lowerBound(list, item);
  if (at === list.length) list.push(item);
  else list.splice(at, 0, item);
}

/** The first index whose item is not before `place` in the order. */
export function lowerBound(
  list: readonly Placed[],
  place: { readonly clock: number; readonly server: ServerName },
): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareOrder(list[middle] as Placed, place) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The messages of one channel, or all that a user sent or got in private. */
export class Conversation {
  /** In the total order, twins included. */
  readonly messages: StoredMessage[] = [];
  /** The same messages by the server that made them, by rising `seq`. */
  readonly byServer = new Map<ServerName, StoredMessage[]>();
  readonly #byId = new Map<RequestId, StoredMessage[]>();

  add(message: StoredMessage): void {
    insert(this.messages, message);
    const own = this.byServer.get(message.server);
    if (own === undefined) this.byServer.set(message.server, [message]);
    else own.push(message);
    if (message.id === undefined) return;
    const same = this.#byId.get(message.id);
    if (same === undefined) this.#byId.set(message.id, [message]);
    else insert(same, message);
  }

  /** All messages with this id by this sender to this target, the earliest in the order first. */
  twins(id: RequestId, from: UserName, to: StoredMessage["to"]): readonly StoredMessage[] {
    const same = this.#byId.get(id);
    if (same === undefined) return [];
    return same.filter((message) => message.from === from && sameTarget(message.to, to));
  }

  /** Whether a reader sees it: committed, and the earliest of its twins that are (R6). */
  shows(message: StoredMessage, committed: Vector): boolean {
    if (!isCommitted(message, committed)) return false;
    if (message.id === undefined) return true;
    const same = this.#byId.get(message.id);
    if (same === undefined || same.length === 1) return true;
    const twins = this.twins(message.id, message.from, message.to);
    return twins.find((twin) => isCommitted(twin, committed)) === message;
  }
}

function sameTarget(a: StoredMessage["to"], b: StoredMessage["to"]): boolean {
  if ("channel" in a) return "channel" in b && a.channel === b.channel;
  return "user" in b && a.user === b.user;
}

/** A channel's creation; whose it is belongs to the scope of its id (R6). */
export interface Creation extends Placed {
  readonly user: UserName | undefined;
}

export interface User {
  readonly name: UserName;
  /** In the total order. Empty for a name that so far is only somebody's recipient. */
  readonly logins: Placed[];
  readonly conversation: Conversation;
}

export interface Channel {
  readonly name: ChannelName;
  /**
   * In the total order: two servers that did not know of each other may both have created it.
   * Empty as long as only a publication to it has come.
   */
  readonly creations: Creation[];
  readonly conversation: Conversation;
}

/**
 * Users, channels, publications and private messages: a fold of the *set* of events that gives the
 * same state in whatever order they come (R4). Nothing is dropped because what it refers to is
 * missing: the cause may have come to another replica first.
 */
export class ChatState {
  readonly users = new Map<UserName, User>();
  readonly channels = new Map<ChannelName, Channel>();

  user(name: UserName): User {
    let user = this.users.get(name);
    if (user === undefined) {
      user = { name, logins: [], conversation: new Conversation() };
      this.users.set(name, user);
    }
    return user;
  }

  channel(name: ChannelName): Channel {
    let channel = this.channels.get(name);
    if (channel === undefined) {
      channel = { name, creations: [], conversation: new Conversation() };
      this.channels.set(name, channel);
    }
    return channel;
  }

  addLogin(name: UserName, login: Placed): void {
    insert(this.user(name).logins, login);
  }

  addCreation(name: ChannelName, creation: Creation): void {
    insert(this.channel(name).creations, creation);
  }

  addPublication(channel: ChannelName, message: StoredMessage): void {
    this.channel(channel).conversation.add(message);
  }

  addPrivate(dst: UserName, message: StoredMessage): void {
    this.user(dst).conversation.add(message);
    if (message.from !== dst) this.user(message.from).conversation.add(message);
  }

  knowsUser(name: UserName): boolean {
    return (this.users.get(name)?.logins.length ?? 0) > 0;
  }

  knowsChannel(name: ChannelName): boolean {
    return (this.channels.get(name)?.creations.length ?? 0) > 0;
  }
}

/** What all events share, as the state keeps it. */
export function place(event: Event, id: RequestId | undefined): Placed {
  return {
    server: event.server,
    seq: event.seq,
    clock: event.clock,
    time: event.timestamp,
    id,
  };
}
