import type {
  Grant,
  ParsedRequest,
  Receipt,
  SearchQuery,
} from "../../../protocol/client-messages.ts";
import { ProtocolError } from "../../../protocol/errors.ts";
import type { Digest } from "../../../protocol/event.ts";
import type { Chain, ServerName, UserName } from "../../../protocol/ids.ts";
import type { LamportClock } from "../../../protocol/lamport-clock.ts";
import { durations, limits } from "../../../protocol/limits.ts";
import type { Decided, Operation } from "../../../protocol/operation.ts";
import type { PasswordResult, PasswordWork } from "../../../protocol/password-work.ts";
import type { Entry } from "../../../protocol/publications.ts";
import type { StatusReply } from "../../../protocol/replies.ts";
import type { TopicKey } from "../../../protocol/sealed.ts";
import { isoTime } from "../../../protocol/time.ts";
import { servers, slotKey, type Vector } from "../../../protocol/vector.ts";
import type { Auth } from "../accounts/access.ts";
import type { Accounts } from "../accounts/accounts.ts";
import type { ChatState } from "../chat/chat-state.ts";
import type { Room } from "../chat/history.ts";
import type { Presence } from "../chat/presence.ts";
import type { Publications } from "../chat/publications.ts";
import type { DecisionLog } from "../decisions/decision-log.ts";
import type { Now } from "../effects.ts";
import type { EventData } from "../facts.ts";
import type { Matches } from "../matches/matches.ts";
import type { LedgerOf } from "../replica/ledger.ts";
import { idOf, type Placed } from "../replica/placed.ts";
import type { Replication } from "../replica/replication.ts";
import type { Shop } from "../shop/shop.ts";

/** The answer of a service, with the session that it grants, if any. */
export type Granting<Answer extends object> = Answer & { readonly grant?: Grant | undefined };

export type Decision<Answer extends object = object> =
  | {
      readonly next: "answer";
      readonly answer: Granting<Answer>;
      /** The slot of the operation that the answer tells of (R9). */
      readonly slot?: number;
    }
  | {
      readonly next: "refuse";
      readonly error: ProtocolError;
      /** The slot of the operation that the error tells of (R9). */
      readonly slot?: number | undefined;
    }
  /**
   * The answer could depend on events that this server lacks. The request is decided again once
   * `until` is committed (R9).
   */
  | {
      readonly next: "wait";
      readonly until: Vector;
      /** The error with which this server would refuse the request if the request did not wait. */
      readonly error?: ProtocolError;
    }
  /** The answer is sent once this event is committed. */
  | {
      readonly next: "commit";
      readonly event: Placed;
      /**
       * Whether the answer waits for all live members even if the request has `after` (Q7), because
       * other programs use the result, and know no `after`.
       */
      readonly isForAll?: true;
      answer(): Granting<Answer>;
    }
  /** The log of decisions decides an operation (D5). */
  | {
      readonly next: "decide";
      readonly operation: Operation;
      settle(decided: Decided, now: Now): Decision<Answer>;
    }
  /** The members are asked for the steps of an event, and the answer is the trace (Q14). */
  | { readonly next: "trace"; readonly of: string }
  /** The engine is asked for messages. */
  | {
      readonly next: "search";
      readonly query: SearchQuery;
      /** @param found the found messages, the newest first */
      settle(found: readonly Entry[]): Decision<Answer>;
    }
  /** A password must be checked or hashed first, which takes a while. */
  | {
      readonly next: "password";
      readonly work: PasswordWork;
      /** The user whose password the work may guess, although the request does not log in. */
      readonly repeats?: UserName;
      settle(result: PasswordResult, now: Now): Decision<Answer>;
    };

/** The parts of the server that services read and write. */
export interface Services {
  readonly name: ServerName;
  readonly chat: ChatState;
  readonly accounts: Accounts;
  readonly shop: Shop;
  readonly matches: Matches;
  readonly log: Pick<DecisionLog, "applied" | "find">;
  readonly ledger: Pick<LedgerOf<EventData>, "make" | "durable" | "snapshot">;
  readonly replication: Pick<Replication, "committed" | "holders" | "view" | "memberWithoutHooks">;
  readonly clock: LamportClock;
  readonly presence: Pick<Presence, "hear" | "list">;
  readonly publications: Pick<Publications, "add">;
  readonly digest: Digest;
  /** Random, and known to nobody else. */
  readonly chance: Chain;
  readonly auth: Auth;
  status(now: Now): StatusReply;
  correctedMs(now: Now): number;
  /** Has an operation decided for whose outcome nobody waits. */
  submit(operation: Operation, now: Now): void;
  /**
   * Has the engine search, and calls `done` with what it has found, the newest first; with undefined
   * if it does not answer. A server without an engine searches in its own state.
   */
  search?(query: SearchQuery, done: (found: readonly Entry[] | undefined) => void): void;
  /** The keys that the service `keys` gives: those of the secret in use come first (O55). */
  readonly topicKeys: readonly TopicKeySource[];
}

/** The keys of publications that are derived from one secret (X5). */
export interface TopicKeySource {
  /** The public key with which clients verify the servers' publications. */
  readonly publisher: string;
  /** Returns the key with which publications on a topic are encrypted, in base64url. */
  key(of: TopicKey): string;
}

/** What a decision depends on, besides the services and the request. */
export interface Circumstances {
  readonly now: Now;
  /** Whether the request has waited, and so must be decided now. */
  readonly waited: boolean;
  /** The room that is left for the replies to the request's payload. */
  readonly room: Room;
}

/**
 * Returns the answer to a write. The answer lists the servers that have the event on disk at this
 * moment.
 */
export function receiptOf(event: Placed, replication: Services["replication"]): Receipt {
  const { server, seq, clock } = event;
  const durable = replication.holders(server, seq);
  return { id: idOf(event), server, seq, clock, timestamp: isoTime(event.time), durable };
}

/** @param slot the slot of the operation that the error tells of */
export function refuse(error: ProtocolError, slot?: number): Decision<never> {
  return { next: "refuse", error, slot };
}

function behind(): Decision<never> {
  return refuse(
    new ProtocolError(
      "behind",
      `This server lacks some of what \`after\` names, also after ${durations.coverMs} ms.`,
    ),
  );
}

/**
 * Returns undefined if all of `after` is committed and applied here. Otherwise the request must wait (R9); a
 * request that has waited is refused as `behind`.
 */
export function waits(
  { replication, log }: Services,
  { after }: ParsedRequest,
  { waited }: Pick<Circumstances, "waited">,
): Decision<never> | undefined {
  if (after === undefined) return undefined;
  const shown = (server: ServerName) => {
    return server === slotKey ? log.applied : (replication.committed[server] ?? 0);
  };
  if (servers(after).every((server) => shown(server) >= (after[server] ?? 0))) return undefined;
  return waited ? behind() : { next: "wait", until: after };
}

/**
 * Takes the bytes of an answer from the payload's room. Returns false, and changes nothing, if too
 * few bytes are left.
 */
export function charge(room: Room, bytes: number): boolean {
  if (bytes > room.bytes) return false;
  room.bytes -= bytes;
  return true;
}

export function full(): Decision<never> {
  return refuse(
    new ProtocolError(
      "too_large",
      `What this payload asks for is above the ${limits.replyBytes} bytes of a reply.`,
    ),
  );
}

/**
 * Returns the error for an id that an earlier request used with other content. The earlier
 * request's receipt would acknowledge a write of the new content, which was never made (R6).
 */
export function idReused(): ProtocolError {
  const description = "The `id` stands for another content already: a new request needs a new one.";
  return new ProtocolError("id_reused", description);
}

export function noChannel(channel: string): ProtocolError {
  return new ProtocolError("channel_not_found", `There is no channel "${channel}".`);
}

export function noHook(): ProtocolError {
  return new ProtocolError(
    "hook_not_found",
    "There is no such hook, or it was revoked: check its token or id.",
  );
}

export function noUser(user: string): ProtocolError {
  return new ProtocolError("user_not_found", `The user "${user}" has never logged in.`);
}
