import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Request } from "../../src/protocol/client-messages.ts";
import { encode } from "../../src/protocol/codec.ts";
import { serverName } from "../support/event-lines.ts";
import { bytes, map, text } from "../support/message-pack.ts";
import { accepted, only, parsedPayload, refused } from "../support/parsed-requests.ts";

describe("an invalid request", () => {
  const login = encode({ service: "login", data: { user: "ana" } });
  const malformed: [string, Uint8Array, [string, string]][] = [
    [
      "an unknown service",
      encode({ service: "nonsense", data: {} }),
      ["nonsense", "unknown_service"],
    ],
    ["no service", encode({ data: {} }), ["error", "bad_request"]],
    ["a service that is no string", encode({ service: 7, data: {} }), ["error", "bad_request"]],
    ["an empty service", encode({ service: "", data: {} }), ["error", "bad_request"]],
    ["a long service", encode({ service: "x".repeat(65), data: {} }), ["error", "bad_request"]],
    ["no data", encode({ service: "login" }), ["login", "bad_request"]],
    ["data that is no map", encode({ service: "login", data: 7 }), ["login", "bad_request"]],
    ["data that is an array", encode({ service: "login", data: [] }), ["login", "bad_request"]],
    [
      "data that is binary",
      encode({ service: "login", data: Buffer.of(1) }),
      ["login", "bad_request"],
    ],
    [
      "data that is a time",
      map(text("service"), text("login"), text("data"), bytes(0xd6, 0xff, Buffer.alloc(4))),
      ["login", "bad_request"],
    ],
    ["a number", encode(7), ["error", "bad_request"]],
    ["nil", encode(null), ["error", "bad_request"]],
    ["a string", encode("login"), ["error", "bad_request"]],
    ["an empty payload", new Uint8Array(0), ["error", "bad_request"]],
    ["garbage", Buffer.from("\xc1\xff\x00garbage", "latin1"), ["error", "bad_request"]],
    ["half a message", login.slice(0, -3), ["error", "bad_request"]],
    ["bytes after the value", bytes(login, 0x01), ["error", "bad_request"]],
    [
      "a user that is no string",
      encode({ service: "login", data: { user: 5 } }),
      ["login", "name_invalid"],
    ],
    ["no user", encode({ service: "login", data: {} }), ["login", "name_invalid"]],
    [
      "an empty channel",
      encode({ service: "channel", data: { channel: "" } }),
      ["channel", "name_invalid"],
    ],
    [
      "a channel called replication",
      encode({ service: "channel", data: { channel: "replication" } }),
      ["channel", "name_invalid"],
    ],
    [
      "a user called servers",
      encode({ service: "login", data: { user: "servers" } }),
      ["login", "name_invalid"],
    ],
    ["a key that is a map", bytes(0x81, 0x80, 0x01), ["error", "bad_request"]],
    ["a key called __proto__", map(text("__proto__"), map()), ["error", "bad_request"]],
    ["half JSON", Buffer.from('{"service":"login"'), ["error", "bad_request"]],
    ["two JSON values", Buffer.from("{}{}"), ["error", "bad_request"]],
  ];

  test.each(malformed)("[W7] an invalid payload is refused: %s", (_, payload, expected) => {
    const request = refused(payload);
    expect([request.service, request.refused.code]).toEqual(expected);
    expect(request.refused.description).toMatch(/^.+\.$/);
  });

  test("[W7] any bytes parse to requests or errors that can be answered", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (payload) => {
        const { requests } = parsedPayload(payload);
        expect(requests.length).toBeGreaterThan(0);
      }),
      { numRuns: 2_000 },
    );
  });

  test("[W7] any value in any field parses to a request or an error that can be answered", () => {
    const field = fc.constantFrom(
      "user",
      "channel",
      "message",
      "src",
      "dst",
      "id",
      "after",
      "since",
      "before",
      "limit",
      "clock",
      "timestamp",
    );
    const service = fc.constantFrom("login", "channel", "publish", "message", "history", "users");
    const any = fc.anything({ withDate: true, withTypedArray: true, maxDepth: 2 });
    const request = fc.record({ service, data: fc.dictionary(field, any) });
    fc.assert(
      fc.property(request, (value) => {
        let payload: Uint8Array;
        try {
          payload = encode(value);
        } catch {
          return; // A value that the library can't encode can't arrive.
        }
        expect(parsedPayload(payload).requests).toHaveLength(1);
      }),
      { numRuns: 2_000 },
    );
  });

  test("[W7] a valid request in which one byte was changed is parsed to requests or errors that can be answered", () => {
    const whole = encode({
      service: "publish",
      data: { user: "ana", channel: "geral", message: "Olá", clock: 7, id: "x", after: {} },
    });
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        const changed = Uint8Array.from(whole);
        changed[at] = byte;
        // A changed first byte may turn the payload into an array.
        expect(parsedPayload(changed).requests.length).toBeGreaterThan(0);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("an array of requests", () => {
  const request = { service: "users", data: {} };

  test("[W2] an array gives its requests in order, and is answered by an array", () => {
    const { batch, requests } = parsedPayload(encode([request, 7, { service: "login", data: {} }]));
    expect(batch).toBe(true);
    expect(requests.map(({ service }) => service)).toEqual(["users", "error", "login"]);
    expect(requests.map((one) => "refused" in one)).toEqual([false, true, true]);
  });

  test("[W2] an array of a single request is answered by an array", () => {
    expect(parsedPayload(encode([request]))).toMatchObject({ batch: true });
  });

  test("[W2] an array holds 1 to 1,000 requests", () => {
    expect(parsedPayload(encode(Array(1_000).fill(request))).requests).toHaveLength(1_000);
    expect(refused(encode(Array(1_001).fill(request))).refused.code).toBe("too_large");
    expect(refused(encode([])).refused.code).toBe("bad_request");
  });
});

describe("the fields that each request has", () => {
  test.each([undefined, null, "12", -5, 3.5, 2 ** 53, 2 ** 63, true, [], {}])(
    "[W4] a clock of %j counts as missing",
    (clock) => {
      expect(accepted("users", { clock }).clock).toBeUndefined();
    },
  );

  test("[W4] an integer of at least 0 is a clock, in `data` or beside it", () => {
    expect(accepted("users", { clock: 0 }).clock).toBe(0);
    expect(accepted("users", { clock: 2 ** 53 - 1 }).clock).toBe(2 ** 53 - 1);
    expect(only(encode({ service: "users", clock: 9, data: {} })).clock).toBe(9);
    expect(only(encode({ service: "users", clock: 9, data: { clock: 4 } })).clock).toBe(4);
  });

  test("[W4] [W6] a refused request still has its clock and id, which the reply needs", () => {
    const request = refused(encode({ service: "login", data: { user: "", clock: 8, id: "x" } }));
    expect(request).toMatchObject({ clock: 8, id: "x" });
  });

  test.each([1_763_000_000.5, 1_763_000_000_000, "2026-01-01T00:00:00Z", "yesterday"])(
    "[W3] a request's timestamp %j is accepted unchanged",
    (timestamp) => {
      expect(accepted("users", { timestamp }).timestamp).toBe(timestamp);
    },
  );

  test.each([
    ["uint64", bytes(0xcf, 0x17, 0x97, 0x9c, 0xfe, 0x36, 0x2a, 0x00, 0x15)],
    ["int64", bytes(0xd3, 0xff, 0xdf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
  ])("[W3] a timestamp beyond the safe integers counts as missing: %s", (_, time) => {
    const payload = map(text("service"), text("users"), text("data"), map(text("timestamp"), time));
    expect((only(payload) as Request).timestamp).toBeUndefined();
    const json = '{"service":"users","data":{"timestamp":1700000000123456789}}';
    expect((only(Buffer.from(json)) as Request).timestamp).toBeUndefined();
  });

  test.each([undefined, null, {}, true, Number.NaN, "x".repeat(65)])(
    "[W3] the timestamp %j counts as missing",
    (timestamp) => {
      expect(accepted("users", { timestamp }).timestamp).toBeUndefined();
    },
  );

  test("[W6] `after` is read as a vector, and null counts as missing", () => {
    const after = { [serverName(1)]: 5, [serverName(2)]: 0 };
    expect(accepted("users", { after }).after).toEqual(after);
    expect(accepted("users", { after: null }).after).toBeUndefined();
  });
});
