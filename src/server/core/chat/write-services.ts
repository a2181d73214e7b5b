import type { RequestOf } from "../../../protocol/client-messages.ts";
import { ProtocolError } from "../../../protocol/errors.ts";
import type { Event } from "../../../protocol/event.ts";
import { object, optional } from "../../../protocol/fields.ts";
import {
  type HookName,
  parseChannelName,
  parseUserName,
  type UserName,
} from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import { oddityOf } from "../../../protocol/looks.ts";
import { message as text } from "../../../protocol/request-fields.ts";
import { idReused, noChannel, noUser, type Services } from "../serving/decision.ts";
import type { ServiceRows } from "../serving/service.ts";
import { decideWrite, type Write } from "../serving/write.ts";
import {
  type ChatState,
  type Conversation,
  type Ends,
  type StoredMessage,
  scopeOf,
} from "./chat-state.ts";

/** The services that write into the chat. The row of `login` is in `account-services.ts`. */
export const writeServices: ServiceRows<"channel" | "publish" | "message"> = {
  channel: {
    parse: object({ user: optional(parseUserName), channel: parseChannelName }),
    for: "users",
    as: creatorOf,
    sender: creatorOf,
    decide: (services, request, at) => decideWrite(services, request, { ...at, write: creation }),
    success: "sucesso",
  },
  publish: {
    parse: object({ user: parseUserName, channel: parseChannelName, message: text }),
    for: "users",
    as: ({ user }) => user,
    sender: ({ user }) => user,
    decide: (services, request, at) => {
      return decideWrite(services, request, { ...at, write: publication });
    },
    repeatsError: true,
  },
  message: {
    parse: object({ src: parseUserName, dst: parseUserName, message: text }),
    for: "users",
    as: ({ src }) => src,
    sender: ({ src }) => src,
    decide: (services, request, at) => {
      return decideWrite(services, request, { ...at, write: privateMessage });
    },
    repeatsError: true,
  },
};

/** The write of a login. In a cluster with accounts, the caller has checked the password. */
export const loginWrite: Write<RequestOf<"login">> = {
  existing: ({ chat }, { user }, id) => chat.users.get(user)?.logins.find(id, "", () => true),
  obstacle: (services, { user }) => oddUser(services, user),
  make: ({ ledger, auth }, { user, id }, timeMs) => {
    const isProven = auth === "required" ? true : undefined;
    return ledger.make("login", { user, isProven, id }, timeMs);
  },
};

/** A request that names no user acts as its session's user. */
function creatorOf({ user, session }: RequestOf<"channel">): UserName | undefined {
  return user ?? session?.user;
}

const creation: Write<RequestOf<"channel">> = {
  existing: ({ chat }, request, id) =>
    chat.channels
      .get(request.channel)
      ?.creations.slice()
      .find((one) => one.id === id && one.user === creatorOf(request)),
  needsAbsence: true,
  obstacle: (services, request) => {
    const { chat, auth } = services;
    const { channel } = request;
    const user = creatorOf(request);
    if (chat.isRemoved(channel)) return removedChannel(channel);
    const other = chat.knowsChannel(channel) ? channel : chat.channelLike(channel);
    if (other !== undefined) {
      const isSame = other === channel;
      const description = `The channel "${other}" exists already${isSame ? "" : ", and looks the same"}.`;
      const reason = isSame ? undefined : "name_confusable";
      return new ProtocolError("channel_exists", description, { reason });
    }
    // In an open cluster a limit for each user is useless, because anybody may use any name.
    const tooMany = auth === "required" ? tooManyChannels(chat, user) : undefined;
    return invalid(oddityOf(channel, "channel")) ?? oddUser(services, user) ?? tooMany;
  },
  make: ({ ledger }, request, timeMs) => {
    const { channel, id } = request;
    return ledger.make("channel", { channel, user: creatorOf(request), id }, timeMs);
  },
};

/** A request to publish, or what a hook makes of a request to `post`. */
type Publishing = RequestOf<"publish"> & { readonly hook?: HookName };
type Messaging = Publishing | RequestOf<"message">;

/** The differences between publications and private messages. */
interface MessageKind<R extends Messaging> {
  readonly endsOf: (request: R) => Ends;
  /** The channel or the users in whose conversations the message is kept. */
  readonly keepers: (
    chat: ChatState,
    request: R,
  ) => readonly ({ readonly conversation: Conversation } | undefined)[];
  /** Returns the error if this server does not know a user or the channel of the request. */
  readonly missing: (chat: ChatState, request: R) => ProtocolError | undefined;
  readonly make: (ledger: Services["ledger"], request: R, timeMs: number) => Event;
}

function messageWrite<R extends Messaging>(kind: MessageKind<R>): Write<R> {
  /** Finds a kept message with the request's id, sender and target. */
  const find = ({ chat }: Services, request: R, isWanted: (message: StoredMessage) => boolean) => {
    const { id } = request;
    if (id === undefined) return undefined;
    const ends = kind.endsOf(request);
    for (const keeper of kind.keepers(chat, request)) {
      const found = keeper?.conversation.window.find(id, scopeOf(ends), isWanted);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return {
    existing: (services, request) =>
      find(services, request, (message) => message.text === request.message),
    obstacle: (services, request) => {
      if (find(services, request, () => true) !== undefined) return idReused();
      return kind.missing(services.chat, request);
    },
    make: ({ ledger }, request, timeMs) => kind.make(ledger, request, timeMs),
    made: ({ publications }, request, { server, seq, clock, time, id }) => {
      const place = { server, seq, clock, time, id };
      const message = { ...place, ...kind.endsOf(request), text: request.message };
      publications.add(message, request.timestamp);
    },
  };
}

export const publication = messageWrite<Publishing>({
  endsOf: ({ user, channel, hook }) => ({ from: user, to: { channel }, hook }),
  keepers: (chat, { channel }) => [chat.channels.get(channel)],
  missing: (chat, { channel, user }) => {
    if (!chat.knowsChannel(channel)) return noChannel(channel);
    return chat.knowsUser(user) ? undefined : noUser(user);
  },
  make: (ledger, { user, channel, message, hook, id }, timeMs) => {
    return ledger.make("publication", { user, channel, message, hook, id }, timeMs);
  },
});

const privateMessage = messageWrite<RequestOf<"message">>({
  endsOf: ({ src, dst }) => ({ from: src, to: { user: dst }, hook: undefined }),
  // Both conversations are searched, because perhaps only one of them still keeps the message (J3).
  keepers: (chat, { src, dst }) => [chat.users.get(dst), chat.users.get(src)],
  missing: (chat, { src, dst }) => {
    if (!chat.knowsUser(src)) return noUser(src);
    return chat.knowsUser(dst) ? undefined : noUser(dst);
  },
  make: (ledger, { src, dst, message, id }, timeMs) => {
    return ledger.make("message", { src, dst, message, id }, timeMs);
  },
});

function removedChannel(channel: string): ProtocolError {
  const description = `An administrator has taken the channel "${channel}" away.`;
  return new ProtocolError("forbidden", description, { reason: "channel_removed" });
}

function tooManyChannels(chat: ChatState, user: UserName | undefined): ProtocolError | undefined {
  if (user === undefined || chat.channelsOf(user) < limits.userChannels) return undefined;
  const description = `"${user}" has made ${limits.userChannels} channels: an administrator can take some away.`;
  return new ProtocolError("forbidden", description, { reason: "too_many_channels" });
}

/**
 * Returns the error if the user's name breaks the rules for new names (W18). These rules apply only
 * to a name that nobody has used yet.
 */
function oddUser(
  { chat, accounts }: Services,
  user: UserName | undefined,
): ProtocolError | undefined {
  if (user === undefined || chat.knowsUser(user)) return undefined;
  if (accounts.owner(user) !== undefined) return undefined;
  return invalid(oddityOf(user, "user"));
}

function invalid(oddity: string | undefined): ProtocolError | undefined {
  return oddity === undefined ? undefined : new ProtocolError("name_invalid", oddity);
}
