import type { Event } from "../../protocol/event.ts";
import {
  type ChannelName,
  parseChannelName,
  parseRequestId,
  parseUserName,
  type RequestId,
  type UserName,
} from "../../protocol/ids.ts";
import type { ChatState } from "./chat-state.ts";
import { place } from "./placed.ts";

/** What an event of each operation carries; `id` is the request's (R6). */
export interface EventData {
  login: { readonly user: UserName; readonly id?: RequestId | undefined };
  channel: {
    readonly channel: ChannelName;
    readonly user?: UserName | undefined;
    readonly id?: RequestId | undefined;
  };
  publication: {
    readonly user: UserName;
    readonly channel: ChannelName;
    readonly message: string;
    readonly id?: RequestId | undefined;
  };
  message: {
    readonly src: UserName;
    readonly dst: UserName;
    readonly message: string;
    readonly id?: RequestId | undefined;
  };
}

export type Operation = keyof EventData;

interface Row<Data> {
  /** @throws Error if the data, from a peer or from disk, is not of this operation. */
  parse(data: Readonly<Record<string, unknown>>): Data;
  fold(state: ChatState, event: Event, data: Data): void;
}

/** The table of operations: a new kind of fact is a new row, nothing else changes. */
const operations: { readonly [O in Operation]: Row<EventData[O]> } = {
  login: {
    parse: (data) => ({ user: parseUserName(data.user), id: parseRequestId(data.id) }),
    fold: (state, event, data) => state.addLogin(data.user, place(event, data.id)),
  },
  channel: {
    parse: (data) => ({
      channel: parseChannelName(data.channel),
      user: data.user === undefined ? undefined : parseUserName(data.user),
      id: parseRequestId(data.id),
    }),
    fold: (state, event, data) =>
      state.addCreation(data.channel, { ...place(event, data.id), user: data.user }),
  },
  publication: {
    parse: (data) => ({
      user: parseUserName(data.user),
      channel: parseChannelName(data.channel),
      message: parseText(data.message),
      id: parseRequestId(data.id),
    }),
    fold: (state, event, data) => {
      const to = { channel: data.channel };
      state.addMessage(data.user, to, data.message, place(event, data.id));
    },
  },
  message: {
    parse: (data) => ({
      src: parseUserName(data.src),
      dst: parseUserName(data.dst),
      message: parseText(data.message),
      id: parseRequestId(data.id),
    }),
    fold: (state, event, data) => {
      state.addMessage(data.src, { user: data.dst }, data.message, place(event, data.id));
    },
  },
};

function parseText(value: unknown): string {
  if (typeof value !== "string") throw new Error("`message` is no text");
  return value;
}

/**
 * Folds an event into the state.
 * @throws Error if its operation is unknown or its data is wrong; the state is then as before.
 */
export function foldEvent(state: ChatState, event: Event): void {
  if (!Object.hasOwn(operations, event.operation)) {
    throw new Error(`the operation "${event.operation}" is unknown`);
  }
  foldRow(state, event, event.operation as Operation);
}

function foldRow<O extends Operation>(state: ChatState, event: Event, operation: O): void {
  const row: Row<EventData[O]> = operations[operation];
  row.fold(state, event, row.parse(event.data));
}
