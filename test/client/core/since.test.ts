import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Zone } from "../../../src/client/core/server-time.ts";
import { parseSince } from "../../../src/client/core/since.ts";

const utc: Zone = () => 0;
const ms = (text: string) => Date.parse(text);
const at = (text: string, zone: Zone = utc) => {
  const since = parseSince(text, zone);
  return since !== undefined && "timeMs" in since ? new Date(since.timeMs).toISOString() : since;
};

/** A time zone whose offset changes at `when` from `before` to `after`, in minutes. */
const changing = (when: string, before: number, after: number): Zone => {
  return (timeMs) => (timeMs < ms(when) ? before : after);
};

test("`--since` accepts a vector in JSON", () => {
  expect(parseSince('{"server_0a1b2c3d":7}', utc)).toEqual({ vector: { server_0a1b2c3d: 7 } });
});

describe("a time for `--since`", () => {
  test("`--since` accepts a time with any offset in the notation of ISO 8601", () => {
    for (const text of [
      "2026-01-31T08:00:00Z",
      "2026-01-31T08:00Z",
      "2026-01-31 08:00:00.000z",
      "2026-01-31t08:00:00,000Z",
      "2026-01-31T05:00:00-03:00",
      "2026-01-31T13:30+0530",
      " 2026-01-31T08:00:00+00:00\n",
    ]) {
      expect(
        at(text, () => 99),
        text,
      ).toBe("2026-01-31T08:00:00.000Z");
    }
    expect(at("2026-01-31T08:00:00.123999Z")).toBe("2026-01-31T08:00:00.123Z");
  });

  test("`--since` reads a time without an offset as local time, and a date alone as local midnight", () => {
    const saoPaulo: Zone = () => -180;
    expect(at("2026-01-31", saoPaulo)).toBe("2026-01-31T03:00:00.000Z");
    expect(at("2026-01-31T08:00", saoPaulo)).toBe("2026-01-31T11:00:00.000Z");
    const kiritimati: Zone = () => 840;
    expect(at("2026-01-31", kiritimati)).toBe("2026-01-30T10:00:00.000Z");
  });

  test("if the clocks skip a date's midnight, the date for `--since` means the first moment after the skip", () => {
    // In São Paulo, until 2018, summer time began at midnight: the clocks went to 1:00.
    const zone = changing("2018-11-04T03:00:00Z", -180, -120);
    expect(at("2018-11-04", zone)).toBe("2018-11-04T03:00:00.000Z");
    // Samoa skipped the whole of December 30, 2011.
    const samoa = changing("2011-12-30T10:00:00Z", -600, 840);
    expect(at("2011-12-30", samoa)).toBe("2011-12-30T10:00:00.000Z");
    expect(at("2011-12-31", samoa)).toBe("2011-12-30T10:00:00.000Z");
  });

  test("a local time that clocks show twice means, for `--since`, the first of the two moments", () => {
    const zone = changing("2018-02-18T02:00:00Z", -120, -180);
    expect(at("2018-02-17T23:30", zone)).toBe("2018-02-18T01:30:00.000Z");
  });

  test("`--since` refuses a time whose day or hour does not exist or whose notation is unknown", () => {
    for (const wrong of [
      "",
      "7",
      "yesterday",
      "2026",
      "2026-02-30",
      "2026-02-29",
      "2026-04-31T08:00:00Z",
      "2026-13-01",
      "2026-00-10",
      "2026-01-00",
      "2026-1-5",
      "20260131",
      "2026-01-31T24:00",
      "2026-01-31T24:01:00Z",
      "2026-01-31T08:60Z",
      "2026-01-31T23:59:60Z",
      "2026-01-31T08Z",
      "2026-01-31Z",
      "2026-01-31T08:00:00+24:00",
      "2026-01-31T08:00:00+01:60",
      "2026-01-31T08:00:00 UTC",
      "+012026-01-31",
      '{"x":1}',
      '{"server_0a1b2c3d":-1}',
      "[]",
    ]) {
      expect(parseSince(wrong, utc), wrong).toBeUndefined();
    }
    expect(at("2028-02-29")).toBe("2028-02-29T00:00:00.000Z");
  });

  test("in any time zone, `--since` finds the moment of a local time, or the first moment if clocks show the time twice", () => {
    const minutes = fc.integer({ min: -12 * 60, max: 14 * 60 });
    const changes = fc.record({
      dayMs: fc.integer({ min: 0, max: 40_000 }).map((day) => day * 86_400_000),
      before: minutes,
      after: minutes,
      offMs: fc.integer({ min: -40_000_000, max: 40_000_000 }),
    });
    fc.assert(
      fc.property(changes, ({ dayMs, before, after, offMs }) => {
        const zone: Zone = (timeMs) => (timeMs < dayMs ? before : after);
        const timeMs = dayMs + offMs;
        const wallMs = timeMs + zone(timeMs) * 60_000;
        const read = parseSince(new Date(wallMs).toISOString().slice(0, -1), zone);
        const { timeMs: readMs } = read as { timeMs: number };
        expect(readMs + zone(readMs) * 60_000).toBe(wallMs);
        // Clocks that are put back show some times twice; the first moment counts.
        expect(readMs).toBeLessThanOrEqual(timeMs);
      }),
    );
  });
});
