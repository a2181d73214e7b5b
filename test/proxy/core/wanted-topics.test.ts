import fc from "fast-check";
import { expect, test } from "vitest";
import { WantedTopics } from "../../../src/proxy/core/wanted-topics.ts";

test("[Z7] a proxy sends members only changes that are new to them, and these changes add up to the proxy's wanted topics", () => {
  const topic = fc.constantFrom("a", "b", "c", "d");
  const note = fc.record({ topic, isWanted: fc.boolean() });
  const take = fc.record({ most: fc.integer({ min: 1, max: 3 }) });
  fc.assert(
    fc.property(fc.array(fc.oneof(note, take)), (steps) => {
      const topics = new WantedTopics();
      const wanted = new Set<string>();
      const told = new Set<string>();
      const tell = (most: number) => {
        const news = topics.take(most);
        expect(news.length).toBeLessThanOrEqual(most);
        for (const [name, isWanted] of news) {
          expect(told.has(name)).toBe(!isWanted);
          expect(wanted.has(name)).toBe(isWanted);
          if (isWanted) told.add(name);
          else told.delete(name);
        }
        expect(new Set(topics.told)).toEqual(told);
        return news.length;
      };
      for (const step of steps) {
        if ("most" in step) tell(step.most);
        else {
          topics.note(step.topic, step.isWanted);
          if (step.isWanted) wanted.add(step.topic);
          else wanted.delete(step.topic);
        }
      }
      while (tell(1) > 0);
      expect(told).toEqual(wanted);
    }),
  );
});
