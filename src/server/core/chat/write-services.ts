import type { Grant, Request } from "../../../protocol/client-messages.ts";
import { ProtocolError } from "../../../protocol/errors.ts";
import type { UserName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import { oddityOf } from "../../../protocol/looks.ts";
import type { ClaimPlace } from "../../../protocol/replies.ts";
import { covers } from "../../../protocol/vector.ts";
import type { Accounts } from "../accounts/accounts.ts";
import type { Now } from "../effects.ts";
import type { EventData, Operation } from "../facts.ts";
import type { Placed } from "../replica/placed.ts";
import {
  behind,
  type Circumstances,
  type Decision,
  idReused,
  noChannel,
  noUser,
  receiptOf,
  refuse,
  type Services,
} from "../serving/decision.ts";
import type { Answer } from "../serving/payload-reply.ts";
import { type ChatState, type StoredMessage, scopeOf } from "./chat-state.ts";

interface WriteCircumstances extends Pick<Circumstances, "now" | "waited"> {
  /** The session that a login gives, where accounts are. */
  readonly grant?: Grant | undefined;
}

type Write = Extract<Request, { service: "login" | "channel" | "publish" | "message" }>;
type Messaging = Extract<Write, { service: "publish" | "message" }>;

/**
 * A write answers with the event that already has its id, or makes one (R6). Users never go away,
 * and a channel that is taken away only hides its messages (A10). So a write that finds what it
 * names need not wait for what the client has seen. A write that would fail, or would succeed only
 * because something is missing, waits.
 */
export function write(
  services: Services,
  request: Write,
  at: WriteCircumstances,
): Decision<Write["service"]> {
  const { state, replication } = services;
  const { now, waited, grant } = at;
  const old = existing(state, request);
  if (old !== undefined) return commit(services, request, { event: old, made: false, grant });
  const problem = obstacle(services, request);
  const depends = problem !== undefined || request.service === "channel";
  if (depends && request.after !== undefined && !covers(replication.committed, request.after)) {
    return waited ? behind() : { next: "wait", until: request.after };
  }
  if (problem !== undefined) return refuse(problem);
  const event = make(services, request, now);
  const placed: Placed = { ...event, time: event.timestamp, id: request.id };
  return commit(services, request, { event: placed, made: true, grant });
}

/**
 * The claim that the name belongs to an account by: nothing is granted on one that may still fall.
 */
function account(accounts: Accounts, user: UserName): ClaimPlace | undefined {
  const owner = accounts.owner(user);
  return owner === undefined ? undefined : { server: owner.server, seq: owner.seq };
}

function commit(
  { replication, accounts }: Services,
  request: Write,
  { event, made, grant }: { event: Placed; made: boolean; grant: Grant | undefined },
): Decision<Write["service"]> {
  const answer = (): Answer<Write["service"]> => {
    const entry = receiptOf(event, replication);
    if (request.service !== "login") return { entry };
    return { entry, account: account(accounts, request.user), grant };
  };
  return { next: "commit", event, made, answer };
}

/** The event that an earlier copy of this request made; the earliest of several. */
function existing(state: ChatState, request: Write): Placed | undefined {
  const { id } = request;
  if (id === undefined) return undefined;
  switch (request.service) {
    case "login":
      return state.users.get(request.user)?.logins.find(id, "", () => true);
    case "channel":
      return state.channels
        .get(request.channel)
        ?.creations.slice()
        .find((creation) => creation.id === id && creation.user === request.user);
    case "publish":
    case "message":
      return findMessage(state, request, ({ text }) => text === request.message);
    default:
      request satisfies never;
      return undefined;
  }
}

/** A message under the request's id, from its sender to its target. */
function findMessage(
  state: ChatState,
  request: Messaging,
  isWanted: (message: StoredMessage) => boolean,
): StoredMessage | undefined {
  const { id } = request;
  if (id === undefined) return undefined;
  const [from, to, conversations] =
    request.service === "publish"
      ? [request.user, { channel: request.channel }, [state.channels.get(request.channel)]]
      : // It stays while either party keeps it (J3).
        [
          request.src,
          { user: request.dst },
          [request.dst, request.src].map((user) => state.users.get(user)),
        ];
  for (const holder of conversations) {
    const found = holder?.conversation.window.find(id, scopeOf(from, to), isWanted);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What stands against the write, by what this server holds. */
function obstacle(services: Services, request: Write): ProtocolError | undefined {
  const { state, auth } = services;
  switch (request.service) {
    case "login":
      return oddUser(services, request.user);
    case "channel": {
      const { channel, user } = request;
      if (state.isRemoved(channel)) return removedChannel(channel);
      const other = state.knowsChannel(channel) ? channel : state.channelLike(channel);
      if (other !== undefined) {
        const isSame = other === channel;
        const description = `The channel "${other}" exists already${isSame ? "" : ", and looks the same"}.`;
        const reason = isSame ? undefined : "name_confusable";
        return new ProtocolError("channel_exists", description, { reason });
      }
      // In an open cluster anybody may use any name.
      const tooMany = auth === "required" ? tooManyChannels(state, user) : undefined;
      return invalid(oddityOf(channel, "channel")) ?? oddUser(services, user) ?? tooMany;
    }
    case "publish":
      if (findMessage(state, request, () => true) !== undefined) return idReused();
      if (!state.knowsChannel(request.channel)) return noChannel(request.channel);
      return state.knowsUser(request.user) ? undefined : noUser(request.user);
    case "message":
      if (findMessage(state, request, () => true) !== undefined) return idReused();
      if (!state.knowsUser(request.src)) return noUser(request.src);
      return state.knowsUser(request.dst) ? undefined : noUser(request.dst);
    default:
      request satisfies never;
      return undefined;
  }
}

function removedChannel(channel: string): ProtocolError {
  const description = `An administrator has taken the channel "${channel}" away.`;
  return new ProtocolError("forbidden", description, { reason: "channel_removed" });
}

function tooManyChannels(state: ChatState, user: UserName | undefined): ProtocolError | undefined {
  if (user === undefined || state.channelsOf(user) < limits.userChannels) return undefined;
  const description = `"${user}" has made ${limits.userChannels} channels: an administrator can take some away.`;
  return new ProtocolError("forbidden", description, { reason: "too_many_channels" });
}

/** The rules for new names hold for a name that nobody has used yet (W18). */
function oddUser(
  { state, accounts }: Services,
  user: UserName | undefined,
): ProtocolError | undefined {
  if (user === undefined || state.knowsUser(user)) return undefined;
  if (accounts.owner(user) !== undefined) return undefined;
  return invalid(oddityOf(user, "user"));
}

function invalid(oddity: string | undefined): ProtocolError | undefined {
  return oddity === undefined ? undefined : new ProtocolError("name_invalid", oddity);
}

function make(services: Services, request: Write, now: Now) {
  const event = <O extends Operation>(
    operation: O,
    data: EventData[O] & { readonly id?: Placed["id"] },
  ) => services.ledger.make(operation, data, services.correctedMs(now));
  switch (request.service) {
    case "login": {
      const isProven = services.auth === "required" ? true : undefined;
      return event("login", { user: request.user, isProven, id: request.id });
    }
    case "channel":
      return event("channel", { channel: request.channel, user: request.user, id: request.id });
    case "publish": {
      const { user, channel, message, id } = request;
      return event("publication", { user, channel, message, id });
    }
    case "message": {
      const { src, dst, message, id } = request;
      return event("message", { src, dst, message, id });
    }
    default:
      request satisfies never;
      throw new Error("no such write");
  }
}
