import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { durations, limits } from "../../../src/protocol/limits.ts";
import { WantedTopics } from "../../../src/proxy/core/wanted-topics.ts";

const { addressTopicBurst, addressTopicPace } = limits;
const { topicLingerMs } = durations;

describe("[X8] what publishers are told that somebody wants", () => {
  test("is always what somebody wants, or wanted a moment ago, and each word once", () => {
    const acts = fc.array(fc.record({ topic: fc.constantFrom("a", "b", "c"), ms: fc.nat(1_500) }));
    fc.assert(
      fc.property(acts, (drawn) => {
        const wanted = new WantedTopics();
        /** What a publisher knows, who wants it, and when nobody did any more. */
        const known = new Set<string>();
        const subscribed = new Set<string>();
        const endedMs = new Map<string, number>();
        let nowMs = 0;
        for (const { topic, ms } of drawn) {
          nowMs += ms;
          for (const over of wanted.over(nowMs)) expect(known.delete(over)).toBe(true);
          if (subscribed.delete(topic)) {
            wanted.end(topic, nowMs);
            endedMs.set(topic, nowMs);
          } else {
            subscribed.add(topic);
            endedMs.delete(topic);
            const isNews = wanted.begin(topic, "1.2.3.4", nowMs);
            expect(isNews).toBe(!known.has(topic));
            known.add(topic);
          }
          const recent = [...endedMs].filter(([, atMs]) => nowMs - atMs < topicLingerMs);
          const expected = new Set([...subscribed, ...recent.map(([name]) => name)]);
          expect(known).toEqual(expected);
          expect(new Set([...subscribed, ...wanted.ending])).toEqual(known);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("has a pace for each address, whatever another one does", () => {
    const wanted = new WantedTopics();
    const bring = (address: string, count: number, nowMs: number) => {
      for (let number = 0; number < count; number += 1) {
        wanted.begin(`${address} ${nowMs} ${number}`, address, nowMs);
      }
      return wanted.left(address, nowMs);
    };
    expect(bring("a", addressTopicBurst, 0)).toBe(0);
    expect(bring("a", 5, 0)).toBe(-5);
    expect(bring("b", 5, 0)).toBe(addressTopicBurst - 5);
    expect(wanted.left("a", 1_000)).toBe(addressTopicPace - 5);
    expect(wanted.left("a", 10_000_000)).toBe(addressTopicBurst);
  });

  test("never depends on guests for the topic of members, and costs nobody for it", () => {
    const wanted = new WantedTopics();
    expect(wanted.begin("replication", "a", 0)).toBe(false);
    wanted.end("replication", 0);
    expect(wanted.over(topicLingerMs)).toEqual([]);
    expect(wanted.left("a", 0)).toBe(addressTopicBurst);
  });
});
