import assert from "node:assert";
import { type Epoch, parseEpoch } from "../../protocol/epoch.ts";
import type { Event } from "../../protocol/event.ts";
import {
  type ChannelName,
  isServerName,
  parseRequestId,
  type RequestId,
  readChannelName,
  readUserName,
  type ServerName,
  type UserName,
} from "../../protocol/ids.ts";
import { parseClock } from "../../protocol/lamport-clock.ts";
import { limits } from "../../protocol/limits.ts";
import { parseVector, type Vector } from "../../protocol/vector.ts";
import {
  type AccountFlag,
  accountFlags,
  type ChannelChange,
  type FlagChange,
  type PasswordChange,
  type RegistrationChange,
  type RegistrationMode,
  registrationModes,
} from "./accounts/accounts.ts";
import type { ChatState } from "./chat/chat-state.ts";
import { type Placed, place } from "./replica/placed.ts";

/** What an event of each operation carries; `id` is the request's (R6). */
export interface EventData {
  login: {
    readonly user: UserName;
    readonly isProven?: boolean | undefined;
    readonly id?: RequestId | undefined;
  };
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
  /** A candidate has the promises of a quorum, and all that any of them had (E2). */
  coordinator: { readonly epoch: Epoch; readonly sees: Vector };
  /** A claim is proposed (E3). */
  register: {
    readonly user: UserName;
    readonly credential: string;
    readonly epoch: Epoch;
    readonly looks?: readonly string[] | undefined;
    readonly isOpen?: boolean | undefined;
    readonly id: RequestId;
  };
  /** The claim of that name was accepted by a quorum. */
  confirmed: { readonly server: ServerName; readonly seq: number };
  password: Omit<PasswordChange, keyof Placed> & { readonly id?: RequestId | undefined };
  account: Omit<FlagChange, keyof Placed> & { readonly id?: RequestId | undefined };
  registration: Omit<RegistrationChange, keyof Placed> & { readonly id?: RequestId | undefined };
  removal: Omit<ChannelChange, keyof Placed> & { readonly id?: RequestId | undefined };
}

export type Operation = keyof EventData;

interface Row<Data> {
  /** @throws Error if the data, from a peer or from disk, is not of this operation. */
  parse(data: Readonly<Record<string, unknown>>): Data;
  fold(state: ChatState, event: Event, data: Data): void;
}

/**
 * The table of operations. A new kind of fact is a row here, and must be saved by `files.ts` too.
 */
const operations: { readonly [O in Operation]: Row<EventData[O]> } = {
  login: {
    parse: (data) => ({
      user: readUserName(data.user),
      isProven: readFlag(data.isProven),
      id: parseRequestId(data.id),
    }),
    fold: (state, event, { user, isProven, id }) =>
      state.addLogin(user, { ...place(event, id), isProven }),
  },
  channel: {
    parse: (data) => ({
      channel: readChannelName(data.channel),
      user: data.user === undefined ? undefined : readUserName(data.user),
      id: parseRequestId(data.id),
    }),
    fold: (state, event, data) =>
      state.addCreation(data.channel, { ...place(event, data.id), user: data.user }),
  },
  publication: {
    parse: (data) => ({
      user: readUserName(data.user),
      channel: readChannelName(data.channel),
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
      src: readUserName(data.src),
      dst: readUserName(data.dst),
      message: parseText(data.message),
      id: parseRequestId(data.id),
    }),
    fold: (state, event, data) => {
      state.addMessage(data.src, { user: data.dst }, data.message, place(event, data.id));
    },
  },
  coordinator: {
    parse: (data) => ({
      epoch: readEpoch(data.epoch),
      sees: parseVector(data.sees, "sees", limits.memberVectorServers),
    }),
    fold: (state, event, { epoch, sees }) => {
      state.accounts.addOffice({ ...place(event, undefined), epoch, sees });
    },
  },
  register: {
    parse: (data) => {
      const id = parseRequestId(data.id);
      assert(id !== undefined, "`id` is missing");
      return { ...readClaim(data), id };
    },
    fold: (state, event, { id, ...claim }) => {
      state.accounts.addClaim({ ...place(event, id), ...claim });
    },
  },
  confirmed: {
    parse: ({ server, seq }) => {
      assert(isServerName(server) && parseClock(seq) !== undefined, "it names no event");
      return { server, seq: seq as number };
    },
    fold: (state, _event, claim) => state.accounts.confirm(claim),
  },
  password: {
    parse: (data) => ({ ...readPasswordChange(data), id: parseRequestId(data.id) }),
    fold: (state, event, { id, ...change }) => {
      state.accounts.changePassword({ ...place(event, id), ...change });
    },
  },
  account: {
    parse: (data) => ({ ...readFlagChange(data), id: parseRequestId(data.id) }),
    fold: (state, event, { id, ...change }) => {
      state.accounts.changeFlag({ ...place(event, id), ...change });
    },
  },
  registration: {
    parse: (data) => ({ ...readRegistrationChange(data), id: parseRequestId(data.id) }),
    fold: (state, event, { id, ...change }) => {
      state.accounts.changeRegistration({ ...place(event, id), ...change });
    },
  },
  removal: {
    parse: (data) => ({ ...readChannelChange(data), id: parseRequestId(data.id) }),
    fold: (state, event, { id, ...change }) => {
      state.accounts.changeChannel({ ...place(event, id), ...change });
    },
  },
};

/** @throws Error if it is none */
export function readEpoch(value: unknown): Epoch {
  const epoch = parseEpoch(value);
  assert(epoch !== undefined, "`epoch` is none");
  return epoch;
}

type Data = Readonly<Record<string, unknown>>;

/** @throws Error if it is none */
export function readClaim({ user, credential, epoch, looks, isOpen }: Data) {
  return {
    user: readUserName(user),
    credential: parseText(credential, "credential"),
    epoch: readEpoch(epoch),
    looks: readLooks(looks),
    isOpen: readFlag(isOpen),
  };
}

function readLooks(value: unknown): string[] | undefined {
  if (value === undefined) return undefined;
  assert(Array.isArray(value), "`looks` is no list");
  return value.map((look) => parseText(look, "looks"));
}

/** @returns undefined rather than false: only what is true stands in an event */
export function readFlag(value: unknown): true | undefined {
  return value === true ? true : undefined;
}

/** @throws Error if it is none */
export function readPasswordChange({ user, credential, since, version, by }: Data) {
  const clock = parseClock(since);
  assert(clock !== undefined, "`since` is none");
  return {
    user: readUserName(user),
    credential: parseText(credential, "credential"),
    since: clock,
    version: parseText(version, "version"),
    by: readUserName(by),
  };
}

/** @throws Error if it is none */
export function readFlagChange({ user, flag, isSet, by }: Data) {
  assert(accountFlags.includes(flag as AccountFlag), "`flag` is unknown");
  const whose = { user: readUserName(user), flag: flag as AccountFlag };
  return { ...whose, isSet: isSet === true, by: readUserName(by) };
}

/** @throws Error if it is none */
export function readRegistrationChange({ mode, hash, by }: Data) {
  assert(registrationModes.includes(mode as RegistrationMode), "`mode` is unknown");
  const known = hash === undefined ? undefined : parseText(hash, "hash");
  return { mode: mode as RegistrationMode, hash: known, by: readUserName(by) };
}

/** @throws Error if it is none */
export function readChannelChange({ channel, isRemoved, by }: Data) {
  assert(typeof isRemoved === "boolean", "`isRemoved` is no boolean");
  return { channel: readChannelName(channel), isRemoved, by: readUserName(by) };
}

function parseText(value: unknown, field = "message"): string {
  assert(typeof value === "string", `\`${field}\` is no text`);
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
