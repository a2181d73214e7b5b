import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digest } from "../../src/platform/digest.ts";
import {
  compareOrder,
  type Event,
  follows,
  readLine,
  writeLine,
} from "../../src/protocol/event.ts";
import { type Chain, emptyChain } from "../../src/protocol/ids.ts";
import { EventMaker, serverName } from "../support/event-lines.ts";

const anyEvent: fc.Arbitrary<Event> = fc.record({
  server: fc.nat(9).map(serverName),
  seq: fc.integer({ min: 1 }),
  clock: fc.maxSafeNat(),
  timestamp: fc.integer({ min: 0, max: 4e12 }),
  operation: fc.constantFrom("login", "publication", "something new"),
  data: fc
    .dictionary(fc.string(), fc.oneof(fc.string({ unit: "binary" }), fc.integer(), fc.boolean()))
    .map((data) => JSON.parse(JSON.stringify(data)) as Record<string, unknown>),
});
const anyChain = fc
  .array(fc.constantFrom(..."0123456789abcdef"), { minLength: 32, maxLength: 32 })
  .map((digits) => digits.join("") as Chain);

describe("an event line", () => {
  test("[J5] an event line is read as the event that was written, and follows the chain of the previous event", () => {
    fc.assert(
      fc.property(anyEvent, anyChain, (event, previous) => {
        const written = writeLine(event, previous, digest);
        const read = readLine(written.line, digest);
        expect(read).toEqual({ event, chain: written.chain, line: written.line });
        expect(follows(read, previous, digest)).toBe(true);
        expect(written.line).not.toContain("\n");
      }),
    );
  });

  test("[J5] an event line follows no chain except the chain of the previous event", () => {
    fc.assert(
      fc.property(anyEvent, anyChain, anyChain, (event, previous, other) => {
        fc.pre(previous !== other);
        expect(follows(writeLine(event, previous, digest), other, digest)).toBe(false);
      }),
    );
  });

  test("[J5] a changed byte in an event line is found by the checksum or the chain", () => {
    fc.assert(
      fc.property(anyEvent, fc.nat(), fc.integer({ min: 1, max: 255 }), (event, place, flip) => {
        const bytes = Buffer.from(writeLine(event, emptyChain, digest).line);
        const at = place % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        expect(isSound(bytes.toString())).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  test("[J5] an event line with any flipped bit is refused", () => {
    const whole = Buffer.from(new EventMaker().next(serverName(1), "Olá 🙂").line);
    for (let bit = 0; bit < 8 * whole.length; bit += 1) {
      const bytes = Buffer.from(whole);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(isSound(bytes.toString()), `bit ${bit}`).toBe(false);
    }
  });

  test("[J2] an event line that is cut short at any character is refused", () => {
    const { line } = new EventMaker().next(serverName(1));
    for (let length = 0; length < line.length; length += 1) {
      expect(isSound(line.slice(0, length)), `${length} characters`).toBe(false);
    }
  });

  test("[J5] an event line with a changed text and a new checksum breaks the chain", () => {
    const { line } = new EventMaker().next(serverName(1), "pay 10");
    const body = line.slice(0, line.lastIndexOf('","crc":"')).replace("pay 10", "pay 99");
    const forged = `${body}","crc":"${digest.checksum(body)}"}`;
    expect(follows(readLine(forged, digest), emptyChain, digest)).toBe(false);
  });

  function isSound(line: string): boolean {
    try {
      return follows(readLine(line, digest), emptyChain, digest);
    } catch {
      return false;
    }
  }
});

describe("the total order of events", () => {
  const anyPlace = fc.record({ clock: fc.nat(5), server: fc.nat(5).map(serverName) });

  test("events are ordered by clock, then by server", () => {
    const places = [
      { clock: 2, server: serverName(1) },
      { clock: 1, server: serverName(2) },
      { clock: 1, server: serverName(1) },
    ];
    expect(places.toSorted(compareOrder)).toEqual([places[2], places[1], places[0]]);
  });

  test("the order of events is total", () => {
    fc.assert(
      fc.property(anyPlace, anyPlace, anyPlace, (a, b, c) => {
        expect(Math.sign(compareOrder(a, b))).toBe(-Math.sign(compareOrder(b, a)) + 0);
        if (compareOrder(a, b) === 0) expect(a).toEqual(b);
        if (compareOrder(a, b) <= 0 && compareOrder(b, c) <= 0) {
          expect(compareOrder(a, c)).toBeLessThanOrEqual(0);
        }
      }),
    );
  });
});
