import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ChannelName, HookId, HookName, UserName } from "../../../src/protocol/ids.ts";
import { userTopic } from "../../../src/protocol/topics.ts";
import { nameOf } from "../../../src/server/core/replica/placed.ts";
import type { Appended, NewEvent } from "../../../src/server/engine/engine.ts";
import { storageOf } from "../../../src/server/engine/events.ts";
import { append as appendTo } from "../../../src/server/engine/postgres/append.ts";
import { markPublished, unpublished } from "../../../src/server/engine/postgres/unpublished.ts";
import { hasPostgres, skipNote } from "../../../src/trials/postgres.ts";
import { DrawnEvents, eventOf } from "../../support/drawn-events.ts";
import { EngineDatabase } from "../../support/engine-database.ts";

const ana = "ana" as UserName;
const bob = "bob" as UserName;
const general = "general" as ChannelName;

const say = (message: string, id?: string) => {
  return eventOf("publication", { user: ana, channel: general, message }, id);
};
const tell = (message: string, id?: string) => {
  return eventOf("message", { src: ana, dst: bob, message }, id);
};

type Placed = Exclude<Appended, "conflict">;

function placesOf(appended: readonly Appended[]) {
  return appended.map((one) => (one === "conflict" ? one : nameOf(one.place)));
}

describe.skipIf(!hasPostgres)(`Events of an engine${skipNote}`, () => {
  let database: EngineDatabase;
  const append = (events: readonly NewEvent[]) => appendTo(database.pool, events);

  beforeAll(async () => {
    database = await EngineDatabase.start();
  }, 60_000);
  afterAll(() => database[Symbol.asyncDispose]());
  beforeEach(() => database.empty());

  describe("of eight servers at once", () => {
    let all: { event: NewEvent; appended: Appended }[];
    const news = () => {
      return all.flatMap(({ event, appended }) => {
        return appended !== "conflict" && appended.isNew ? [{ event, ...appended }] : [];
      });
    };

    beforeEach(async () => {
      const made = Array.from({ length: 8 }, async (_, number) => {
        // Two servers each draw the same events, as if clients sent each request twice.
        const drawn = new DrawnEvents(1 + Math.floor(number / 2));
        const batches = Array.from({ length: 20 }, () => {
          return Array.from({ length: 1 + Math.floor(drawn.random() * 10) }, () => drawn.next());
        });
        const appended: (readonly Appended[])[] = [];
        for (const batch of batches) appended.push(await append(batch));
        return batches.flatMap((batch, at) => {
          return batch.map((event, n) => ({ event, appended: appended[at]?.[n] as Appended }));
        });
      });
      all = (await Promise.all(made)).flat();
    });

    test("get numbers without a gap in each lane, and rising clocks above those of their servers", async () => {
      const rows = await database.query<{ lane: number; seq: number; clock: number }>(
        "select lane, seq, clock from events order by lane, seq",
      );
      let last = { lane: -1, seq: 0, clock: 0 };
      for (const row of rows) {
        if (row.lane !== last.lane) last = { lane: row.lane, seq: 0, clock: 0 };
        expect(row.seq).toBe(last.seq + 1);
        expect(row.clock).toBeGreaterThan(last.clock);
        last = row;
      }
      expect(rows.length).toBe(news().length);
      for (const { event, place } of news()) expect(place.clock).toBeGreaterThan(event.clock);
      const lanes = await database.query("select lane, seq, clock from lanes where seq > 0");
      for (const lane of lanes) expect(rows).toContainEqual(lane);
    });

    test("are each made once, and every copy of their requests gets the same place", () => {
      const places = new Map<string, Set<string>>();
      for (const { event, appended } of all) {
        if (event.id === undefined || appended === "conflict") continue;
        const key = `${storageOf(event).scope}\n${event.id}`;
        places.set(key, (places.get(key) ?? new Set()).add(nameOf(appended.place)));
      }
      expect(places.size).toBeGreaterThan(200);
      for (const of of places.values()) expect(of.size).toBe(1);
      const made = news().filter(({ event }) => event.id !== undefined);
      const keys = made.map(({ event }) => `${storageOf(event).scope}\n${event.id}`);
      expect(new Set(keys).size).toBe(keys.length);
      expect(keys.length).toBe(places.size);
    });

    test("make a channel only once", () => {
      const made = news().flatMap(({ event }) => {
        return event.kind === "channel" ? [event.data.channel] : [];
      });
      expect(made.length).toBeGreaterThan(3);
      expect(new Set(made).size).toBe(made.length);
    });

    test("name, for each topic, the message before them of the same origin (P3)", async () => {
      const expected = new Map<string, number>();
      const ordered = news().sort((a, b) => a.place.seq - b.place.seq);
      for (const { event, place, prevs } of ordered) {
        if (event.kind !== "message" && event.kind !== "publication") {
          expect(prevs.size).toBe(0);
          continue;
        }
        expect(prevs.size).toBeGreaterThan(0);
        for (const [topic, prev] of prevs) {
          const key = `${place.server} ${topic}`;
          expect(prev).toBe(expected.get(key) ?? 0);
          expected.set(key, place.seq);
        }
      }
      const found = await unpublished(database.pool, -1_000, 10_000);
      const links = (one: Placed) => [nameOf(one.place), [...one.prevs].sort()];
      const messages = news().filter(({ prevs }) => prevs.size > 0);
      const byName = (a: unknown[], b: unknown[]) => (String(a[0]) < String(b[0]) ? -1 : 1);
      expect(found.map(({ appended }) => links(appended)).sort(byName)).toEqual(
        messages.map(links).sort(byName),
      );
    });
  });

  test("keep their order within a conversation", async () => {
    const events = Array.from({ length: 30 }, (_, n) => [say(`${n}`), tell(`${n}`)]).flat();
    const appended = await append(events);
    const seqs = appended.filter((_, at) => at % 2 === 0).map((one) => (one as Placed).place.seq);
    expect(seqs).toEqual(Array.from({ length: 30 }, (_, n) => n + 1));
  });

  test("with an id that stands for another text are a conflict, also within a batch", async () => {
    const [first, again, other] = await append([say("a", "1"), say("a", "1"), say("b", "1")]);
    expect(placesOf([again as Appended])).toEqual(placesOf([first as Appended]));
    expect(first).toMatchObject({ isNew: true });
    expect(again).toMatchObject({ isNew: false });
    expect(other).toBe("conflict");
    expect(await append([say("b", "1")])).toEqual(["conflict"]);
    expect(await append([say("a", "1")])).toMatchObject([{ isNew: false }]);
    expect(await append([tell("b", "1")])).toMatchObject([{ isNew: true }]);
  });

  test("that make a channel which exists are a conflict, but for the same request", async () => {
    const make = (user: UserName, id?: string) => {
      return eventOf("channel", { channel: general, user }, id);
    };
    const [first, second] = await append([make(ana, "1"), make(bob, "1")]);
    expect(first).toMatchObject({ isNew: true });
    expect(second).toBe("conflict");
    const later = await append([make(ana, "1"), make(ana, "2"), make(ana)]);
    expect(placesOf(later)).toEqual([...placesOf([first as Appended]), "conflict", "conflict"]);
  });

  test("[K10] of several servers that make channels which look the same make one of them", async () => {
    for (let round = 1; round <= 30; round += 1) {
      const names = [`room-${round}`, `ROOM-${round}`, `rооm-${round}`] as ChannelName[];
      const made = names.map((channel) => append([eventOf("channel", { channel, user: ana })]));
      const news = (await Promise.all(made)).flat().filter((one) => one !== "conflict");
      expect(news).toHaveLength(1);
    }
  });

  test("that make a channel which looks like a removed one are no conflict", async () => {
    const make = (channel: string) => {
      return eventOf("channel", { channel: channel as ChannelName, user: ana });
    };
    await append([make("general")]);
    expect(await append([make("GENERAL")])).toEqual(["conflict"]);
    await append([eventOf("removal", { channel: general, by: ana, isRemoved: true })]);
    expect(await append([make("GENERAL")])).toMatchObject([{ isNew: true }]);
  });

  test("[K10] of several servers make no more channels and hooks of one user than the user may have", async () => {
    const most = 3;
    const channel = (name: string) => {
      return { ...eventOf("channel", { channel: name as ChannelName, user: ana }), most };
    };
    const hook = (number: number) => {
      const id = String(number).padStart(32, "0") as HookId;
      const data = { hook: id, channel: general, name: "build" as HookName, by: ana };
      return { ...eventOf("hook", data), most };
    };
    const made = Array.from({ length: 4 }, (_, at) => {
      return append([channel(`a${at}`), hook(2 * at), channel(`b${at}`), hook(2 * at + 1)]);
    });
    const kinds = (await Promise.all(made)).map((all) => all.map((one) => one !== "conflict"));
    expect(kinds.flatMap(([one, , other]) => [one, other]).filter(Boolean)).toHaveLength(most);
    expect(kinds.flatMap(([, one, , other]) => [one, other]).filter(Boolean)).toHaveLength(most);
  });

  test("[K10] that are publications in a channel which was removed meanwhile are a conflict", async () => {
    await append([eventOf("channel", { channel: general, user: ana }), say("before", "1")]);
    const remove = (isRemoved: boolean) => {
      return eventOf("removal", { channel: general, by: bob, isRemoved });
    };
    await append([remove(true)]);
    expect(await append([say("after")])).toEqual(["conflict"]);
    expect(await append([say("before", "1")])).toMatchObject([{ isNew: false }]);
    await append([remove(false)]);
    expect(await append([say("after")])).toMatchObject([{ isNew: true }]);
  });

  test("[K10] of a user whose account has another password or is locked meanwhile are a conflict", async () => {
    await database.query(
      `insert into accounts (name, id, credential, version, looks)
      values ('eve', '1', 'hash', 'v1', '{}')`,
    );
    const event = eventOf("publication", {
      user: "eve" as UserName,
      channel: general,
      message: "a",
    });
    const told = () => append([{ ...event, version: "v1" }, say("b")]);
    expect(await told()).toMatchObject([{ isNew: true }, { isNew: true }]);
    await database.query("update accounts set locked = true where name = 'eve'");
    expect(await told()).toMatchObject(["conflict", { isNew: true }]);
    await database.query("update accounts set locked = null, version = 'v2' where name = 'eve'");
    expect(await told()).toMatchObject(["conflict", { isNew: true }]);
  });

  test("of a hook and of a removal are a conflict if their id stands for other data", async () => {
    const remove = (isRemoved: boolean) => {
      return eventOf("removal", { channel: general, by: ana, isRemoved }, "1");
    };
    expect(await append([remove(true), remove(false)])).toMatchObject([
      { isNew: true },
      "conflict",
    ]);
    expect(await append([remove(false)])).toEqual(["conflict"]);
    expect(await append([remove(true)])).toMatchObject([{ isNew: false }]);
  });

  test("that are logins are of one request even if only one was proven", async () => {
    const login = (isProven?: true) => eventOf("login", { user: ana, isProven }, "1");
    const places = placesOf([...(await append([login(true)])), ...(await append([login()]))]);
    expect(places[1]).toBe(places[0]);
  });

  test("come with the credentials' versions of the users whose topics they are on", async () => {
    await database.query(
      `insert into accounts (name, id, credential, version, looks)
      values ('bob', '1', 'hash', 'v7', '{}') on conflict do nothing`,
    );
    const [told] = await append([tell("a")]);
    expect(told).toMatchObject({ versions: new Map([[bob, "v7"]]) });
    const [found] = await unpublished(database.pool, -1_000, 10);
    expect(found?.appended.versions).toEqual(new Map([[bob, "v7"]]));
  });

  describe("that are messages", () => {
    test("are found until they are published, as they were appended", async () => {
      const events = [tell("\u0000 \u001a0", "\u0000"), say("b"), tell("c")];
      const appended = (await append(events)) as Placed[];
      await append([say("later")]);
      const found = await unpublished(database.pool, -1_000, 3);
      const byName = (a: Placed, b: Placed) => (nameOf(a.place) < nameOf(b.place) ? -1 : 1);
      expect(found.map((one) => one.appended).sort(byName)).toEqual([...appended].sort(byName));
      const secret = found.find(({ event }) => event.id !== undefined);
      expect(secret?.event.data).toEqual({ src: ana, dst: bob, message: "\u0000 \u001a0" });
      await markPublished(
        database.pool,
        appended.map(({ place }) => place),
      );
      const left = await unpublished(database.pool, -1_000, 10);
      expect(left.map(({ event }) => event.data)).toMatchObject([{ message: "later" }]);
    });

    test("are not found while they are young", async () => {
      await append([say("a")]);
      expect(await unpublished(database.pool, 60_000, 10)).toEqual([]);
    });

    test("of one transaction are found together, and those of the next one only within the limit", async () => {
      for (const text of ["a", "b", "c"]) await append([say(text), say(text)]);
      const texts = async (limit: number) => {
        return (await unpublished(database.pool, -1_000, limit)).map(({ event }) => {
          return event.kind === "publication" && event.data.message;
        });
      };
      expect(await texts(1)).toEqual(["a", "a"]);
      expect(await texts(2)).toEqual(["a", "a"]);
      expect(await texts(3)).toEqual(["a", "a", "b", "b"]);
    });

    test("to oneself are on one topic", async () => {
      const [one] = await append([eventOf("message", { src: ana, dst: ana, message: "note" })]);
      expect((one as Placed).prevs).toEqual(new Map([[userTopic(ana), 0]]));
    });
  });
});
