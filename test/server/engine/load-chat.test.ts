import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compareOrder } from "../../../src/protocol/event.ts";
import type { ChannelName, ServerName, UserName } from "../../../src/protocol/ids.ts";
import { looksOf } from "../../../src/protocol/looks.ts";
import type { ConversationName } from "../../../src/protocol/topics.ts";
import type { MutableVector, Vector } from "../../../src/protocol/vector.ts";
import { type ChatState, scopeOf } from "../../../src/server/core/chat/chat-state.ts";
import type { Placed } from "../../../src/server/core/replica/placed.ts";
import {
  type HistoryNeed,
  type NamesNeed,
  Needs,
  type NewEvent,
} from "../../../src/server/engine/engine.ts";
import { laneCount, originOf, storageOf } from "../../../src/server/engine/events.ts";
import { append } from "../../../src/server/engine/postgres/append.ts";
import { hasPostgres, skipNote } from "../../../src/trials/postgres.ts";
import {
  channelNames,
  DrawnEvents,
  eventOf,
  hookIds,
  userNames,
} from "../../support/drawn-events.ts";
import { EngineDatabase } from "../../support/engine-database.ts";
import { conversationOf, namesOf, pageOf, WholeChat } from "../../support/whole-chat.ts";

describe.skipIf(!hasPostgres)(`A part of the chat that is loaded from an engine${skipNote}`, () => {
  let database: EngineDatabase;
  let whole: WholeChat;
  const drawn = new DrawnEvents(5);

  beforeAll(async () => {
    database = await EngineDatabase.start();
    whole = new WholeChat();
    const first = userNames.map((user) => eventOf("login", { user, isProven: true }));
    const events = [...first, ...Array.from({ length: 2_500 }, () => drawn.next())];
    const [by] = userNames as [UserName, ...UserName[]];
    for (const channel of channelNames) {
      // A channel that looks like a removed one can be made.
      const facts = [
        eventOf("channel", { channel, user: by }),
        eventOf("removal", { channel, by, isRemoved: true }),
      ];
      const placed = (await append(database.pool, facts)) as readonly { place: Placed }[];
      facts.forEach((event, at) => {
        whole.add(event, (placed[at] as { place: Placed }).place);
      });
    }
    const halves = [0, 1].map((server) => events.filter((_, at) => at % 2 === server));
    const made = halves.map(async (half) => {
      for (let at = 0; at < half.length; at += 50) {
        const batch = half.slice(at, at + 50);
        for (const [index, one] of (await append(database.pool, batch)).entries()) {
          if (one !== "conflict" && one.isNew) whole.add(batch[index] as NewEvent, one.place);
        }
      }
    });
    await Promise.all(made);
  }, 60_000);
  afterAll(() => database[Symbol.asyncDispose]());

  function drawHistory(): HistoryNeed {
    const user = drawn.user();
    const isChannel = drawn.random() < 0.4;
    const conversation = isChannel ? { channel: drawn.channel() } : { user };
    const kind = drawn.random();
    const place = drawn.pick(whole.made)?.place as Placed;
    const cursor = drawn.random() < 0.3 ? { ...place, server: drawnServer() } : place;
    return {
      conversation,
      with: !isChannel && drawn.random() < 0.4 ? drawn.user() : undefined,
      before: kind < 0.4 ? { clock: cursor.clock, server: cursor.server } : undefined,
      since: kind > 0.6 ? drawSince() : undefined,
      limit: 1 + Math.floor(drawn.random() * (drawn.random() < 0.5 ? 5 : 300)),
    };
  }

  function drawnServer(): ServerName {
    return drawn.pick(["server_00000000", "server_00000020", "server_deadbeef"]) as ServerName;
  }

  /** Some lanes are far behind, some not known, some ahead of all. */
  function drawSince(): Vector {
    const since: MutableVector = {};
    const share = drawn.random();
    for (let lane = 0; lane < laneCount; lane += 1) {
      const origin = originOf(lane);
      const last = whole.committed[origin] ?? 0;
      if (drawn.random() < 0.1) continue;
      since[origin] = drawn.random() < 0.5 ? last : Math.floor(last * share);
      if (drawn.random() < 0.02) since[origin] = last + 5;
    }
    since["server_deadbeef" as ServerName] = 3;
    return since;
  }

  test("gives the same pages of histories, also if many are loaded together", async () => {
    for (let round = 0; round < 60; round += 1) {
      const needs = new Needs();
      const pages = Array.from({ length: 1 + (round % 8) }, drawHistory);
      for (const [at, page] of pages.entries()) needs.history.set(String(at), page);
      const strays = Array.from({ length: 20 }, () => drawn.pick(whole.made)?.event as NewEvent);
      for (const event of strays) {
        const { owner, scope } = storageOf(event);
        if (event.id !== undefined)
          needs.events.set(scope + event.id, { owner, scope, id: event.id });
      }
      for (const { conversation } of pages) {
        if (conversation.user !== undefined) needs.users.add(conversation.user);
        else needs.channels.add(conversation.channel);
      }
      const slice = await database.load(needs);
      expect(slice.committed).toEqual(whole.committed);
      for (const query of pages) {
        if (conversationOf(whole.chat, query.conversation) === undefined) continue;
        const { next, ...page } = pageOf(whole.chat, whole.committed, query);
        const { next: loadedNext, ...loaded } = pageOf(slice.chat, slice.committed, query);
        expect(loaded).toEqual(page);
        if (loadedNext === next) continue;
        // Without the messages with other users, the end may be seen a page earlier.
        expect([query.with, query.since, loadedNext]).toEqual([query.with, undefined, undefined]);
        expect(query.with).toBeDefined();
        const [clock = "", server = ""] = next?.split(":") ?? [];
        const before = { clock: Number(clock), server: server as ServerName };
        const rest = pageOf(whole.chat, whole.committed, { ...query, before, limit: 1_000 });
        expect(rest.entries).toEqual([]);
      }
    }
  });

  test("gives the same pages of names, in the same order", async () => {
    const names: NamesNeed[] = [];
    for (const of of ["users", "channels"] as const) {
      for (const prefix of ["", "a", "𝒜", "ﬀ", "g", "no"]) {
        for (const from of ["", "b", "𝒜nb", "ﬀoo", "zz"]) {
          for (const limit of [1, 2, 100]) names.push({ of, prefix, from, limit });
        }
      }
    }
    const known = await database.load(needsOf({ names }));
    for (const need of names) {
      const page = namesOf(whole.chat, whole.committed, need);
      const alone = await database.load(needsOf({ names: [need] }));
      expect(namesOf(alone.chat, alone.committed, need)).toEqual(page);
      expect(namesOf(known.chat, known.committed, need)).toEqual(page);
    }
    const all = { of: "users", prefix: "", from: "", limit: 100 } as const;
    const sorted: readonly string[] = namesOf(known.chat, known.committed, all).names;
    expect(sorted).toEqual([...userNames].sort());
    expect(sorted.indexOf("𝒜na")).toBeLessThan(sorted.indexOf("ﬀoo"));
  });

  function needsOf(parts: { names?: NamesNeed[]; history?: HistoryNeed[] }): Needs {
    const needs = new Needs();
    for (const [at, page] of (parts.names ?? []).entries()) needs.names.set(String(at), page);
    for (const [at, page] of (parts.history ?? []).entries()) needs.history.set(String(at), page);
    return needs;
  }

  test("knows the same users, and whether a login was not proven", async () => {
    for (const name of [...userNames, "nobody" as UserName]) {
      const needs = new Needs();
      needs.users.add(name);
      const { chat } = await database.load(needs);
      expect(chat.knowsUser(name)).toBe(whole.chat.knowsUser(name));
      const isDoubtful = ({ users }: ChatState) => {
        const logins = users.get(name)?.logins.entries.slice() ?? [];
        return logins.some(({ isProven }) => isProven !== true);
      };
      expect(isDoubtful(chat)).toBe(isDoubtful(whole.chat));
      const looks = new Needs();
      for (const look of looksOf(name)) looks.userLooks.add(look);
      const alike = (await database.load(looks)).chat.userLike(name);
      expect(alike === undefined).toBe(whole.chat.userLike(name) === undefined);
    }
  });

  test("knows the same channels, which are removed, and which look the same", async () => {
    const gone = "gone" as ChannelName;
    const like = ["General", "OPS", "𝒜LL", "none"] as ChannelName[];
    const facts = [
      eventOf("channel", { channel: gone, user: userNames[0] }),
      eventOf("removal", { channel: gone, by: userNames[0] as UserName, isRemoved: true }),
    ];
    const placed = await append(database.pool, facts);
    facts.forEach((event, at) => {
      whole.add(event, (placed[at] as { place: Placed }).place);
    });
    for (const name of [...channelNames, gone, ...like]) {
      const needs = new Needs();
      needs.channels.add(name);
      const { chat } = await database.load(needs);
      expect(chat.knowsChannel(name)).toBe(whole.chat.knowsChannel(name));
      expect(chat.isRemoved(name)).toBe(whole.chat.isRemoved(name));
      expect(chat.channelLike(name) === undefined).toBe(whole.chat.channelLike(name) === undefined);
      expect(chat.channels.get(name)?.isKnown).toBe(whole.chat.channels.get(name)?.isKnown);
    }
  });

  test("counts the same channels and hooks of users", async () => {
    for (const name of userNames) {
      const needs = new Needs();
      needs.channelsOf.add(name);
      needs.hooksOf.add(name);
      const { chat } = await database.load(needs);
      expect(chat.channelsOf(name)).toBe(whole.chat.channelsOf(name));
      const hooks = chat.hooks.madeBy(name).sort(compareOrder);
      expect(hooks).toEqual(whole.chat.hooks.madeBy(name).sort(compareOrder));
      for (const { hook } of hooks) {
        expect(chat.hooks.isRevoked(hook)).toBe(whole.chat.hooks.isRevoked(hook));
      }
    }
    for (const hook of hookIds) {
      const needs = new Needs();
      needs.hooks.add(hook);
      const { chat } = await database.load(needs);
      expect(chat.hooks.get(hook)).toEqual(whole.chat.hooks.get(hook));
      expect(chat.hooks.isRevoked(hook)).toBe(whole.chat.hooks.isRevoked(hook));
    }
  });

  test("has the events that requests with known ids made, and no others", async () => {
    const withId = whole.made.filter(({ event }) => event.id !== undefined);
    for (const { event, place } of withId.filter((_, at) => at % 10 === 0)) {
      const needs = new Needs();
      const id = event.id as NonNullable<NewEvent["id"]>;
      const { owner, scope } = storageOf(event);
      needs.events.set(scope, { owner, scope, id });
      needs.events.set("", { owner, scope, id: "other" as typeof id });
      const { chat } = await database.load(needs);
      expect(foundIn(chat, event)).toMatchObject(place);
    }
  });

  function foundIn(chat: ChatState, { kind, data, id }: NewEvent): Placed | undefined {
    if (id === undefined) return undefined;
    switch (kind) {
      case "login":
        return chat.users.get(data.user)?.logins.find(id, "", () => true);
      case "channel":
        return chat.channels
          .get(data.channel)
          ?.creations.slice()
          .find((one) => one.id === id);
      case "removal":
        return chat.removals.asked(data.channel, { id, by: data.by })[0];
      case "hook":
        return chat.hooks.asked({ id, by: data.by })[0];
      case "unhook":
        return chat.hooks.revocations.asked(data.hook, { id, by: data.by })[0];
      default: {
        const ends =
          kind === "message"
            ? { from: data.src, to: { user: data.dst }, hook: undefined }
            : { from: data.user, to: { channel: data.channel }, hook: data.hook };
        const { window } = conversationOf(chat, ends.to as ConversationName);
        const text = data.message;
        return window.find(id, scopeOf(ends), (message) => message.text === text);
      }
    }
  }

  test("that is loaded in two steps has each event once", async () => {
    const query = { ...drawHistory(), conversation: { channel: "ops" as ChannelName } };
    const history = { ...query, with: undefined, before: undefined, since: {}, limit: 50 };
    const needs = needsOf({ history: [history] });
    const slice = await database.load(needs);
    const later = whole.made.findLast(({ event }) => {
      return event.kind === "publication" && event.data.channel === "ops" && event.id !== undefined;
    })?.event as NewEvent;
    const { owner, scope } = storageOf(later);
    needs.events.set("", { owner, scope, id: later.id as NonNullable<NewEvent["id"]> });
    await database.load(needs, slice);
    const page = pageOf(slice.chat, slice.committed, history);
    expect(page).toEqual(pageOf(whole.chat, whole.committed, history));
    expect(foundIn(slice.chat, later)).toBeDefined();
  });

  test("has no more long messages than a page can show, and the page has a next one", async () => {
    const channel = "long" as ChannelName;
    const user = userNames[0] as UserName;
    const events = Array.from({ length: 700 }, (_, n) => {
      const message = n % 2 === 0 ? "\u0000".repeat(4_096) : "a".repeat(4_096);
      return eventOf("publication", { user, channel, message });
    });
    const appended = await append(database.pool, events);
    appended.forEach((one, at) => {
      whole.add(events[at] as NewEvent, (one as { place: Placed }).place);
    });
    for (const since of [undefined, {}]) {
      const query = { conversation: { channel }, with: undefined, before: undefined, since };
      const history = { ...query, limit: 1_000 };
      const slice = await database.load(needsOf({ history: [history] }));
      const page = pageOf(slice.chat, slice.committed, history);
      expect(page).toEqual(pageOf(whole.chat, whole.committed, history));
      expect(page.next).toBeDefined();
      expect(conversationOf(slice.chat, { channel }).window.entries.length).toBeLessThan(400);
    }
  });
});
