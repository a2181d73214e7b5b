import assert from "node:assert";
import { type Fields, fieldsOf } from "../../../protocol/fields.ts";
import {
  type ChannelName,
  type HookName,
  readChannelName,
  readHookId,
  readHookName,
  readUserName,
  type UserName,
} from "../../../protocol/ids.ts";
import { isoTime } from "../../../protocol/time.ts";
import { parseVector, sorted, type Vector } from "../../../protocol/vector.ts";
import { changeFact } from "../replica/changes.ts";
import { enclosed, type Fact, type FactTable } from "../replica/fact.ts";
import { readFlag, readText } from "../replica/fields.ts";
import { idOf, type Placed, writePlace } from "../replica/placed.ts";
import type {
  Channel,
  ChannelChange,
  ChatState,
  Conversation,
  StoredMessage,
  User,
} from "./chat-state.ts";
import { toEntry } from "./history.ts";
import type { Hook, Revocation } from "./hooks.ts";
import { mergeInOrder } from "./merge-in-order.ts";

/** For each operation, the data of its events. */
export interface ChatData {
  login: { readonly user: UserName; readonly isProven?: boolean | undefined };
  channel: { readonly channel: ChannelName; readonly user?: UserName | undefined };
  publication: {
    readonly user: UserName;
    readonly channel: ChannelName;
    readonly message: string;
    /** The hook that wrote the message in the name of `user`. */
    readonly hook?: HookName | undefined;
  };
  message: { readonly src: UserName; readonly dst: UserName; readonly message: string };
  /** An administrator removes a channel, or restores it. */
  removal: Omit<ChannelChange, keyof Placed>;
  hook: Omit<Hook, keyof Placed>;
  /** The owner, or an administrator, revokes a hook. */
  unhook: Omit<Revocation, keyof Placed>;
}

export function chatFacts(chat: ChatState): FactTable<ChatData> {
  return {
    login: login(chat),
    channel: channel(chat),
    publication: publication(chat),
    message: message(chat),
    removal: {
      parse: (data) => {
        const { isRemoved } = data;
        assert(typeof isRemoved === "boolean", "`isRemoved` is not a boolean");
        return { channel: readChannelName(data.channel), isRemoved, by: readUserName(data.by) };
      },
      ...changeFact(chat.removals, ({ channel }) => channel),
      isOldRow: (row) => row.isRemoved !== undefined,
    },
    hook: {
      ...changeFact(chat.hooks.made, ({ hook }) => hook),
      parse: (data) => ({
        hook: readHookId(data.hook),
        channel: readChannelName(data.channel),
        name: readHookName(data.name),
        by: readUserName(data.by),
        isProven: readFlag(data.isProven),
      }),
      fold: (hook, placed) => chat.hooks.add({ ...hook, ...placed }),
    },
    unhook: {
      ...changeFact(chat.hooks.revocations, ({ hook }) => hook),
      parse: (data) => ({ hook: readHookId(data.hook), by: readUserName(data.by) }),
    },
  };
}

function login(chat: ChatState): Fact<ChatData["login"]> {
  return {
    parse: (data) => ({
      // An event has the user in the field `user`; a row of a saved state has the user in `login`.
      user: readUserName(data.user ?? data.login),
      isProven: readFlag(data.isProven),
    }),
    fold: ({ user, isProven }, placed) => chat.addLogin(user, { ...placed, isProven }),
    freeze: () => {
      const users = [...chat.users.values()].map(({ name, logins }) => {
        return { name, logins: logins.entries.slice() };
      });
      const known = users.filter(({ logins }) => logins.length > 0).sort(byName);
      return { entries: loginEntries(known), view: { name: "users.json", lines: timesOf(known) } };
    },
    isOldRow: (row) => row.login !== undefined,
  };
}

interface FrozenUser {
  readonly name: UserName;
  readonly logins: readonly (Placed & { readonly isProven?: boolean | undefined })[];
}

function* loginEntries(users: readonly FrozenUser[]): Generator<object> {
  for (const { name, logins } of users) {
    for (const one of logins) {
      yield { login: name, isProven: one.isProven, ...writePlace(one) };
    }
  }
}

/**
 * Returns the lines of a JSON object `{"ana":["2026-…"]}` with each user's login times, one user
 * per line.
 */
function timesOf(users: readonly FrozenUser[]): Iterable<string> {
  const rows = (function* () {
    for (const { name, logins } of users) {
      const times = withoutDuplicates(logins).map(({ time }) => isoTime(time));
      yield `${JSON.stringify(name)}:${JSON.stringify(times)}`;
    }
  })();
  return enclosed("{", "}", rows);
}

/** Keeps the earliest of the entries with the same id (R6). */
function withoutDuplicates(placed: readonly Placed[]): Placed[] {
  const seen = new Set<string>();
  return placed.filter((one) => {
    const id = idOf(one);
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}

function channel(chat: ChatState): Fact<ChatData["channel"]> {
  return {
    parse: (data) => ({
      channel: readChannelName(data.channel),
      user: data.user === undefined ? undefined : readUserName(data.user),
    }),
    fold: ({ channel, user }, placed) => chat.addCreation(channel, { ...placed, user }),
    freeze: () => {
      const channels = [...chat.channels.values()].sort(byName).map(({ name, creations }) => {
        return { name, creations: creations.slice() };
      });
      const entries = (function* () {
        for (const { name, creations } of channels) {
          for (const one of creations) yield { channel: name, user: one.user, ...writePlace(one) };
        }
      })();
      const existing = channels.filter(({ name }) => chat.knowsChannel(name));
      const names = existing.map(({ name }) => JSON.stringify(name));
      return { entries, view: { name: "channels.json", lines: enclosed("[", "]", names) } };
    },
    isOldRow: ({ channel, isRemoved }) => channel !== undefined && isRemoved === undefined,
  };
}

function publication(chat: ChatState): Fact<ChatData["publication"]> {
  const user = once(readUserName);
  const channel = once(readChannelName);
  const hookName = once(readHookName);
  return {
    parse: (data) => ({
      user: user(data.user),
      channel: channel(data.channel),
      message: readText(data, "message"),
      hook: data.hook === undefined ? undefined : hookName(data.hook),
    }),
    fold: ({ user, channel, message, hook }, placed) => {
      chat.addMessage({ from: user, to: { channel }, text: message, hook }, placed);
    },
    file: "publications.json",
    freeze: () => frozenMessages(chat.channels.values()),
    recall: (entry) => {
      recallDropped(entry, (name) => chat.channel(readChannelName(name)).conversation);
    },
  };
}

function message(chat: ChatState): Fact<ChatData["message"]> {
  const user = once(readUserName);
  return {
    parse: (data) => ({
      src: user(data.src),
      dst: user(data.dst),
      message: readText(data, "message"),
    }),
    fold: ({ src, dst, message }, placed) => {
      chat.addMessage({ from: src, to: { user: dst }, text: message, hook: undefined }, placed);
    },
    file: "messages.json",
    freeze: () => frozenMessages(chat.users.values()),
    recall: (entry) => recallDropped(entry, (name) => chat.user(readUserName(name)).conversation),
  };
}

/**
 * Returns the messages that the users or channels in `holders` keep, in the total order. A private
 * message that both parties keep is in both lists, but is returned once. The oldest message of a
 * conversation that has dropped messages also has `dropped`: for each such conversation, by the
 * name of its user or channel, the highest dropped `seq` of each server.
 */
function frozenMessages(holders: Iterable<User | Channel>): { readonly entries: Iterable<object> } {
  const lists: StoredMessage[][] = [];
  const droppedBelow = new Map<StoredMessage, Record<string, Vector>>();
  for (const { name, conversation } of holders) {
    const messages = conversation.window.entries.slice();
    lists.push(messages);
    const [oldest] = messages;
    const dropped = sorted(conversation.dropped);
    if (oldest === undefined || Object.keys(dropped).length === 0) continue;
    droppedBelow.set(oldest, { ...droppedBelow.get(oldest), [name]: dropped });
  }
  const entries = (function* () {
    let last: StoredMessage | undefined;
    for (const one of mergeInOrder(lists)) {
      if (one === last) continue;
      last = one;
      const dropped = droppedBelow.get(one);
      yield dropped === undefined ? toEntry(one) : { ...toEntry(one), dropped: byKey(dropped) };
    }
  })();
  return { entries };
}

/** Returns the map with its keys in order, so that equal states have equal bytes (R4). */
function byKey<Value>(map: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** @param find returns the conversation of a user or channel by its name */
function recallDropped({ dropped }: Fields, find: (name: string) => Conversation): void {
  if (dropped === undefined) return;
  for (const [name, vector] of Object.entries(fieldsOf(dropped))) {
    find(name).noteDropped(parseVector(vector, "dropped"));
  }
}

/**
 * Returns a parser that parses each name only once. Remembering the names costs little, because the
 * state keeps every name anyway.
 */
function once<T>(parse: (value: unknown) => T): (value: unknown) => T {
  const known = new Map<unknown, T>();
  return (value) => {
    let name = known.get(value);
    if (name === undefined) {
      name = parse(value);
      known.set(value, name);
    }
    return name;
  };
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
