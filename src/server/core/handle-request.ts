import { ProtocolError } from "../../protocol/errors.ts";
import type { Digest } from "../../protocol/event.ts";
import type { ServerName, UserName } from "../../protocol/ids.ts";
import type { LamportClock } from "../../protocol/lamport-clock.ts";
import { durations, limits } from "../../protocol/limits.ts";
import type { Grant, Incoming, Receipt, Refused, Request } from "../../protocol/messages.ts";
import type { TopicKey } from "../../protocol/sealed.ts";
import { isoTime } from "../../protocol/time.ts";
import { covers, type Vector } from "../../protocol/vector.ts";
import type { Auth } from "./access.ts";
import type { EventName } from "./accounts.ts";
import { type ChatState, type StoredMessage, sameTarget, type Target } from "./chat-state.ts";
import type { Now } from "./effects.ts";
import type { EventData, Operation } from "./events.ts";
import {
  changeAccount,
  changePassword,
  changeRegistration,
  keys,
  login,
  mayRegister,
} from "./handle-account.ts";
import { listChannels, listUsers, type Room, readHistory } from "./history.ts";
import type { Ledger } from "./ledger.ts";
import type { PasswordResult, PasswordWork } from "./passwords.ts";
import { idOf, type Placed } from "./placed.ts";
import type { Replication } from "./replication.ts";
import type { Answer, Pending } from "./requests.ts";

/** What becomes of a request. */
export type Decision =
  | { readonly next: "answer"; readonly answer: Answer }
  | { readonly next: "refuse"; readonly error: ProtocolError }
  /** The answer could depend on what is missing here: decide again once it is there (R9). */
  | { readonly next: "wait"; readonly until: Vector }
  /** The answer leaves once this event is committed. */
  | {
      readonly next: "commit";
      readonly event: Placed;
      readonly made: boolean;
      answer(): Answer;
    }
  /** The coordinator decides (E3). */
  | { readonly next: "claim" }
  /** A password has to be checked or hashed first, which takes a while. */
  | {
      readonly next: "password";
      readonly work: PasswordWork;
      settle(result: PasswordResult, now: Now): Decision;
    };

/** What the services read and write. */
export interface Services {
  readonly name: ServerName;
  readonly state: ChatState;
  readonly ledger: Ledger;
  readonly replication: Replication;
  readonly clock: LamportClock;
  readonly digest: Digest;
  readonly auth: Auth;
  status(now: Now): Answer;
  correctedMs(now: Now): number;
  topicKey(of: TopicKey): string;
}

export function isRefused(request: Incoming): request is Refused {
  return "refused" in request;
}

/** What a decision depends on beside the request. */
export interface Circumstances {
  readonly now: Now;
  /** Whether the request has waited already, and so is to be decided now. */
  readonly waited: boolean;
  /** What is left to the pages of its payload. */
  readonly room: Room;
}

export function decide(services: Services, request: Request, at: Circumstances): Decision {
  switch (request.service) {
    case "status":
      if (!charge(at.room, statusBytes)) return full();
      return { next: "answer", answer: { status: "OK", ...services.status(at.now) } };
    case "time": {
      const time = isoTime(services.correctedMs(at.now));
      return { next: "answer", answer: { status: "OK", time } };
    }
    case "users":
    case "channels":
    case "history":
      return read(services, request, at);
    case "login":
      return services.auth === "open"
        ? write(services, request, at)
        : (waits(services, request, at) ?? login(services, request));
    case "channel":
    case "publish":
    case "message":
      return write(services, request, at);
    case "register": {
      const error = services.auth === "open" ? undefined : mayRegister(services, request);
      return error === undefined ? { next: "claim" } : { next: "refuse", error };
    }
    case "password":
      return waits(services, request, at) ?? changePassword(services, request);
    case "account":
      return waits(services, request, at) ?? changeAccount(services, request, at.now);
    case "registration":
      return changeRegistration(services, request, at.now);
    case "keys":
      return waits(services, request, at) ?? keys(services, request, at.now);
    default:
      request satisfies never;
      throw new Error("a request passed the gate that no service takes");
  }
}

/**
 * What a read has to see: what its client has seen, or for a client that does not say, all that
 * this server had on disk when the request came (R9). Only what is committed is ever shown.
 */
function read(
  { state, ledger, replication }: Services,
  request: Extract<Request, { service: "users" | "channels" | "history" }>,
  { waited, room }: Circumstances,
): Decision {
  const { committed } = replication;
  const target = request.after ?? ledger.durable;
  if (!covers(committed, target)) {
    if (!waited) return { next: "wait", until: request.after ?? ledger.snapshot() };
    if (request.after !== undefined) return behind();
  }
  switch (request.service) {
    case "users": {
      room.users ??= listUsers(state, committed);
      if (!charge(room, namesBytes(room.users))) return full();
      return { next: "answer", answer: { status: "OK", users: room.users } };
    }
    case "channels": {
      room.channels ??= listChannels(state, committed);
      const { channels } = room;
      // The original text has the list of channels under `users`.
      if (!charge(room, 2 * namesBytes(channels))) return full();
      return { next: "answer", answer: { status: "OK", channels, users: channels } };
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
      const page = readHistory(conversation, request, committed, room);
      return { next: "answer", answer: { status: "OK", ...page } };
    }
    default:
      request satisfies never;
      throw new Error("no such read");
  }
}

/** An answer that depends on what its client has seen waits for it (R9). */
function waits(
  { replication }: Services,
  { after }: Request,
  { waited }: Circumstances,
): Decision | undefined {
  if (after === undefined || covers(replication.committed, after)) return undefined;
  return waited ? behind() : { next: "wait", until: after };
}

/** Bytes of a `status`, generously. */
const statusBytes = 16 * 1_024;

/** Takes what an answer needs from the room of its payload, if it is there. */
function charge(room: Room, bytes: number): boolean {
  if (bytes > room.bytes) return false;
  room.bytes -= bytes;
  return true;
}

/** Bytes of names in a reply: up to four a UTF-16 unit is never reached, three may be. */
function namesBytes(names: readonly string[]): number {
  return names.reduce((sum, name) => sum + 3 * name.length + 2, 0);
}

function full(): Decision {
  return refuse(
    new ProtocolError(
      "too_large",
      `What this payload asks for is above the ${limits.replyBytes} bytes of a reply.`,
    ),
  );
}

interface WriteCircumstances extends Pick<Circumstances, "now" | "waited"> {
  /** The session that a login gives, where accounts are. */
  readonly grant?: Grant | undefined;
}

type Write = Extract<Request, { service: "login" | "channel" | "publish" | "message" }>;

/**
 * A write answers with the event that already has its id, or makes one (R6). Users and channels
 * never go away, so a write that finds what it names need not wait for what the client has seen;
 * one that would fail, or succeed only because something is missing, does.
 */
export function write(services: Services, request: Write, at: WriteCircumstances): Decision {
  const { state, replication } = services;
  const { now, waited, grant } = at;
  const old = existing(state, request);
  if (old !== undefined) return commit(services, request, { event: old, made: false, grant });
  const problem = obstacle(state, request);
  const depends = problem !== undefined || request.service === "channel";
  if (depends && request.after !== undefined && !covers(replication.committed, request.after)) {
    return waited ? behind() : { next: "wait", until: request.after };
  }
  if (problem !== undefined) return refuse(problem);
  const event = make(services, request, now);
  const placed: Placed = { ...event, time: event.timestamp, id: request.id };
  return commit(services, request, { event: placed, made: true, grant });
}

/** The claim that the name belongs to an account by: nothing is granted on one that may still fall. */
function account(state: ChatState, user: UserName): EventName | undefined {
  const owner = state.accounts.owner(user);
  return owner === undefined ? undefined : { server: owner.server, seq: owner.seq };
}

function commit(
  { replication, state }: Services,
  request: Write,
  { event, made, grant }: { event: Placed; made: boolean; grant: Grant | undefined },
): Decision {
  const messaging = request.service === "publish" || request.service === "message";
  const answer = (): Answer => {
    const entry = receiptOf(event, replication);
    if (messaging) return { status: "OK", entry };
    if (request.service !== "login") return { status: "sucesso", entry };
    const signed = grant === undefined ? {} : { grant };
    return { status: "sucesso", entry, account: account(state, request.user), ...signed };
  };
  return { next: "commit", event, made, answer };
}

/** What a write answers with: which servers have its event on disk as the reply leaves. */
export function receiptOf(event: Placed, replication: Services["replication"]): Receipt {
  const { server, seq, clock } = event;
  const durable = replication.holders(server, seq);
  return { id: idOf(event), server, seq, clock, timestamp: isoTime(event.time), durable };
}

/** The event that an earlier copy of this request made, the earliest of several. */
function existing(state: ChatState, request: Write): Placed | undefined {
  const { id } = request;
  if (id === undefined) return undefined;
  switch (request.service) {
    case "login":
      return state.users.get(request.user)?.logins.find(id, () => true);
    case "channel":
      return state.channels
        .get(request.channel)
        ?.creations.slice()
        .find((creation) => creation.id === id && creation.user === request.user);
    case "publish": {
      const isIt = isOf(request.user, { channel: request.channel });
      return state.channels.get(request.channel)?.conversation.window.find(id, isIt);
    }
    case "message": {
      const isIt = isOf(request.src, { user: request.dst });
      // It stays while either party keeps it (J3).
      for (const party of [request.dst, request.src]) {
        const found = state.users.get(party)?.conversation.window.find(id, isIt);
        if (found !== undefined) return found;
      }
      return undefined;
    }
    default:
      request satisfies never;
      return undefined;
  }
}

function isOf(from: string, to: Target): (message: StoredMessage) => boolean {
  return (message) => message.from === from && sameTarget(message.to, to);
}

/** What stands against the write, by what this server holds. */
function obstacle(state: ChatState, request: Write): ProtocolError | undefined {
  switch (request.service) {
    case "login":
      return undefined;
    case "channel":
      if (!state.knowsChannel(request.channel)) return undefined;
      return new ProtocolError(
        "channel_exists",
        `The channel "${request.channel}" exists already.`,
      );
    case "publish":
      if (!state.knowsChannel(request.channel)) return noChannel(request.channel);
      return state.knowsUser(request.user) ? undefined : noUser(request.user);
    case "message":
      if (!state.knowsUser(request.src)) return noUser(request.src);
      return state.knowsUser(request.dst) ? undefined : noUser(request.dst);
    default:
      request satisfies never;
      return undefined;
  }
}

function make(services: Services, request: Write, now: Now) {
  const event = <O extends Operation>(operation: O, data: EventData[O]) =>
    services.ledger.make(operation, data, services.correctedMs(now));
  switch (request.service) {
    case "login":
      return event("login", { user: request.user, id: request.id });
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

function refuse(error: ProtocolError): Decision {
  return { next: "refuse", error };
}

function noChannel(channel: string): ProtocolError {
  return new ProtocolError("channel_not_found", `There is no channel "${channel}".`);
}

function noUser(user: string): ProtocolError {
  return new ProtocolError("user_not_found", `The user "${user}" has never logged in.`);
}

function behind(): Decision {
  return refuse(
    new ProtocolError(
      "behind",
      `This server lacks some of what \`after\` names, also after ${durations.coverMs} ms.`,
    ),
  );
}

/** A request that waits for what its client has seen, or for what was on disk when it came. */
export interface WaitingCover extends Pending {
  readonly request: Request;
  readonly connection: string;
  readonly until: Vector;
  readonly deadlineMs: number;
}
