import { compareOrder } from "../../protocol/event.ts";
import { isoTime } from "../../protocol/time.ts";
import type { ChatState, Placed, StoredMessage } from "./chat-state.ts";
import { toEntry } from "./history.ts";

/** A file of the state as pieces of text, so that a large one need not be built in memory. */
export interface StateFile {
  readonly name: string;
  readonly pieces: Iterable<string>;
}

/**
 * The four files of the state in their documented shapes. They depend on the set of events alone,
 * not on the order in which they came, so they are equal on replicas with equal vectors (R4).
 */
export function stateFiles(state: ChatState): StateFile[] {
  const publications = [...state.channels.values()].flatMap(
    ({ conversation }) => conversation.messages,
  );
  // A private message is in two conversations; its sender's has every one exactly once.
  const messages = [...state.users.values()].flatMap(({ name, conversation }) =>
    conversation.messages.filter(({ from }) => from === name),
  );
  // All that a piece is made from is taken now: the state goes on while the files are written.
  const users = [...state.users.values()]
    .filter(({ logins }) => logins.length > 0)
    .map(({ name, logins }) => ({ name, times: withoutTwins(logins).map(({ time }) => time) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const channels = [...state.channels.values()]
    .filter(({ creations }) => creations.length > 0)
    .map(({ name }) => name)
    .sort();
  return [
    { name: "users.json", pieces: usersFile(users) },
    { name: "channels.json", pieces: lines("[", channels, "]", (name) => JSON.stringify(name)) },
    { name: "messages.json", pieces: entriesFile(messages) },
    { name: "publications.json", pieces: entriesFile(publications) },
  ];
}

/** One of those that the same request made on several servers: the earliest (R6). */
function withoutTwins(placed: readonly Placed[]): Placed[] {
  const seen = new Set<string>();
  return placed.filter(({ id }) => {
    if (id === undefined) return true;
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}

/** `{"ana": ["2026-…", …]}`, one user a line. */
function usersFile(users: { name: string; times: number[] }[]): Iterable<string> {
  return lines("{", users, "}", ({ name, times }) => {
    return `${JSON.stringify(name)}:${JSON.stringify(times.map(isoTime))}`;
  });
}

/** `[{…}, …]`, one entry a line, in the total order. */
function entriesFile(messages: StoredMessage[]): Iterable<string> {
  messages.sort(compareOrder);
  return lines("[", messages, "]", (message) => JSON.stringify(toEntry(message)));
}

function* lines<T>(
  open: string,
  items: readonly T[],
  close: string,
  write: (item: T) => string,
): Generator<string> {
  if (items.length === 0) {
    yield `${open}${close}\n`;
    return;
  }
  yield `${open}\n`;
  const last = items.length - 1;
  for (const [index, item] of items.entries()) {
    yield `${write(item)}${index === last ? "" : ","}\n`;
  }
  yield `${close}\n`;
}
