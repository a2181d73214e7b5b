import type { HistoryQuery, ParsedRequest, RequestOf } from "../../../protocol/client-messages.ts";
import { parseCursor } from "../../../protocol/cursor.ts";
import { ProtocolError } from "../../../protocol/errors.ts";
import { type Fields, object, optional } from "../../../protocol/fields.ts";
import {
  assertReadable,
  type ChannelName,
  parseChannelName,
  parseUserName,
  type UserName,
} from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import type { HistoryPage, Replies } from "../../../protocol/replies.ts";
import { client, limit, namePart, presenceState } from "../../../protocol/request-fields.ts";
import type { ConversationName } from "../../../protocol/topics.ts";
import { covers, parseVector } from "../../../protocol/vector.ts";
import {
  type Circumstances,
  charge,
  type Decision,
  full,
  noChannel,
  noUser,
  refuse,
  type Services,
  waits,
} from "../serving/decision.ts";
import type { ServiceRows } from "../serving/service.ts";
import type { Conversation } from "./chat-state.ts";
import { readHistory } from "./history.ts";
import { nameBytes, readNames } from "./names.ts";

const namesQuery = object({
  prefix: optional(namePart),
  from: optional(namePart),
  limit: (value, name) => (value === undefined ? undefined : limit(value, name)),
});

/** The services that read the chat, and the service `presence`. */
export const readServices: ServiceRows<"users" | "channels" | "history" | "presence"> = {
  users: {
    parse: namesQuery,
    for: "users",
    decide: read(({ chat, replication }, request, { room }) => {
      const isShown = (name: UserName) =>
        chat.users.get(name)?.isCommitted(replication.committed) === true;
      const options = { room, copies: 1, isShown };
      const { names, next } = readNames(chat.userNames.sorted, request, options);
      return { next: "answer", answer: { users: names, next } };
    }),
  },
  channels: {
    parse: namesQuery,
    for: "users",
    decide: read(({ chat, replication }, request, { room }) => {
      const isShown = (name: ChannelName) =>
        chat.knowsChannel(name) &&
        chat.channels.get(name)?.isCommitted(replication.committed) === true;
      const options = { room, copies: 2, isShown };
      const { names, next } = readNames(chat.channelNames.sorted, request, options);
      // In the original protocol the list of channels is in the field `users`, so the answer has
      // both fields.
      return { next: "answer", answer: { channels: names, users: names, next } };
    }),
  },
  history: {
    parse: parseHistoryQuery,
    for: "users",
    // A user may read the history of any channel, but only their own private messages.
    as: ({ conversation }) => conversation.user,
    decide: read(history),
  },
  presence: {
    parse: object({ client: readableClient, user: parseUserName, state: presenceState }),
    for: "users",
    as: ({ user }) => user,
    decide: presence,
  },
};

type Decide<R, Answer extends object> = (
  services: Services,
  request: R,
  at: Circumstances,
) => Decision<Answer>;

/**
 * Makes a read wait until all of `after` is committed (R9). Without `after`, the read waits for all
 * events that this server had on disk when the request came. If the wait takes too long, a read
 * with `after` fails, and a read without `after` is answered. Reads show only committed events.
 */
export function read<R extends ParsedRequest, Answer extends object>(
  decide: Decide<R, Answer>,
): Decide<R, Answer> {
  return (services, request, at) => {
    const { ledger, replication } = services;
    const isNew = request.after === undefined && !at.waited;
    if (isNew && !covers(replication.committed, ledger.durable)) {
      return { next: "wait", until: ledger.snapshot() };
    }
    return waits(services, request, at) ?? decide(services, request, at);
  };
}

function history(
  { chat, replication }: Services,
  request: RequestOf<"history">,
  { room }: Circumstances,
): Decision<HistoryPage> {
  const conversation = conversationIn(chat, request.conversation);
  if (conversation === undefined) return refuse(noConversation(request.conversation));
  const { committed } = replication;
  return { next: "answer", answer: readHistory(conversation, request, { committed, room }) };
}

/** @returns undefined if there is no such conversation, or if its channel is removed */
export function conversationIn(
  chat: Services["chat"],
  { channel, user }: ConversationName,
): Conversation | undefined {
  if (channel === undefined) {
    return chat.knowsUser(user) ? chat.users.get(user)?.conversation : undefined;
  }
  return chat.knowsChannel(channel) ? chat.channels.get(channel)?.conversation : undefined;
}

export function noConversation({ channel, user }: ConversationName): ProtocolError {
  return channel === undefined ? noUser(user) : noChannel(channel);
}

/**
 * Decides a presence report. The report waits only if this server does not know the user, because
 * no later event makes a known user unknown (R9).
 */
function presence(
  services: Services,
  request: RequestOf<"presence">,
  at: Circumstances,
): Decision<Replies["presence"]> {
  const { user } = request;
  const { steadyMs } = at.now;
  if (!services.chat.knowsUser(user)) return waits(services, request, at) ?? refuse(noUser(user));
  services.presence.hear({ ...request, clock: services.clock.tick() }, steadyMs);
  const present = services.presence.list(steadyMs);
  const bytes = present.reduce((sum, one) => sum + nameBytes(one.user) + presentBytes, 0);
  if (!charge(at.room, bytes)) return full();
  return { next: "answer", answer: { present } };
}

/** The bytes of one entry in the list of present users, without the name. */
const presentBytes = 30;

function readableClient(value: unknown, name: string): string {
  const text = client(value, name);
  assertReadable(text, name);
  return text;
}

const place = object<Pick<HistoryQuery, "with" | "before">>({
  with: optional(parseUserName),
  before: optional(parseCursor),
});
const start = optional(parseVector);

function parseHistoryQuery(data: Fields): HistoryQuery {
  const page = parsePage("history", data);
  if (data.before != null && data.since != null) {
    throw new ProtocolError("bad_request", "`history` takes either `before` or `since`.");
  }
  return { ...page, since: start(data.since, "since") };
}

/** Reads which page of which conversation is asked for. */
export function parsePage(service: string, data: Fields): Omit<HistoryQuery, "since"> {
  const { channel, user } = data;
  if ((channel == null) === (user == null)) {
    throw new ProtocolError("bad_request", `\`${service}\` takes either \`channel\` or \`user\`.`);
  }
  if (data.with != null && user == null) {
    throw new ProtocolError("bad_request", "`with` goes with `user` only.");
  }
  return {
    conversation:
      channel == null ? { user: parseUserName(user) } : { channel: parseChannelName(channel) },
    ...place(data),
    limit: limit(data.limit ?? limits.historyEntriesDefault, "limit"),
  };
}
