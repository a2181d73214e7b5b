import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Feeds } from "../../src/client/feeds.ts";
import type { Session } from "../../src/client/session.ts";
import type { Subscription } from "../../src/client/subscription.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import { LamportClock } from "../../src/protocol/lamport-clock.ts";
import { limits } from "../../src/protocol/limits.ts";
import type { Vector } from "../../src/protocol/vector.ts";
import { StandInCluster, standInChannel, standInTopic } from "../support/stand-in-cluster.ts";

beforeEach(() => {
  const timers = ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] as const;
  vi.useFakeTimers({ toFake: [...timers, "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/**
 * A session that subscribes and unsubscribes again and again. Each subscription begins after the
 * last entry it heard.
 */
class Listener {
  readonly heard: string[] = [];
  readonly #session: Session;
  #vector: Vector = {};
  #isOn = false;

  constructor(cluster: StandInCluster) {
    this.#session = cluster.session();
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  on(): void {
    if (this.#isOn) return;
    this.#isOn = true;
    const onEntry = ({ message, server, seq }: { message: string; server: never; seq: number }) => {
      this.heard.push(message);
      this.#vector = { ...this.#vector, [server]: seq };
    };
    const subscribing = this.#session.subscribe(standInChannel, onEntry as never, {
      since: this.#vector,
    });
    // The promise may reject if the session unsubscribes before the subscription has begun.
    subscribing.catch(() => {});
  }

  off(): void {
    this.#isOn = false;
    this.#session.unsubscribe(standInChannel);
  }
}

test("[Z7] a client at the proxy's limit of topics can't join another topic until it leaves one of them", () => {
  const clock = new LamportClock();
  const wire = { subscribe: vi.fn(), unsubscribe: vi.fn(), close: () => {} };
  const feeds = new Feeds(clock, () => wire);
  const reader = {
    hear: () => {},
    pages: vi.fn(),
    deliver: () => {},
    missed: () => {},
    refused: () => {},
  };
  const subscriptions = Array.from({ length: limits.connectionTopics }, (_, number) =>
    feeds.join(`#${number}\0`, reader),
  );
  expect(() => feeds.join("#more\0", reader)).toThrow(ProtocolError);
  // A second subscription to the same topic does not count for the limit.
  feeds.join("#0\0", reader);
  feeds.leave(subscriptions[1] as Subscription);
  feeds.join("#more\0", reader);
  expect(wire.subscribe).toHaveBeenCalledTimes(limits.connectionTopics + 1);
  expect(wire.unsubscribe).toHaveBeenCalledTimes(1);
  feeds.close();
});

const anyStep = fc.oneof(
  fc.record({ do: fc.constantFrom("on" as const, "off" as const), who: fc.nat({ max: 2 }) }),
  fc.record({ do: fc.constant("say" as const), copies: fc.constantFrom(0, 1, 1, 2) }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(0, 1, 5, 100, 4_000) }),
);

test("[C3] each session receives each entry once and in order, no matter when sessions subscribe and unsubscribe", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 40 }), async (plan) => {
      using cluster = new StandInCluster();
      const listeners = Array.from({ length: 3 }, () => new Listener(cluster));
      for (const step of plan) {
        if (step.do === "say") cluster.say(`message ${cluster.log.length + 1}`, step.copies);
        else if (step.do === "wait") await vi.advanceTimersByTimeAsync(step.ms);
        else listeners[step.who]?.[step.do]();
        expect(cluster.isWanted(standInTopic)).toBe(listeners.some(({ isOn }) => isOn));
      }
      for (const listener of listeners) listener.on();
      await vi.advanceTimersByTimeAsync(5_000);
      const said = cluster.log.map(({ message }) => message);
      for (const { heard } of listeners) expect(heard).toEqual(said);
      const changes = cluster.wire.map((change) => change[0]).join("");
      expect(changes).toMatch(/^(\+-)*\+$/);
    }),
    { numRuns: 200 },
  );
}, 60_000);
