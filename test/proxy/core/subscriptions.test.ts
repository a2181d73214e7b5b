import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Subscriptions } from "../../../src/proxy/core/subscriptions.ts";

const topics = ["", "a", "ab", "abc", "b", "#geral\0", "#geral2\0", "replication"];

type Act = {
  readonly does: "add" | "cancel" | "drop";
  readonly who: number;
  readonly topic: string;
};

const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.record({
    does: fc.constantFrom("add" as const, "add" as const, "cancel" as const, "drop" as const),
    who: fc.nat(3),
    topic: fc.constantFrom(...topics),
  }),
  { maxLength: 40 },
);

/** A simple model of the subscriptions: the list of all pairs of a connection and a topic. */
class Model {
  pairs: [who: number, topic: string][] = [];

  of(topic: string) {
    return this.pairs.filter(([, one]) => one === topic);
  }

  has(who: number, topic: string) {
    return this.of(topic).some(([one]) => one === who);
  }

  remove(gone: (who: number, topic: string) => boolean): string[] {
    const before = new Set(this.pairs.map(([, topic]) => topic));
    this.pairs = this.pairs.filter(([who, topic]) => !gone(who, topic));
    return [...before].filter((topic) => this.of(topic).length === 0);
  }
}

describe("subscriptions at a proxy", () => {
  test("a proxy's subscriptions behave like a plain list of (connection, topic) pairs", () => {
    fc.assert(
      fc.property(acts, fc.constantFrom("", "a", "abcd", "#geral\0", "bc"), (all, published) => {
        const [subscriptions, model] = [new Subscriptions<number>(), new Model()];
        for (const { does, who, topic } of all) {
          if (does === "add") {
            expect(subscriptions.add(who, topic)).toBe(model.of(topic).length === 0);
            if (!model.has(who, topic)) model.pairs.push([who, topic]);
          } else if (does === "cancel") {
            const ended = model.remove((one, at) => one === who && at === topic);
            expect(subscriptions.cancel(who, topic)).toBe(ended.includes(topic));
          } else {
            const ended = model.remove((one) => one === who);
            expect(subscriptions.drop(who).sort()).toEqual(ended.sort());
          }
        }
        const wanted = [...new Set(model.pairs.map(([, topic]) => topic))];
        expect(subscriptions.count).toBe(model.pairs.length);
        expect(subscriptions.size).toEqual({
          topics: wanted.length,
          bytes: wanted.join("").length,
        });
        for (const who of [0, 1, 2, 3]) {
          const own = model.pairs.filter(([one]) => one === who);
          expect(subscriptions.countOf(who)).toBe(own.length);
          for (const topic of topics)
            expect(subscriptions.has(who, topic)).toBe(model.has(who, topic));
        }
        const hearing = model.pairs.filter(([, topic]) => published.startsWith(topic));
        const listeners = [...subscriptions.listeners(Buffer.from(published))].sort();
        expect(listeners).toEqual([...new Set(hearing.map(([who]) => who))].sort());
      }),
      { numRuns: 500 },
    );
  });

  test("a connection that cancels a topic to which it has not subscribed does not change the subscriptions of other connections", () => {
    const subscriptions = new Subscriptions<string>();
    subscriptions.add("ana", "geral");
    for (const topic of ["geral", "", "ger", "geral!"]) {
      expect(subscriptions.cancel("stranger", topic)).toBe(false);
    }
    expect(subscriptions.drop("stranger")).toEqual([]);
    expect([...subscriptions.listeners(Buffer.from("geral"))]).toEqual(["ana"]);
  });

  test("a topic may be any bytes, and a connection that subscribes to it twice has one subscription", () => {
    const subscriptions = new Subscriptions<string>();
    const bytes = Buffer.from("ff00c3", "hex");
    expect(subscriptions.add("ana", bytes.toString("latin1"))).toBe(true);
    expect(subscriptions.add("ana", bytes.toString("latin1"))).toBe(false);
    expect(subscriptions.count).toBe(1);
    expect([...subscriptions.listeners(Buffer.concat([bytes, Buffer.of(1)]))]).toEqual(["ana"]);
    expect([...subscriptions.listeners(bytes.subarray(0, 2))]).toEqual([]);
  });

  test("a proxy's largest subscriber is the connection with the most topics at the address with the most topics", () => {
    const subscriptions = new Subscriptions<string>();
    for (let number = 0; number < 30; number += 1) subscriptions.add("home: ana", `${number}`);
    for (let peer = 0; peer < 20; peer += 1) {
      for (let number = 0; number <= peer; number += 1)
        subscriptions.add(`away: ${peer}`, `${number}`);
    }
    const addressOf = (name: string) => name.split(":")[0] ?? "";
    expect(subscriptions.largest(addressOf)).toBe("away: 19");
    subscriptions.drop("away: 19");
    expect(subscriptions.largest(addressOf)).toBe("away: 18");
    expect(new Subscriptions<string>().largest(addressOf)).toBeUndefined();
  });
});
