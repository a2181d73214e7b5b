import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ClockAllowance, LamportClock, parseClock } from "../../src/protocol/lamport-clock.ts";
import { limits } from "../../src/protocol/limits.ts";

describe("a Lamport clock", () => {
  test("[W5] a Lamport clock adds 1 before each message that is sent", () => {
    const clock = new LamportClock(7);
    expect(clock.tick()).toBe(8);
    expect(clock.value).toBe(8);
  });

  test("[W5] a Lamport clock takes max(own, received) + 1 on receipt", () => {
    const clock = new LamportClock(7);
    clock.receive(20);
    expect(clock.value).toBe(21);
    clock.receive(3);
    expect(clock.value).toBe(22);
  });

  test("[W5] after receiving a clock, the next tick is above both the received and the own clock", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (own, received) => {
        const clock = new LamportClock(own);
        clock.receive(received);
        const sent = clock.tick();
        expect(sent).toBeGreaterThan(own);
        expect(sent).toBeGreaterThan(received);
      }),
    );
  });

  test("[W4] a client's clock that is 1,000,000 ahead is believed; a clock that is 1,000,001 ahead counts as 0", () => {
    const clock = new LamportClock(10);
    expect(clock.receiveFromAnyone(1_000_010)).toBe(true);
    expect(clock.value).toBe(1_000_011);
    const other = new LamportClock(10);
    expect(other.receiveFromAnyone(1_000_011)).toBe(false);
    expect(other.value).toBe(11);
  });

  test("[W4] each message of a client raises the clock by at most 1,000,001", () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeNat(), { maxLength: 50 }), (received) => {
        const clock = new LamportClock();
        for (const value of received) clock.receiveFromAnyone(value);
        expect(clock.value).toBeLessThanOrEqual(received.length * 1_000_001);
      }),
    );
  });

  test("[W4] large jumps of guests' clocks together raise the clock by at most a fixed amount at once, and then a fixed amount a second", () => {
    const { clockAhead, clockAheadPace, clockLead } = limits;
    const leaps = fc.array(
      fc.record({ ms: fc.nat(2_000), by: fc.oneof(fc.nat(3 * clockLead), fc.nat(2 * clockAhead)) }),
    );
    fc.assert(
      fc.property(leaps, (drawn) => {
        const allowance = new ClockAllowance();
        let [own, nowMs, most] = [0, 0, clockAhead];
        for (const { ms, by } of drawn) {
          nowMs += ms;
          most += (ms * clockAheadPace) / 1_000 + clockLead;
          const isBelieved = allowance.believes(own + by, own, nowMs);
          if (by <= clockLead) expect(isBelieved).toBe(true);
          if (isBelieved) own += by;
          expect(own).toBeLessThanOrEqual(most);
        }
        expect(allowance.believes(own + clockAhead, own, nowMs + 10_000)).toBe(true);
        expect(allowance.believes(own + clockAhead + 1, own, nowMs + 90_000)).toBe(false);
      }),
    );
  });

  test.each([undefined, null, "12", -1, 3.5, 2 ** 53, 2 ** 63, true, Number.NaN, [], {}])(
    "[W4] %j is not a clock",
    (value) => {
      expect(parseClock(value)).toBeUndefined();
    },
  );

  test("[W4] an integer of at least 0 is a clock", () => {
    expect([0, 1, 2 ** 53 - 1].map(parseClock)).toEqual([0, 1, 2 ** 53 - 1]);
  });
});
