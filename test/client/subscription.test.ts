import { describe, expect, test } from "vitest";
import { Duplicates } from "../../src/client/duplicates.ts";
import { Subscription } from "../../src/client/subscription.ts";
import type { ServerName } from "../../src/protocol/ids.ts";
import type { Entry, Publication } from "../../src/protocol/publications.ts";
import type { HistoryPage } from "../../src/protocol/replies.ts";
import type { Vector } from "../../src/protocol/vector.ts";
import { serverName } from "../support/event-lines.ts";

const [a, b] = [serverName(1), serverName(2)];

/** Unless `more` says otherwise, `prev` is the entry before `seq`, and the id is unique. */
function publication(server: ServerName, seq: number, more: { prev?: number; id?: string } = {}) {
  const { prev = seq - 1, id = `${server}-${seq}` } = more;
  const text = `says ${id}`;
  const entry = { channel: "geral", user: "ana", message: text, clock: seq, server, seq, id };
  return { ...entry, timestamp: "2026-01-01T00:00:00.000Z", prev } as unknown as Publication;
}

/**
 * Receives what a subscription delivers. The subscription's reads of the history wait for the
 * promise `hold`.
 */
class Listener {
  readonly heard: string[] = [];
  readonly history: Publication[] = [];
  fetches = 0;
  missed = 0;
  /** Whether the history still has all entries, as each page reports it. */
  complete: boolean | undefined = true;
  hold: Promise<void> = Promise.resolve();
  readonly subscription: Subscription;

  constructor({ hasBegun = true, duplicates = new Duplicates() } = {}) {
    const ports = {
      pages: (since: Vector) => this.#pages(since),
      deliver: ({ server, seq }: Entry) => this.heard.push(`${server} ${seq}`),
      missed: () => {
        this.missed += 1;
      },
      refused: () => {},
    };
    this.subscription = new Subscription("#geral\0", ports, duplicates);
    if (hasBegun) this.subscription.begin({});
  }

  async *#pages(since: Vector): AsyncGenerator<HistoryPage> {
    this.fetches += 1;
    await this.hold;
    const entries: Entry[] = this.history.filter(({ server, seq }) => seq > (since[server] ?? 0));
    const seen = { ...since };
    for (const { server, seq } of this.history) seen[server] = Math.max(seen[server] ?? 0, seq);
    yield { entries, seen, complete: this.complete };
  }
}

describe("a subscription", () => {
  test("[C3] a subscription delivers each entry once, and the entries of each server in order", () => {
    const listener = new Listener();
    const all = [publication(a, 1), publication(b, 1), publication(a, 4, { prev: 1 })];
    listener.subscription.receive(all);
    listener.subscription.receive(all);
    expect(listener.heard).toEqual([`${a} 1`, `${b} 1`, `${a} 4`]);
    expect(listener.fetches).toBe(0);
  });

  test("[C3] [H4] a subscription reports once per reading of the history that entries are missing from it", async () => {
    const listener = new Listener();
    listener.history.push(publication(a, 7));
    listener.complete = false;
    listener.subscription.fill();
    await listener.subscription.settled();
    expect([listener.heard, listener.missed]).toEqual([[`${a} 7`], 1]);
    // Servers of older versions do not say whether entries are missing.
    listener.complete = undefined;
    listener.subscription.fill();
    await listener.subscription.settled();
    expect(listener.missed).toBe(1);
  });

  test("[C3] a subscription reads the history for the entry of a receipt unless it has delivered this entry", async () => {
    const listener = new Listener();
    const { subscription, history } = listener;
    history.push(publication(a, 1), publication(b, 1), publication(a, 2));
    subscription.receive([publication(a, 1)]);
    subscription.expect(a, 1);
    await subscription.complete();
    expect(listener.fetches).toBe(0);
    subscription.expect(b, 1);
    subscription.expect(a, 2);
    await subscription.complete();
    expect(listener.heard).toEqual([`${a} 1`, `${b} 1`, `${a} 2`]);
    subscription.receive([publication(b, 1), publication(a, 2)]);
    await subscription.complete();
    expect([listener.heard.length, listener.fetches]).toEqual([3, 1]);
  });

  test("[C3] a subscription begins at the given vector even if the subscription received a later entry before it began", async () => {
    const listener = new Listener({ hasBegun: false });
    listener.history.push(publication(a, 1), publication(a, 2), publication(a, 3));
    listener.subscription.receive([publication(a, 3)]);
    listener.subscription.fill();
    await listener.subscription.settled();
    expect(listener.heard).toEqual([]);
    listener.subscription.begin({ [a]: 2 });
    listener.subscription.fill();
    await listener.subscription.settled();
    expect(listener.heard).toEqual([`${a} 3`]);
  });

  test("[C3] a subscription fills a gap from the history before it delivers later entries", async () => {
    const listener = new Listener();
    listener.history.push(publication(a, 1), publication(a, 2), publication(a, 3));
    listener.subscription.receive([publication(a, 1)]);
    listener.subscription.receive([publication(a, 4)]);
    expect(listener.heard).toEqual([`${a} 1`]);
    await listener.subscription.settled();
    expect(listener.heard).toEqual([`${a} 1`, `${a} 2`, `${a} 3`, `${a} 4`]);
  });

  test("[C3] [W7] a publication with an invented `prev` causes one read of the history and is dropped", async () => {
    const listener = new Listener();
    listener.history.push(publication(a, 1));
    listener.subscription.receive([publication(a, 3, { prev: 1_000_000 })]);
    listener.hold = new Promise((resolve) => setTimeout(resolve, 5));
    await listener.subscription.settled();
    expect(listener.fetches).toBe(1);
    expect(listener.heard).toEqual([`${a} 1`]);
    listener.subscription.receive([publication(a, 2)]);
    expect(listener.heard).toEqual([`${a} 1`, `${a} 2`]);
  });

  test("[C3] unverified publications make a subscription read the history at most once a second", async () => {
    const listener = new Listener();
    const fetches: number[] = [];
    for (const timeMs of [5, 6, 500, 1_004, 1_005, 1_006, 9_000]) {
      listener.subscription.doubt(timeMs);
      await listener.subscription.settled();
      fetches.push(listener.fetches);
    }
    expect(fetches).toEqual([1, 1, 1, 1, 2, 2, 3]);
  });

  test("[C3] entries that arrive while a subscription fills a gap are delivered after the gap", async () => {
    const listener = new Listener();
    let release = () => {};
    listener.hold = new Promise((resolve) => {
      release = resolve;
    });
    listener.history.push(publication(a, 1), publication(a, 2));
    listener.subscription.receive([publication(a, 2)]);
    listener.subscription.receive([publication(b, 7, { prev: 0 }), publication(a, 3)]);
    expect(listener.heard).toEqual([]);
    release();
    await listener.subscription.settled();
    expect(listener.heard.toSorted()).toEqual([`${a} 1`, `${a} 2`, `${a} 3`, `${b} 7`]);
  });

  test("[C3] [R6] of two duplicates, a subscription delivers only the one that arrives first", () => {
    const listener = new Listener();
    listener.subscription.receive([
      publication(a, 1, { id: "same" }),
      publication(b, 1, { id: "same" }),
    ]);
    expect(listener.heard).toEqual([`${a} 1`]);
  });

  test("[C3] [R6] a subscription delivers both of two messages that have one id and different texts", () => {
    const listener = new Listener();
    const other = { ...publication(b, 1, { id: "same" }), message: "something else" };
    listener.subscription.receive([
      publication(a, 1, { id: "same" }),
      other,
      publication(b, 2, { id: "same" }),
    ]);
    expect(listener.heard).toEqual([`${a} 1`, `${b} 1`]);
  });

  test("[C3] [R6] a subscription delivers both of two private messages that have one id and different receivers", () => {
    const listener = new Listener();
    const to = (dst: string, seq: number) => {
      const entry = { src: "ana", dst, message: "olá", clock: seq, server: a, seq, id: "same" };
      return { ...entry, prev: seq - 1 } as unknown as Publication;
    };
    listener.subscription.receive([to("bia", 1), to("caio", 2)]);
    expect(listener.heard).toEqual([`${a} 1`, `${a} 2`]);
  });

  test("[C3] a subscription that begins with a page of entries does not deliver duplicates of these entries", () => {
    const listener = new Listener();
    listener.subscription.begin({ [a]: 1 }, [publication(a, 1, { id: "same" })]);
    listener.subscription.receive([publication(b, 1, { id: "same" }), publication(b, 2)]);
    expect(listener.heard).toEqual([`${a} 1`, `${b} 2`]);
  });

  test("[C3] a subscription that begins at a vector delivers only the entries after this vector", async () => {
    const listener = new Listener();
    listener.history.push(publication(a, 1), publication(a, 2));
    listener.subscription.begin({ [a]: 1 });
    listener.subscription.fill();
    await listener.subscription.settled();
    expect(listener.heard).toEqual([`${a} 2`]);
    expect(listener.subscription.vector).toEqual({ [a]: 2 });
  });
});

describe("the place of a subscription", () => {
  test("[C3] after each entry of the first page, a subscription's place covers exactly the entries delivered so far", () => {
    const page = [publication(a, 3), publication(b, 5), publication(a, 8), publication(b, 9)];
    const places: Vector[] = [];
    const ports = {
      pages: () => listenToNothing(),
      deliver: (_: Entry, place: Vector) => places.push({ ...place }),
      missed: () => {},
      refused: () => {},
    };
    const subscription = new Subscription("#geral\0", ports, new Duplicates());
    subscription.begin({ [a]: 10, [b]: 10 } as Vector, page);
    expect(places).toEqual([
      { [a]: 3, [b]: 4 },
      { [a]: 3, [b]: 5 },
      { [a]: 8, [b]: 5 },
      { [a]: 8, [b]: 9 },
    ]);
  });

  test("[C3] two subscriptions that began at different vectors have equal places after the same entries", async () => {
    const [first, second] = [new Listener(), new Listener({ hasBegun: false })];
    first.history.push(publication(a, 7));
    first.subscription.fill();
    await first.subscription.settled();
    second.subscription.begin({ [a]: 40, [b]: 50 } as Vector);
    for (const { subscription } of [first, second]) {
      subscription.receive([publication(a, 41, { prev: 7 }), publication(b, 51, { prev: 0 })]);
    }
    expect(first.subscription.place).toEqual({ [a]: 41, [b]: 51 });
    expect(second.subscription.place).toEqual(first.subscription.place);
  });
});

describe("two subscriptions to one topic", () => {
  test("[C3] [R6] of two duplicates, each subscription on one connection delivers only the one that it receives first", async () => {
    const duplicates = new Duplicates();
    const [first, second] = [new Listener({ duplicates }), new Listener({ duplicates })];
    const [one, other] = [publication(a, 1, { id: "same" }), publication(b, 1, { id: "same" })];
    first.subscription.receive([one, other]);
    second.subscription.receive([other, one]);
    expect([first.heard, second.heard]).toEqual([[`${a} 1`], [`${b} 1`]]);
  });
});

/** The history of a subscription that reads none. */
async function* listenToNothing(): AsyncGenerator<HistoryPage> {}
