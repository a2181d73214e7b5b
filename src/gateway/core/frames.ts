import type { PresenceState, Present, Receipt } from "../../protocol/client-messages.ts";
import { presenceStates } from "../../protocol/client-messages.ts";
import { type ErrorCode, ProtocolError, type RefusalReason } from "../../protocol/errors.ts";
import { type Field, type Fields, fieldsOf, object, optional } from "../../protocol/fields.ts";
import type { Look } from "../../protocol/game-requests.ts";
import {
  type ChannelName,
  parseChannelName,
  parseRequestId,
  parseUserName,
  type UserName,
} from "../../protocol/ids.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { ConversationName } from "../../protocol/topics.ts";

/** A conversation as clients name it: `#channel` or `@user`. */
export type ConversationText = string;

/**
 * What a client sends over a WebSocket, as JSON. A frame may have `ref`, a number or text, which the
 * answer repeats.
 */
export type ClientFrame = ReturnType<(typeof kinds)[keyof typeof kinds]> & {
  readonly ref: Ref;
};

type Ref = string | number | undefined;

/** What a gateway sends over a WebSocket. */
export type GatewayFrame =
  | {
      readonly type: "connected";
      readonly user: string;
      /** The cluster's time, as ISO 8601. */
      readonly time: string;
      /** Seconds between two pings of the gateway. */
      readonly ping: number;
      readonly limits: Readonly<Record<string, number>>;
    }
  | {
      readonly type: "subscribed";
      readonly conversation: ConversationText;
      /** False if messages after the given position are no longer kept. */
      readonly recovered: boolean;
    }
  | {
      readonly type: "message";
      readonly conversation: ConversationText;
      readonly entry: Entry;
      /** A later subscription with this position goes on after this message. */
      readonly position: string;
    }
  /** All messages up to now were sent; the next ones are new. */
  | {
      readonly type: "caught_up";
      readonly conversation: ConversationText;
      readonly position: string;
    }
  /** Here messages are missing, which are no longer kept. */
  | { readonly type: "gap"; readonly conversation: ConversationText }
  | { readonly type: "unsubscribed"; readonly conversation: ConversationText }
  | { readonly type: "receipt"; readonly entry: Receipt }
  | { readonly type: "present"; readonly present: readonly Present[] }
  /**
   * `unready` says that the gateway can't serve, and `ready` that it can again. The connection and
   * its subscriptions stay, but the client may go to another gateway.
   */
  | { readonly type: "unready"; readonly reason: string }
  | { readonly type: "ready" }
  /** How a match stands, after the frame `duel` and after each change. */
  | {
      readonly type: "duel";
      readonly look: Look;
      /** The gateway's time in milliseconds since 1970, to compare deadlines with. */
      readonly timeMs: number;
    }
  /** The answer to `act`: the number of the last event that the action made. */
  | { readonly type: "acted"; readonly eventSeq: number }
  /** A server has renewed the session's token. */
  | { readonly type: "token"; readonly token: string }
  | {
      readonly type: "error";
      readonly code: ErrorCode;
      readonly title: string;
      readonly retry: boolean;
      readonly wait?: number | undefined;
      readonly reason?: RefusalReason | undefined;
    };

const string: Field<string> = (value, name) => {
  if (typeof value === "string" && value !== "") return value;
  throw refusal(`\`${name}\` must be a text.`);
};

/**
 * Parses `#channel` or `@user`, and writes the name as the servers do, because topics have the
 * servers' names.
 * @throws ProtocolError `bad_request` or `name_invalid`
 */
export const parseConversation: Field<ConversationText> = (value, field) => {
  const text = string(value, field);
  const name = text.slice(1);
  if (text.startsWith("#")) return `#${parseChannelName(name, field)}`;
  if (text.startsWith("@")) return `@${parseUserName(name, field)}`;
  throw refusal(`\`${field}\` must be a #channel or a @user.`);
};

/** @param text a parsed conversation */
export function conversationName(text: ConversationText): ConversationName {
  const name = text.slice(1);
  return text.startsWith("#") ? { channel: name as ChannelName } : { user: name as UserName };
}

const conversation = parseConversation;

const last: Field<number> = (value, name) => {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 1_000) {
    return value as number;
  }
  throw refusal(`\`${name}\` must be 0 to 1000.`);
};

const state: Field<PresenceState> = (value, name) => {
  const found = presenceStates.find((one) => one === value);
  if (found !== undefined) return found;
  throw refusal(`\`${name}\` must be one of ${presenceStates.join(", ")}.`);
};

function refusal(sentence: string): ProtocolError {
  return new ProtocolError("bad_request", sentence);
}

function kind<Type extends string, Data extends object>(
  type: Type,
  parse: (fields: Fields) => Data,
) {
  return (fields: Fields) => ({ type, ...parse(fields) });
}

/** For a frame whose fields are those of a request to game servers: `DuelSeat` parses them. */
function asked(fields: Fields) {
  return { fields };
}

const kinds = {
  /** The first frame, unless the token came with the HTTP request. */
  connect: kind("connect", object({ token: string })),
  subscribe: kind(
    "subscribe",
    object({ conversation, position: optional(string), last: optional(last) }),
  ),
  unsubscribe: kind("unsubscribe", object({ conversation })),
  publish: kind("publish", object({ conversation, message: string, id: parseRequestId })),
  presence: kind("presence", object({ state })),
  /**
   * Follows the own match, or that of the user `of`. With `after`, `{match, eventSeq}`, only later
   * events come. A later frame `duel` takes the place of an earlier one.
   */
  duel: kind("duel", asked),
  /** What the player does; `id` is equal for each try of one action. */
  act: kind("act", asked),
} as const;

/** @throws ProtocolError `bad_request` if the text is no frame; it has the frame's `ref` if any */
export function parseClientFrame(text: string): ClientFrame {
  const fields = fieldsOf(parseJson(text));
  const parse = Object.hasOwn(kinds, String(fields.type))
    ? kinds[fields.type as keyof typeof kinds]
    : undefined;
  if (parse === undefined) {
    throw refusal(`\`type\` must be one of ${Object.keys(kinds).join(", ")}.`);
  }
  return { ...parse(fields), ref: refOf(fields) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refusal("A frame must be JSON.");
  }
}

/** Returns the `ref` of a frame's text; undefined if the text has none. */
export function readRef(text: string): Ref {
  try {
    return refOf(fieldsOf(JSON.parse(text)));
  } catch {
    return undefined;
  }
}

function refOf({ ref }: Fields): Ref {
  return typeof ref === "number" || (typeof ref === "string" && ref.length <= 64) ? ref : undefined;
}
