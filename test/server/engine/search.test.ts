import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../../src/platform/random.ts";
import type { SearchQuery } from "../../../src/protocol/client-messages.ts";
import type { Cursor } from "../../../src/protocol/cursor.ts";
import type { ChannelName, HookName, UserName } from "../../../src/protocol/ids.ts";
import { matcherOf, readTerms } from "../../../src/protocol/search-words.ts";
import type { ConversationName } from "../../../src/protocol/topics.ts";
import { append } from "../../../src/server/engine/postgres/append.ts";
import { search } from "../../../src/server/engine/postgres/search.ts";
import { hasPostgres, skipNote } from "../../../src/trials/postgres.ts";
import { eventOf } from "../../support/drawn-events.ts";
import { EngineDatabase } from "../../support/engine-database.ts";

const [ana, bob, zé] = ["ana", "bob", "zé"] as UserName[] as [UserName, UserName, UserName];
const [general, ops] = ["general", "ops"] as ChannelName[] as [ChannelName, ChannelName];

describe.skipIf(!hasPostgres)(`A search in an engine${skipNote}`, () => {
  let database: EngineDatabase;
  const find = ({ words, ...query }: Partial<SearchQuery> & { readonly words: string }) => {
    const rest = { conversation: { channel: general }, limit: 10 };
    return search(database.pool, { ...rest, terms: readTerms(words), ...query });
  };
  const textsOf = async (words: string, conversation?: ConversationName) => {
    const found = await find({ words, ...(conversation && { conversation }) });
    return found.map(({ message }) => message);
  };

  beforeAll(async () => {
    database = await EngineDatabase.start();
    const say = (message: string, channel = general) => {
      return eventOf("publication", { user: ana, channel, message });
    };
    const tell = (src: UserName, dst: UserName, message: string) => {
      return eventOf("message", { src, dst, message });
    };
    const filler = Array.from({ length: 3_003 }, (_, n) => say(`noise number${n % 7}`));
    await append(database.pool, [
      say("The rare Bird sings"),
      say("a rare fish; the bird is elsewhere", ops),
      say("Ação às 10h \u0000"),
      ...filler,
      tell(ana, bob, "secret plan for zé"),
      tell(bob, ana, "which plan?"),
      tell(zé, bob, "plan of zé"),
      tell(ana, ana, "plan to myself"),
      eventOf("publication", {
        user: ana,
        channel: ops,
        message: "build failed",
        hook: "ci" as HookName,
      }),
      say("the bird again"),
    ]);
  }, 60_000);
  afterAll(() => database[Symbol.asyncDispose]());

  test("finds messages with all the words, newest first, in any case of letters", async () => {
    expect(await textsOf("bird")).toEqual(["the bird again", "The rare Bird sings"]);
    expect(await textsOf("BIRD rare")).toEqual(["The rare Bird sings"]);
    expect(await textsOf("ação")).toEqual(["Ação às 10h \u0000"]);
    expect(await textsOf("nowhere")).toEqual([]);
  });

  test("takes words in quotation marks as they follow each other, and leaves out words after a minus", async () => {
    expect(await textsOf('"rare bird"')).toEqual(["The rare Bird sings"]);
    expect(await textsOf('"bird rare"')).toEqual([]);
    expect(await textsOf("bird -rare")).toEqual(["the bird again"]);
  });

  test("finds nothing without a word", async () => {
    for (const words of ["", " ", "…", "()&|!:*'\\", "\u0000"]) {
      expect(await textsOf(words)).toEqual([]);
    }
  });

  test("stays within its conversation", async () => {
    expect(await textsOf("rare", { channel: ops })).toEqual(["a rare fish; the bird is elsewhere"]);
    expect(await textsOf("plan", { user: ana })).toEqual([
      "plan to myself",
      "which plan?",
      "secret plan for zé",
    ]);
    expect(await textsOf("plan", { user: zé })).toEqual(["plan of zé"]);
    expect(await textsOf("plan")).toEqual([]);
  });

  test("finds names of people and channels only where they are written", async () => {
    expect(await textsOf("general")).toEqual([]);
    expect(await textsOf("@ana", { user: ana })).toEqual([]);
    expect(await textsOf("zé", { user: bob })).toEqual(["plan of zé", "secret plan for zé"]);
  });

  test("gives entries as a history does, with the names of hooks", async () => {
    const [entry] = await find({ words: "failed", conversation: { channel: ops } });
    expect(entry).toMatchObject({ channel: ops, user: ana, hook: "ci", message: "build failed" });
    const [told] = await find({ words: "secret", conversation: { user: bob } });
    expect(told).toMatchObject({ src: ana, dst: bob, message: "secret plan for zé" });
  });

  test("finds the private messages that a user exchanged with another one, or wrote to themselves", async () => {
    const plans = async (user: UserName, other: UserName) => {
      const found = await find({ words: "plan", conversation: { user }, with: other });
      return found.map(({ message }) => message);
    };
    expect(await plans(ana, bob)).toEqual(["which plan?", "secret plan for zé"]);
    expect(await plans(ana, ana)).toEqual(["plan to myself"]);
    expect(await plans(bob, zé)).toEqual(["plan of zé"]);
    expect(await plans(ana, zé)).toEqual([]);
  });

  test("[Q31] a search and the engine's index find the same messages", async () => {
    const channel = "drawn" as ChannelName;
    const random = seededRandom(7);
    const draw = (list: readonly string[], most: number, between: string) => {
      const count = 1 + Math.floor(random() * most);
      return Array.from({ length: count }, () => list[Math.floor(random() * list.length)]).join(
        between,
      );
    };
    const words = ["or", "Ação", "ação", "b2", "C", "c", "日本", "or"];
    const texts = Array.from({ length: 300 }, () => draw([...words, "!", "—", "🎉"], 6, " "));
    const events = texts.map((message) => eventOf("publication", { user: ana, channel, message }));
    await append(database.pool, events);
    const parts = [...words, "-c", "-or", '"c ação"', '-"b2 or"', "c—b2", "🎉", "(", "'", "&"];
    for (let number = 0; number < 200; number += 1) {
      const searched = draw(parts, 3, " ");
      const terms = readTerms(searched);
      if (terms.every(({ isUnwanted }) => isUnwanted)) continue;
      const found = await find({ words: searched, conversation: { channel }, limit: 1_000 });
      const wanted = texts.filter(matcherOf(terms)).reverse();
      expect({ searched, texts: found.map(({ message }) => message) }).toEqual({
        searched,
        texts: wanted,
      });
    }
  });

  test("gives each message once, page by page", async () => {
    const seqs: number[] = [];
    let before: Cursor | undefined;
    for (;;) {
      const page = await find({ words: "number3", before, limit: 100 });
      seqs.push(...page.map(({ seq }) => seq));
      const last = page.at(-1);
      if (last === undefined || page.length < 100) break;
      before = { clock: last.clock, server: last.server };
    }
    expect(seqs.length).toBe(429);
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => b - a));
  });
});
