import { expect, test } from "vitest";
import { compareOrder } from "../../../src/protocol/event.ts";
import type { ChannelEntry, Entry } from "../../../src/protocol/publications.ts";
import type { Vector } from "../../../src/protocol/vector.ts";
import { type Person, type Scene, serverOf, textsOf } from "./scene.ts";
import { keptMessages, servers } from "./subject.ts";

const numbers = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, at) => `${first + at}`);

/** Writes messages to a channel, many at once and at all servers. */
async function fill(by: Person, channel: string, texts: readonly string[]): Promise<void> {
  await Promise.all(texts.map((text, at) => by.publish(serverOf(at), channel, text)));
}

/** Expects that entries are in the total order (H1). */
function expectOrder(entries: readonly Entry[]): void {
  expect(entries).toEqual([...entries].sort(compareOrder));
}

const sorted = (texts: readonly string[]) => [...texts].sort((a, b) => Number(a) - Number(b));

/** What servers promise of histories, whatever they keep them in. */
export function promisesOfReads(scene: () => Scene): void {
  test("[H1] [H3] pages backwards, at any server, have each message once and in order until the beginning, while others write", async () => {
    const [ana] = await scene().anaAndBia();
    const channel = await scene().channel(ana);
    const texts = numbers(1, 40);
    await fill(ana, channel, texts);
    const pages: Entry[][] = [];
    let before: string | undefined;
    do {
      const page = await ana.history(serverOf(pages.length), { channel, before, limit: 7 });
      expect(page.entries.length).toBeLessThanOrEqual(7);
      pages.unshift([...page.entries]);
      before = page.next;
      if (pages.length <= 3) await ana.publish(2, channel, "too new");
    } while (before !== undefined);
    const entries = pages.flat();
    expectOrder(entries);
    expect(sorted(textsOf(entries))).toEqual(texts);
  });

  test("[H4] [H5] pages after a vector have just what it does not cover, and say that nothing is missing", async () => {
    const [ana] = await scene().anaAndBia();
    const channel = await scene().channel(ana);
    await fill(ana, channel, numbers(1, 20));
    const { seen } = await ana.history(2, { channel });
    await fill(ana, channel, numbers(21, 40));
    for (const [since, first] of [
      [{}, 1],
      [seen, 21],
    ] as const) {
      for (const limit of [3, 1_000]) {
        const { entries, complete } = await ana.after(since, { channel, limit });
        expect(sorted(textsOf(entries))).toEqual(numbers(first, 40));
        expect(complete).toBe(true);
      }
    }
    const { seen: all } = await ana.history(3, { channel });
    expect(await ana.after(all, { channel })).toEqual({ entries: [], complete: true });
  });

  test("[H4] [J3] a page after a vector has all that is missing, or says that it has not", async () => {
    const [ana] = await scene().anaAndBia();
    const channel = await scene().channel(ana);
    const vectors: [Vector, number][] = [[{}, 0]];
    const more = keptMessages - 10;
    for (let written = 0; written < 3 * more; written += more) {
      await fill(ana, channel, numbers(written + 1, written + more));
      vectors.push([(await ana.history(1, { channel })).seen, written + more]);
    }
    const whole = numbers(1, 3 * more);
    for (const [since, covered] of vectors) {
      for (const server of servers) {
        const page = await ana.history(server, { channel, since, limit: 1_000 });
        const texts = sorted(textsOf(page.entries));
        const missing = whole.slice(covered);
        if (page.complete === true) expect(texts).toEqual(missing);
        else expect(missing.length).toBeGreaterThan(keptMessages);
        // What is dropped is the oldest, and no more than the server may drop.
        expect(texts.length).toBeGreaterThanOrEqual(Math.min(missing.length, keptMessages));
        expectOrder(page.entries);
      }
    }
  });

  test("[C3] [H5] a follower that reads on from its position, at any server, gets each message once, and those of one writer in order", async () => {
    const people = await scene().anaAndBia();
    const [reader] = people;
    const channel = await scene().channel(reader);
    const lines = 20;
    const writing = people.map(async (person, writer) => {
      for (let line = 1; line <= lines; line += 1) {
        await person.publish(serverOf(writer + line), channel, `${line}`);
      }
    });
    const heard: ChannelEntry[] = [];
    let since: Vector = {};
    for (let reads = 0; heard.length < lines * people.length; reads += 1) {
      const page = await reader.history(serverOf(reads), { channel, since, limit: 4 });
      expect(page.complete).toBe(true);
      expectOrder(page.entries);
      heard.push(...(page.entries as ChannelEntry[]));
      since = page.seen;
    }
    await Promise.all(writing);
    for (const { user } of people) {
      expect(textsOf(heard.filter((entry) => entry.user === user))).toEqual(numbers(1, lines));
    }
    const rest = await reader.history(1, { channel, since });
    expect(rest.entries).toEqual([]);
  });

  test("[R9] [Q3] a reader that names what was written sees it at each server at once", async () => {
    const [ana, bia] = await scene().anaAndBia();
    for (let round = 0; round < 6; round += 1) {
      const channel = scene().newName("room");
      await ana.write(serverOf(round), "channel", { channel });
      await ana.publish(serverOf(round + 1), channel, "hi");
      for (const server of servers) {
        const { entries } = await bia.history(server, { channel });
        expect(textsOf(entries)).toEqual(["hi"]);
        const { channels } = await bia.ask(server, "channels", { prefix: channel });
        expect(channels).toContain(channel);
      }
    }
  });

  test("[H8] [A3] a private conversation is seen by its two people only, at each server", async () => {
    const [ana, bia, caio] = (await scene().people(3)) as [Person, Person, Person];
    for (const [at, [from, to, message]] of (
      [
        [ana, bia, "1 for bia"],
        [bia, ana, "2 for ana"],
        [ana, caio, "3 for caio"],
      ] as const
    ).entries()) {
      await from.write(serverOf(at), "message", { src: from.user, dst: to.user, message });
    }
    const read = async (server: number, reader: Person, other?: Person) => {
      const data = { user: reader.user, ...(other && { with: other.user }) };
      const found = await reader.ask(server, "search", { ...data, words: "for" });
      const { entries } = await reader.history(server, data);
      expect(textsOf(found.entries)).toEqual(textsOf(entries));
      return textsOf(entries);
    };
    for (const server of servers) {
      expect(await read(server, ana)).toEqual(["1 for bia", "2 for ana", "3 for caio"]);
      expect(await read(server, bia)).toEqual(["1 for bia", "2 for ana"]);
      expect(await read(server, caio)).toEqual(["3 for caio"]);
      for (const [reader, other] of [
        [ana, bia],
        [bia, ana],
      ] as const) {
        expect(await read(server, reader, other)).toEqual(["1 for bia", "2 for ana"]);
      }
      expect(await read(server, caio, bia)).toEqual([]);
      const others = { user: ana.user, with: caio.user };
      const topic = `@${ana.user}\0`;
      for (const [service, data] of [
        ["history", { user: ana.user }],
        ["history", others],
        ["search", { ...others, words: "for" }],
        ["keys", { topics: [topic] }],
        ["message", { src: ana.user, dst: caio.user, message: "not of ana" }],
      ] as const) {
        expect((await bia.refusal(server, service, data)).code, service).toBe("forbidden");
      }
    }
  });

  test("[A10] a removed channel has no history at any server, until it is restored with all its messages", async () => {
    const [ana] = await scene().anaAndBia();
    const { operator } = scene();
    const { user } = ana;
    const channel = await scene().channel(ana);
    await fill(ana, channel, numbers(1, 5));
    const { entries } = await ana.history(1, { channel });
    await operator.write(2, "removal", { channel, removed: true });
    for (const server of servers) {
      for (const [service, data, code] of [
        ["history", { channel }, "channel_not_found"],
        ["history", { channel, since: {} }, "channel_not_found"],
        ["search", { channel, words: "1" }, "channel_not_found"],
        ["publish", { user, channel, message: "6" }, "channel_not_found"],
        ["channel", { user, channel }, "forbidden"],
        ["keys", { topics: [`#${channel}\0`] }, "forbidden"],
      ] as const) {
        expect((await ana.refusal(server, service, data)).code, service).toBe(code);
      }
      const { channels } = await ana.ask(server, "channels", { prefix: channel });
      expect(channels).not.toContain(channel);
    }
    await operator.write(3, "removal", { channel, removed: false });
    for (const server of servers) {
      expect((await ana.history(server, { channel })).entries).toEqual(entries);
    }
  });
}
