import assert from "node:assert";
import { compareOrder } from "../../../protocol/event.ts";
import {
  type ChannelName,
  isServerName,
  parseRequestId,
  readChannelName,
  readUserName,
  type UserName,
} from "../../../protocol/ids.ts";
import { parseClock } from "../../../protocol/lamport-clock.ts";
import { limits } from "../../../protocol/limits.ts";
import { isoTime } from "../../../protocol/time.ts";
import { parseVector, sorted, type Vector } from "../../../protocol/vector.ts";
import type { AccountChange, FrozenClaims, Office } from "../accounts/accounts.ts";
import type { ChatState, Creation, Login, StoredMessage } from "../chat/chat-state.ts";
import { toEntry } from "../chat/history.ts";
import { mergeInOrder } from "../chat/merge-in-order.ts";
import {
  readChannelChange,
  readClaim,
  readEpoch,
  readFlag,
  readFlagChange,
  readPasswordChange,
  readRegistrationChange,
} from "../facts.ts";
import { idOf, isCommitted, type Placed, place } from "./placed.ts";

/** A file of the state line by line, so that a large one need not be built in memory. */
export interface StateFile {
  readonly name: string;
  /** Each with its newline. */
  readonly lines: Iterable<string>;
}

/** The state at one instant, as it is written to disk (J1). */
export interface FrozenState {
  /** In their documented shapes, one entry a line. */
  readonly files: readonly StateFile[];
  /** What those shapes can't carry: each login and each creation of a channel, in JSON. */
  readonly rows: Iterable<string>;
}

/** A state on disk, as lines. */
export interface SavedState {
  /** The lines of one of the files that hold entries. */
  entries(name: string): Iterable<string>;
  readonly rows: Iterable<string>;
}

const accountsFile = "accounts.json";
const messagesFile = "messages.json";
const publicationsFile = "publications.json";

interface FrozenUser {
  readonly name: UserName;
  readonly logins: readonly Login[];
}

interface FrozenChannel {
  readonly name: ChannelName;
  readonly creations: readonly Creation[];
}

/**
 * Copies what the files are made from, so that the state can go on while they are written: lists
 * of references, tens of milliseconds for a million messages. The files depend on the set of events
 * alone, so they are equal on replicas with equal vectors (R4).
 */
export function freeze(state: ChatState): FrozenState {
  const users: FrozenUser[] = [];
  const channels: FrozenChannel[] = [];
  const messages: StoredMessage[][] = [];
  const publications: StoredMessage[][] = [];
  for (const { name, logins, conversation } of state.users.values()) {
    users.push({ name, logins: logins.entries.slice() });
    messages.push(conversation.window.entries.slice());
  }
  for (const { name, creations, conversation } of state.channels.values()) {
    channels.push({ name, creations: creations.slice() });
    publications.push(conversation.window.entries.slice());
  }
  const claims = state.accounts.freeze();
  const offices = state.accounts.offices.slice();
  const changes = state.accounts.changes();
  users.sort(byName);
  channels.sort(byName);
  return {
    files: [
      { name: "users.json", lines: usersFile(users.filter(({ logins }) => logins.length > 0)) },
      {
        name: "channels.json",
        lines: enclosed(
          "[",
          "]",
          writeNames(channels.filter(({ name }) => state.knowsChannel(name))),
        ),
      },
      { name: accountsFile, lines: enclosed("[", "]", writeClaims(claims)) },
      { name: messagesFile, lines: enclosed("[", "]", writeEntries(messages)) },
      { name: publicationsFile, lines: enclosed("[", "]", writeEntries(publications)) },
    ],
    rows: writeRows({ users, channels, offices, changes }),
  };
}

/**
 * Adds what a saved state has above the vector `held`: what is at or below it is in the state
 * already, or was dropped from it.
 * @throws Error if a line is not what `freeze` writes
 */
export function foldSaved(state: ChatState, saved: SavedState, held: Vector): void {
  const isNew = (placed: Placed) => !isCommitted(placed, held);
  const user = once(readUserName);
  const channel = once(readChannelName);
  for (const line of saved.rows) {
    const row = JSON.parse(line) as Readonly<Record<string, unknown>>;
    const placed = readPlace(row);
    if (!isNew(placed)) continue;
    if (row.login !== undefined) {
      state.addLogin(user(row.login), { ...placed, isProven: readFlag(row.isProven) });
    } else if (row.sees !== undefined) {
      const sees = parseVector(row.sees, "sees", limits.memberVectorServers);
      state.accounts.addOffice({ ...placed, epoch: readEpoch(row.epoch), sees });
    } else if (row.since !== undefined) {
      state.accounts.changePassword({ ...placed, ...readPasswordChange(row) });
    } else if (row.flag !== undefined) {
      state.accounts.changeFlag({ ...placed, ...readFlagChange(row) });
    } else if (row.mode !== undefined) {
      state.accounts.changeRegistration({ ...placed, ...readRegistrationChange(row) });
    } else if (row.isRemoved !== undefined) {
      state.accounts.changeChannel({ ...placed, ...readChannelChange(row) });
    } else {
      const by = row.user === undefined ? undefined : user(row.user);
      state.addCreation(channel(row.channel), { ...placed, user: by });
    }
  }
  for (const line of saved.entries(accountsFile)) {
    const row = JSON.parse(line) as Readonly<Record<string, unknown>>;
    const placed = readPlace(row);
    // The claim may be held already, and its confirmation not yet.
    if (row.confirmed === true) state.accounts.confirm(placed);
    if (!isNew(placed)) continue;
    state.accounts.addClaim({ ...placed, ...readClaim(row) });
  }
  for (const line of saved.entries(publicationsFile)) {
    const entry = JSON.parse(line) as Readonly<Record<string, unknown>>;
    const placed = readPlace(entry);
    const to = { channel: channel(entry.channel) };
    if (isNew(placed)) state.addMessage(user(entry.user), to, readText(entry), placed);
  }
  for (const line of saved.entries(messagesFile)) {
    const entry = JSON.parse(line) as Readonly<Record<string, unknown>>;
    const placed = readPlace(entry);
    const to = { user: user(entry.dst) };
    if (isNew(placed)) state.addMessage(user(entry.src), to, readText(entry), placed);
  }
}

function readPlace(row: Readonly<Record<string, unknown>>): Placed {
  const { server } = row;
  const seq = parseClock(row.seq);
  const clock = parseClock(row.clock);
  const timestamp = typeof row.timestamp === "string" ? Date.parse(row.timestamp) : Number.NaN;
  assert(isServerName(server) && seq !== undefined && clock !== undefined, "it has no place");
  assert(!Number.isNaN(timestamp), "it has no `timestamp`");
  return place({ server, seq, clock, timestamp }, parseRequestId(row.id));
}

function readText({ message }: Readonly<Record<string, unknown>>): string {
  assert(typeof message === "string", "it has no `message`");
  return message;
}

/** Parses a name the first time that it comes. */
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

/** `{"ana": ["2026-…", …]}`, one user a line. */
function usersFile(users: readonly FrozenUser[]): Iterable<string> {
  const rows = (function* () {
    for (const { name, logins } of users) {
      const times = withoutTwins(logins).map(({ time }) => isoTime(time));
      yield `${JSON.stringify(name)}:${JSON.stringify(times)}`;
    }
  })();
  return enclosed("{", "}", rows);
}

/** One of those that the same request made on several servers: the earliest (R6). */
function withoutTwins(placed: readonly Placed[]): Placed[] {
  const seen = new Set<string>();
  return placed.filter((one) => {
    const id = idOf(one);
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}

function* writeNames(channels: readonly FrozenChannel[]): Generator<string> {
  for (const { name } of channels) yield JSON.stringify(name);
}

/** In the total order; a private message that both parties keep is in two lists. */
function* writeEntries(lists: readonly (readonly StoredMessage[])[]): Generator<string> {
  let last: StoredMessage | undefined;
  for (const message of mergeInOrder(lists)) {
    if (message === last) continue;
    last = message;
    yield JSON.stringify(toEntry(message));
  }
}

interface FrozenRows {
  readonly users: readonly FrozenUser[];
  readonly channels: readonly FrozenChannel[];
  readonly offices: readonly Office[];
  readonly changes: AccountChange[];
}

function* writeRows({ users, channels, offices, changes }: FrozenRows): Generator<string> {
  for (const { name: login, logins } of users) {
    for (const placed of logins) {
      yield JSON.stringify({ login, isProven: placed.isProven, ...writePlace(placed) });
    }
  }
  for (const { name: channel, creations } of channels) {
    for (const creation of creations) {
      yield JSON.stringify({ channel, user: creation.user, ...writePlace(creation) });
    }
  }
  for (const { epoch, sees, ...office } of offices) {
    yield JSON.stringify({ epoch, sees: sorted(sees), ...writePlace(office) });
  }
  changes.sort(compareOrder);
  for (const change of changes)
    yield JSON.stringify({ ...change, ...writePlace(change), time: undefined });
}

function* writeClaims(names: FrozenClaims[]): Generator<string> {
  names.sort((a, b) => (a.user < b.user ? -1 : 1));
  for (const { user, claims } of names) {
    for (const [claim, confirmed] of claims) {
      const { credential, epoch, looks, isOpen } = claim;
      const fields = { user, credential, epoch, looks, isOpen, confirmed };
      yield JSON.stringify({ ...fields, ...writePlace(claim) });
    }
  }
}

function writePlace({ server, seq, clock, time, id }: Placed) {
  return { server, seq, clock, timestamp: isoTime(time), id };
}

/** An opening line, one item a line, a closing line. */
function* enclosed(open: string, close: string, items: Iterable<string>): Generator<string> {
  let before: string | undefined;
  for (const item of items) {
    yield before === undefined ? `${open}\n` : `${before},\n`;
    before = item;
  }
  if (before === undefined) {
    yield `${open}${close}\n`;
    return;
  }
  yield `${before}\n`;
  yield `${close}\n`;
}
