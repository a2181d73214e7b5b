import type { Request } from "../../protocol/client-messages.ts";
import type { ChannelName, UserName } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { isoTime } from "../../protocol/time.ts";
import { covers } from "../../protocol/vector.ts";
import {
  changeAccount,
  changeChannel,
  changePassword,
  changeRegistration,
  keys,
  login,
  mayRegister,
} from "./accounts/account-services.ts";
import { readHistory } from "./chat/history.ts";
import { nameBytes, readNames } from "./chat/names.ts";
import { write } from "./chat/write-services.ts";
import {
  behind,
  type Circumstances,
  charge,
  type Decision,
  full,
  noChannel,
  noUser,
  refuse,
  type Services,
} from "./serving/decision.ts";

export function decide(services: Services, request: Request, at: Circumstances): Decision {
  switch (request.service) {
    case "status":
      return status(services, at);
    case "time": {
      const time = isoTime(services.correctedMs(at.now));
      return { next: "answer", answer: { time } };
    }
    case "users":
    case "channels":
    case "history":
      return read(services, request, at);
    case "login":
      return services.auth === "open" ? write(services, request, at) : login(services, request);
    case "channel":
    case "publish":
    case "message":
      return write(services, request, at);
    case "register": {
      const error = mayRegister(services, request, at.now);
      if (error === undefined) return { next: "claim" };
      const wait = waits(services, request, at) ?? refuse(error);
      return wait.next === "wait" ? { ...wait, error } : wait;
    }
    case "password":
      return changePassword(services, request);
    case "account":
      return waits(services, request, at) ?? changeAccount(services, request, at.now);
    case "registration":
      return changeRegistration(services, request, at.now);
    case "removal":
      return waits(services, request, at) ?? changeChannel(services, request, at.now);
    case "keys":
      return waits(services, request, at) ?? keys(services, request, at);
    case "presence":
      return presence(services, request, at);
    default:
      request satisfies never;
      throw new Error("a request passed the gate that no service takes");
  }
}

type Read = "users" | "channels" | "history";

/**
 * What a read has to see: what its client has seen, or for a client that does not say, all that
 * this server had on disk when the request came (R9). Only what is committed is ever shown.
 */
function read(
  { state, ledger, replication }: Services,
  request: Extract<Request, { service: Read }>,
  { waited, room }: Circumstances,
): Decision<Read> {
  const { committed } = replication;
  const target = request.after ?? ledger.durable;
  if (!covers(committed, target)) {
    if (!waited) return { next: "wait", until: request.after ?? ledger.snapshot() };
    if (request.after !== undefined) return behind();
  }
  switch (request.service) {
    case "users": {
      const isShown = (name: UserName) => state.users.get(name)?.isCommitted(committed) === true;
      const options = { room, copies: 1, isShown };
      const { names, next } = readNames(state.userNames.sorted, request, options);
      return { next: "answer", answer: { users: names, next } };
    }
    case "channels": {
      const isShown = (name: ChannelName) =>
        state.knowsChannel(name) && state.channels.get(name)?.isCommitted(committed) === true;
      const options = { room, copies: 2, isShown };
      const { names, next } = readNames(state.channelNames.sorted, request, options);
      // The original text has the list of channels under `users`.
      return { next: "answer", answer: { channels: names, users: names, next } };
    }
    case "history": {
      const { channel, user } = request.conversation;
      const conversation =
        channel === undefined
          ? state.users.get(user)?.conversation
          : state.channels.get(channel)?.conversation;
      const known = channel === undefined ? state.knowsUser(user) : state.knowsChannel(channel);
      if (conversation === undefined || !known) {
        return refuse(channel === undefined ? noUser(user) : noChannel(channel));
      }
      const page = readHistory(conversation, request, { committed, room });
      return { next: "answer", answer: page };
    }
    default:
      request satisfies never;
      throw new Error("no such read");
  }
}

/** An answer that depends on what its client has seen waits for it (R9). */
export function waits(
  { replication }: Services,
  { after }: Request,
  { waited }: Pick<Circumstances, "waited">,
): Decision<never> | undefined {
  if (after === undefined || covers(replication.committed, after)) return undefined;
  return waited ? behind() : { next: "wait", until: after };
}

/** Users never go away: only who is not known here waits for what the client has seen (R9). */
function presence(
  services: Services,
  request: Extract<Request, { service: "presence" }>,
  at: Circumstances,
): Decision<"presence"> {
  const { user } = request;
  const { steadyMs } = at.now;
  if (!services.state.knowsUser(user)) return waits(services, request, at) ?? refuse(noUser(user));
  services.presence.hear({ ...request, clock: services.clock.tick() }, steadyMs);
  const present = services.presence.list(steadyMs);
  const bytes = present.reduce((sum, one) => sum + nameBytes(one.user) + presentBytes, 0);
  if (!charge(at.room, bytes)) return full();
  return { next: "answer", answer: { present } };
}

/** Bytes around a name in the list of who is there. */
const presentBytes = 30;

/** The same for all requests of a payload, and no less dear to send. */
function status(services: Services, { now, room }: Circumstances): Decision<"status"> {
  room.status ??= services.status(now);
  const rows = room.status.members.length + room.status.processes.length;
  if (!charge(room, limits.statusRowBytes * (1 + rows))) return full();
  return { next: "answer", answer: room.status };
}
