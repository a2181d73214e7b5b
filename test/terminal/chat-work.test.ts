import { expect, test } from "vitest";
import type { ChatEvent } from "../../src/client/core/chat-events.ts";
import { nothingSaved } from "../../src/client/core/chat-model.ts";
import { ChatWork } from "../../src/client/terminal/chat-work.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import type { ServerName } from "../../src/protocol/ids.ts";
import type { HistoryOptions } from "../../src/protocol/request-data.ts";
import type { ConversationName } from "../../src/protocol/topics.ts";
import { until } from "../support/until.ts";
import { sessionOf } from "./chat-session-of.ts";

const channel = "geral" as never;
const server = "server_0a1b2c3d" as ServerName;

/** Returns a page of a history with 3,000 messages, as H3 describes. */
function history(name: ConversationName, { before, limit = 100 }: HistoryOptions) {
  const end = before === undefined ? 3_000 : Number(before.split(":")[0]) - 1;
  const start = Math.max(0, end - limit);
  const entries = Array.from({ length: end - start }, (_, at) => {
    const seq = start + at + 1;
    return { ...name, seq, server, clock: seq, id: `${seq}`, message: "", user: "bia" };
  });
  return { entries, next: start > 0 ? `${start + 1}:${server}` : undefined, seen: {} };
}

function work(
  given: object,
  onEvent: (event: ChatEvent) => void = () => {},
): { work: ChatWork; events: ChatEvent[] } {
  const events: ChatEvent[] = [];
  const client = {
    history: async (name: ConversationName, options: HistoryOptions) => history(name, options),
    subscribe: async () => {},
    unsubscribe: () => {},
    ...given,
  };
  const session = sessionOf(client);
  const dispatch = (event: ChatEvent) => {
    events.push(event);
    onEvent(event);
  };
  return { work: new ChatWork({ session, dispatch, hear: () => {} }), events };
}

test("joining a conversation fetches its unread messages: at least one page, at most 2,100 messages", async () => {
  for (const [seq, count] of [
    [undefined, 100],
    [2_950, 100],
    [2_500, 1_100],
    [0, 2_100],
  ] as const) {
    const { work: joining, events } = work({});
    await joining.join({ channel }, seq === undefined ? seq : { [server]: seq });
    expect(events).toMatchObject([{ type: "joined", target: { channel } }]);
    const [{ entries, next }] = events as (ChatEvent & { type: "joined" })[] as [
      ChatEvent & { type: "joined" },
    ];
    expect(entries.map(({ seq }) => seq)).toEqual(
      Array.from({ length: count }, (_, at) => 3_001 - count + at),
    );
    expect(next).toBe(`${3_001 - count}:${server}`);
  }
});

test("joining a conversation reads on after an empty page of its history", async () => {
  let isFirst = true;
  const { work: joining, events } = work({
    history: async (name: ConversationName, options: HistoryOptions) => {
      if (!isFirst) return history(name, options);
      isFirst = false;
      return { entries: [], next: `3001:${server}`, seen: {} };
    },
  });
  await joining.join({ channel }, undefined);
  expect(events).toMatchObject([{ type: "joined", next: `2001:${server}` }]);
});

test("[Q31] a chat searches page by page, also after empty pages, until it has found 20 messages", async () => {
  const asked: object[] = [];
  const { work: searching, events } = work({
    search: async (name: ConversationName, words: string, options: HistoryOptions) => {
      asked.push({ words, ...name, ...options });
      const page = history(name, options);
      return asked.length === 1 ? { entries: [], next: `3001:${server}` } : page;
    },
  });
  await searching.search({ user: "bia" as never }, "oi");
  const query = { words: "oi", user: "ana", with: "bia", limit: 20, before: undefined };
  expect(asked).toEqual([query, { ...query, before: `3001:${server}` }]);
  expect(events).toMatchObject([{ type: "searched", words: "oi", isCut: true }]);
  expect((events as (ChatEvent & { type: "searched" })[])[0]?.entries).toHaveLength(20);
});

test("[Q31] a chat shows why a search is refused", async () => {
  const { work: searching, events } = work({
    search: () => Promise.reject(new ProtocolError("channel_not_found", "There is none.")),
  });
  await searching.search({ channel }, "oi");
  expect(events).toMatchObject([{ type: "notice", isProblem: true }]);
});

test("a chat does not join a channel that the person leaves before the channel is created", async () => {
  let made: () => void = () => {};
  const createChannel = () => new Promise<void>((resolve) => (made = resolve));
  const { work: creating, events } = work({ createChannel });
  const ended = creating.create(channel);
  creating.part(channel);
  made();
  await ended;
  expect(events).toEqual([]);
});

test("a chat neither creates nor joins a channel whose name looks like an existing channel's", async () => {
  const createChannel = async () => {
    throw new ProtocolError("channel_exists", "", { reason: "name_confusable" });
  };
  const { work: creating, events } = work({ createChannel });
  await creating.create(channel);
  expect(events).toMatchObject([
    {
      type: "notJoined",
      why: expect.stringMatching(/^#geral: That name looks like an existing one/),
    },
  ]);
});

test("a chat finds each user who wrote while the person was away, even if another user then wrote 2,499 messages", async () => {
  const entry = (seq: number) => ({
    src: seq === 1 ? "zoe" : "bot",
    dst: "ana",
    seq,
    server,
    clock: seq,
    id: `${seq}`,
    message: "",
  });
  const asked: HistoryOptions[] = [];
  let askedBefore = 0;
  const client = {
    channels: async () => [],
    presence: async () => [],
    ask: async () => ({}),
    users: async () => [],
    connection: { clock: { value: 0 } },
    history: async (_name: object, options: HistoryOptions) => {
      asked.push(options);
      const { since = {} as Record<string, number>, limit = 100 } = options;
      const from = (since as Record<string, number>)[server] ?? 0;
      const to = Math.min(2_500, from + limit);
      const entries = Array.from({ length: to - from }, (_, at) => entry(from + at + 1));
      return { entries, next: to < 2_500 ? `${to}:${server}` : undefined, seen: { [server]: to } };
    },
  };
  const { work: starting, events } = work(client, ({ type }) => {
    if (type === "started") askedBefore = asked.length;
  });
  const saved = { ...nothingSaved, heard: {} };
  await starting.start(saved);
  await until(() => events.some(({ type }) => type === "names"), "it has begun");
  const found = events.find(({ type }) => type === "found");
  expect(found).toEqual({ type: "found", users: ["zoe", "bot"], heard: { [server]: 2_500 } });
  expect(asked).toHaveLength(3);
  // The search for writers ends before any conversation is fetched. A message that arrived between
  // the fetch and the end of the search would be missed.
  expect(askedBefore).toBe(3);
});
