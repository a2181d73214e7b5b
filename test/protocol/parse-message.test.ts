import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Incoming, Refused, Request } from "../../src/protocol/client-messages.ts";
import { encode } from "../../src/protocol/codec.ts";
import { writeCursor } from "../../src/protocol/cursor.ts";
import { limits } from "../../src/protocol/limits.ts";
import { parsePayload } from "../../src/protocol/parse-message.ts";
import { serverName } from "../support/event-lines.ts";
import { binary, bytes, map, text } from "../support/message-pack.ts";

function only(payload: Uint8Array): Incoming {
  const { batch, requests } = parsePayload(payload);
  expect(batch).toBe(false);
  expect(requests).toHaveLength(1);
  return requests[0] as Incoming;
}

function accepted(service: string, data: unknown): Request {
  const request = only(encode({ service, data }));
  if ("refused" in request) throw new Error(`refused: ${request.refused.description}`);
  return request;
}

function refused(payload: Uint8Array): Refused {
  const request = only(payload);
  if (!("refused" in request)) throw new Error("it was accepted");
  return request;
}

function refusal(service: string, data: unknown): Refused["refused"] {
  return refused(encode({ service, data })).refused;
}

describe("what is no request", () => {
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
      encode({ service: "login", data: new Date(0) }),
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

  test.each(malformed)("[W7] %s is refused", (_, payload, expected) => {
    const request = refused(payload);
    expect([request.service, request.refused.code]).toEqual(expected);
    expect(request.refused.description).toMatch(/^.+\.$/);
  });

  test("[W7] any bytes give something to answer", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (payload) => {
        const { requests } = parsePayload(payload);
        expect(requests.length).toBeGreaterThan(0);
      }),
      { numRuns: 2_000 },
    );
  });

  test("[W7] any value in the place of any field gives something to answer", () => {
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
          return; // What the library can't write can't come.
        }
        expect(parsePayload(payload).requests).toHaveLength(1);
      }),
      { numRuns: 2_000 },
    );
  });

  test("[W7] a valid request with one byte changed gives something to answer", () => {
    const whole = encode({
      service: "publish",
      data: { user: "ana", channel: "geral", message: "Olá", clock: 7, id: "x", after: {} },
    });
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        const changed = Uint8Array.from(whole);
        changed[at] = byte;
        // Another first byte may make an array of it.
        expect(parsePayload(changed).requests.length).toBeGreaterThan(0);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("bounds", () => {
  test.each([
    ["login", { user: "x".repeat(65) }, ["name_invalid", "`user`", "64"]],
    ["channel", { channel: "x".repeat(65) }, ["name_invalid", "`channel`", "64"]],
    ["publish", { user: "a", channel: "c", message: "" }, ["bad_request", "`message`", "4096"]],
    [
      "publish",
      { user: "a", channel: "c", message: "x".repeat(4_097) },
      ["too_large", "`message`", "4096"],
    ],
    ["publish", { user: "a", channel: "c", message: 7 }, ["bad_request", "`message`"]],
    ["message", { src: "a", dst: ".b", message: "x" }, ["name_invalid", "`dst`"]],
    ["message", { src: "a b", dst: "b", message: "x" }, ["name_invalid", "`src`"]],
    ["users", { id: "x".repeat(65) }, ["bad_request", "`id`", "64"]],
    ["users", { id: "" }, ["bad_request", "`id`", "64"]],
    ["users", { id: 7 }, ["bad_request", "`id`", "64"]],
    ["users", { after: 7 }, ["bad_request", "`after`"]],
    ["users", { prefix: 7 }, ["bad_request", "`prefix`", "64"]],
    ["users", { from: "x".repeat(65) }, ["bad_request", "`from`", "64"]],
    ["channels", { limit: 0 }, ["bad_request", "`limit`", "1000"]],
    ["channels", { limit: null }, ["bad_request", "`limit`", "1000"]],
    ["removal", { channel: "geral" }, ["bad_request", "`removed`"]],
    ["users", { after: { ana: 1 } }, ["bad_request", "`after`"]],
    ["users", { after: { server_00000001: -1 } }, ["bad_request", "`after`"]],
    ["history", {}, ["bad_request", "`channel`"]],
    ["history", { channel: "c", user: "u" }, ["bad_request", "`channel`"]],
    ["history", { channel: "c", limit: 0 }, ["bad_request", "`limit`", "1000"]],
    ["history", { channel: "c", limit: 1_001 }, ["bad_request", "`limit`", "1000"]],
    ["history", { channel: "c", limit: 1.5 }, ["bad_request", "`limit`", "1000"]],
    ["history", { channel: "c", before: "nonsense" }, ["bad_request", "`before`"]],
    [
      "history",
      { channel: "c", before: "99999999999999999999:server_00000001" },
      ["bad_request", "`before`"],
    ],
    [
      "history",
      { channel: "c", before: "1:server_00000001", since: {} },
      ["bad_request", "`since`"],
    ],
  ])("[W7] [W8] %s %j is refused, naming field and bound", (service, data, [code, ...named]) => {
    const refused = refusal(service, data);
    expect(refused.code).toBe(code);
    for (const one of named) expect(refused.description).toContain(one);
  });

  test("what is just within its bound is accepted", () => {
    const message = "🙂".repeat(4_096);
    expect(accepted("publish", { user: "a", channel: "c".repeat(64), message })).toMatchObject({
      message,
    });
    expect(accepted("users", { id: "x".repeat(64) }).id).toBe("x".repeat(64));
    expect(accepted("history", { channel: "c", limit: 1_000 })).toMatchObject({ limit: 1_000 });
    expect(accepted("history", { channel: "c" })).toMatchObject({ limit: 100 });
  });

  test("a request of 64 KiB is accepted, one byte more is too large, under its own service", () => {
    const padded = (padding: number) =>
      encode({ service: "users", data: { clock: 1, padding: "x".repeat(padding) } });
    const base = padded(60_000).length - 60_000;
    const fitting = padded(limits.requestBytes - base);
    expect(fitting.length).toBe(limits.requestBytes);
    expect(only(fitting)).not.toHaveProperty("refused");
    expect(refused(padded(limits.requestBytes - base + 1))).toMatchObject({
      service: "users",
      refused: { code: "too_large" },
    });
  });

  test("[W2] a payload above 1 MiB is too large", () => {
    const { refused: told } = refused(new Uint8Array(limits.batchBytes + 1).fill(0xc0));
    expect(told).toMatchObject({ code: "too_large" });
    expect(told.description).toContain("1048576");
  });

  test("[W6] [W7] what is too large still finds its way back by its id", () => {
    const data = { id: "abc", clock: 7, message: "x".repeat(limits.requestBytes) };
    expect(refused(encode({ service: "publish", data }))).toMatchObject({
      service: "publish",
      id: "abc",
      clock: 7,
      refused: { code: "too_large" },
    });
    const larger = { ...data, message: "x".repeat(limits.batchBytes) };
    expect(refused(encode({ service: "publish", data: larger }))).toMatchObject({ id: "abc" });
  });

  test("a cursor is taken back as it was given", () => {
    const cursor = { clock: 17, server: serverName(3) };
    expect(accepted("history", { channel: "c", before: writeCursor(cursor) })).toMatchObject({
      before: cursor,
    });
  });
});

describe("an array of requests", () => {
  const request = { service: "users", data: {} };

  test("[W2] gives all of them in their order, and asks for an array back", () => {
    const { batch, requests } = parsePayload(encode([request, 7, { service: "login", data: {} }]));
    expect(batch).toBe(true);
    expect(requests.map(({ service }) => service)).toEqual(["users", "error", "login"]);
    expect(requests.map((one) => "refused" in one)).toEqual([false, true, true]);
  });

  test("[W2] of one is answered by an array", () => {
    expect(parsePayload(encode([request]))).toMatchObject({ batch: true });
  });

  test("[W2] may hold 1 to 1,000", () => {
    expect(parsePayload(encode(Array(1_000).fill(request))).requests).toHaveLength(1_000);
    expect(refused(encode(Array(1_001).fill(request))).refused.code).toBe("too_large");
    expect(refused(encode([])).refused.code).toBe("bad_request");
  });
});

describe("what is above a bound", () => {
  const size = 4 * 1024 * 1024 - 100;
  const filled = (first: number[], fill: number[]) => {
    const payload = Buffer.alloc(size, Buffer.from(fill));
    payload.set(first);
    return payload;
  };
  const wide = size - 5;
  const sizeOf = [wide >> 24, (wide >> 16) & 255, (wide >> 8) & 255, wide & 255];
  const inData = [...map(text("service"), text("users"), text("data"), bytes(0xc0)).slice(0, -1)];
  const large: [string, Buffer][] = [
    ["an array of empty maps", filled([0xdd, ...sizeOf], [0x80])],
    ["an array in a request", filled([...inData, 0xdd, ...sizeOf], [0x90])],
    ["a text of bytes that are no UTF-8", filled([...inData, 0xdb, ...sizeOf], [0xff])],
    ["a JSON array of arrays", filled([0x5b], [...Buffer.from("[],")])],
    ["a JSON object", filled([0x7b], [...Buffer.from('"":[],')])],
    ["nothing but nil", filled([], [0xc0])],
  ];

  test.each(large)("[W11] is refused by its size, and not decoded: %s", (_, payload) => {
    // To decode the least of these takes some hundred milliseconds each time.
    const started = performance.now();
    for (let round = 0; round < 20; round += 1) {
      expect(refused(payload).refused.code).toBe("too_large");
    }
    expect((performance.now() - started) / 20).toBeLessThan(10);
  });

  test.each([
    ["MessagePack", bytes(0xdc, 0x03, 0xe9, 0xc1)],
    ["JSON", Buffer.from(`[${"7,".repeat(1_000)}nonsense]`)],
  ])(
    "[W2] an array of too many is refused by their number, before any is decoded: %s",
    (_, payload) => {
      const { code, description } = refused(payload).refused;
      expect(code).toBe("too_large");
      expect(description).toContain("it has 1001");
    },
  );

  test.each([
    ["MessagePack", encode([{ service: "users", data: { list: Array(100_000).fill(0) } }])],
    ["JSON", encode([{ service: "users", data: { list: Array(100_000).fill(0) } }], "json")],
  ])("[W11] more values than requests have use for are refused: %s", (_, payload) => {
    expect(payload.byteLength).toBeLessThan(limits.batchBytes);
    expect(refused(payload).refused.code).toBe("bad_request");
  });
});

describe("bytes that are no UTF-8", () => {
  const latin1 = (value: string) => bytes(0xd9, value.length, Buffer.from(value, "latin1"));
  const inMessagePack = (service: string, fields: Record<string, string>) => {
    const items = Object.entries(fields).flatMap(([key, value]) => [text(key), latin1(value)]);
    return map(text("service"), text(service), text("data"), map(...items));
  };
  const inJson = (service: string, fields: Record<string, string>) => {
    return Buffer.from(JSON.stringify({ service, data: fields }), "latin1");
  };
  const formats = [
    ["MessagePack", inMessagePack],
    ["JSON", inJson],
  ] as const;

  describe.each(formats)("in %s", (_, write) => {
    test.each([
      ["login", "user", { user: "José" }],
      ["channel", "channel", { channel: "ação" }],
      ["message", "dst", { src: "ana", dst: "José", message: "x" }],
      ["users", "id", { id: "José-1" }],
      ["login", "password", { user: "ana", password: "não digo" }],
      ["password", "newPassword", { user: "ana", password: "geheim", newPassword: "não digo" }],
      ["registration", "invitation", { mode: "invitation", invitation: "só para amigos" }],
      ["presence", "client", { user: "ana", state: "online", client: "celular do José" }],
    ])("[W14] are refused where they would make two alike: %s, %s", (service, field, data) => {
      const { code, description } = refused(write(service, data)).refused;
      expect(code).toBe("bad_request");
      expect(description).toContain(`\`${field}\``);
    });

    test("[W14] in a text they become U+FFFD, and nothing else is changed by them", () => {
      for (const message of ["Olá, ação do José", "é", "é".padEnd(201)]) {
        const request = only(write("publish", { user: "ana", channel: "geral", message }));
        expect(request).toMatchObject({
          user: "ana",
          channel: "geral",
          message: message.replaceAll(/[^ -~]/g, "\ufffd"),
        });
      }
    });
  });

  test("[W14] nor are lone surrogates an id", () => {
    const json = '{"service":"users","data":{"id":"x\\ud800"}}';
    expect(refused(Buffer.from(json)).refused.code).toBe("bad_request");
  });
});

describe("the envelope", () => {
  test.each([undefined, null, "12", -5, 3.5, 2 ** 53, 2 ** 63, true, [], {}])(
    "[W4] a clock of %j counts as none",
    (clock) => {
      expect(accepted("users", { clock }).clock).toBeUndefined();
    },
  );

  test("[W4] an integer of at least 0 is a clock, also beside data", () => {
    expect(accepted("users", { clock: 0 }).clock).toBe(0);
    expect(accepted("users", { clock: 2 ** 53 - 1 }).clock).toBe(2 ** 53 - 1);
    expect(only(encode({ service: "users", clock: 9, data: {} })).clock).toBe(9);
    expect(only(encode({ service: "users", clock: 9, data: { clock: 4 } })).clock).toBe(4);
  });

  test("[W4] [W6] clock and id of a refused request are kept for its reply", () => {
    const request = refused(encode({ service: "login", data: { user: "", clock: 8, id: "x" } }));
    expect(request).toMatchObject({ clock: 8, id: "x" });
  });

  test.each([1_763_000_000.5, 1_763_000_000_000, "2026-01-01T00:00:00Z", "yesterday"])(
    "[W3] the timestamp %j is taken as it is",
    (timestamp) => {
      expect(accepted("users", { timestamp }).timestamp).toBe(timestamp);
    },
  );

  test.each([
    ["uint64", bytes(0xcf, 0x17, 0x97, 0x9c, 0xfe, 0x36, 0x2a, 0x00, 0x15)],
    ["int64", bytes(0xd3, 0xff, 0xdf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
  ])("[W3] a timestamp beyond what a number holds is none, not another one: %s", (_, time) => {
    const payload = map(text("service"), text("users"), text("data"), map(text("timestamp"), time));
    expect((only(payload) as Request).timestamp).toBeUndefined();
    const json = '{"service":"users","data":{"timestamp":1700000000123456789}}';
    expect((only(Buffer.from(json)) as Request).timestamp).toBeUndefined();
  });

  test.each([undefined, null, {}, true, Number.NaN, "x".repeat(65)])(
    "[W3] the timestamp %j is accepted as none",
    (timestamp) => {
      expect(accepted("users", { timestamp }).timestamp).toBeUndefined();
    },
  );

  test("[W6] after is a vector", () => {
    const after = { [serverName(1)]: 5, [serverName(2)]: 0 };
    expect(accepted("users", { after }).after).toEqual(after);
    expect(accepted("users", { after: null }).after).toBeUndefined();
  });
});

describe("formats", () => {
  test("[W9] JSON by the first byte, and so is its reply", () => {
    const json = Buffer.from(JSON.stringify({ service: "login", data: { user: "ana" } }));
    expect(parsePayload(json)).toMatchObject({
      format: "json",
      batch: false,
      requests: [{ service: "login", user: "ana" }],
    });
    const array = Buffer.from(JSON.stringify([{ service: "users", data: {} }]));
    expect(parsePayload(array)).toMatchObject({ format: "json", batch: true });
    expect(parsePayload(Buffer.from("{nonsense"))).toMatchObject({ format: "json" });
    expect(parsePayload(encode({}))).toMatchObject({ format: "msgpack" });
  });

  test.each([
    ["a space", " "],
    ["line ends and tabs", "\r\n\t \n"],
    ["a byte order mark", "\ufeff"],
    ["a byte order mark and a line end", "\ufeff\n"],
  ])("[W9] JSON with %s in front is read as JSON, one request or an array", (_, front) => {
    const one = { service: "login", data: { user: "ana" } };
    const payload = (value: unknown) => Buffer.from(front + JSON.stringify(value));
    const requests = [{ service: "login", user: "ana" }];
    expect(parsePayload(payload(one))).toMatchObject({ format: "json", batch: false, requests });
    expect(parsePayload(payload([one]))).toMatchObject({ format: "json", batch: true, requests });
    // The bounds of an array or of one request hold, whatever is in front.
    const large = Buffer.concat([payload(one), Buffer.alloc(limits.requestBytes, 0x20)]);
    expect(parsePayload(large).requests).toMatchObject([{ refused: { code: "too_large" } }]);
  });

  test("[W9] white space alone is not a request, nor with a byte order mark behind it", () => {
    for (const payload of [" ", "\n", "\ufeff", " \ufeff{}", "\ufeff\ufeff{}"]) {
      const [request] = parsePayload(Buffer.from(payload)).requests;
      expect(request, JSON.stringify(payload)).toMatchObject({ refused: { code: "bad_request" } });
    }
  });

  test("[W7] the error for a payload that can't be decoded says why", () => {
    const told = (payload: Uint8Array) => {
      const [request] = parsePayload(payload).requests;
      return request !== undefined && "refused" in request ? request.refused.description : request;
    };
    const reading = "It was read as MessagePack: JSON begins with { or [.";
    expect(told(bytes(0xc1))).toBe(`The payload is not MessagePack. ${reading}`);
    const noText = map(bytes(0xc0), bytes(1));
    expect(told(noText)).toBe(`The payload has a key that is no text. ${reading}`);
    for (const other of ['"a text"', "null", "GET / HTTP/1.1", "\u00a0{}"]) {
      expect(told(Buffer.from(other)), other).toContain(reading);
    }
    expect(told(Buffer.from("{nonsense"))).toBe("The payload is not one value in JSON.");
    expect(told(Buffer.concat([encode({}), bytes(1)]))).toBe(
      `The payload goes on behind its value. ${reading}`,
    );
    expect(told(Buffer.from("[".repeat(40)))).toBe("The payload is nested too deeply.");
  });

  test.each(["json", "msgpack"])(
    "[W10] of a key that comes twice the last counts, in %s",
    (format) => {
      const json = Buffer.from(
        '{"service":"users","service":"login","data":{"user":"bia","user":"ana"}}',
      );
      const data = map(text("user"), text("bia"), text("user"), text("ana"));
      const names = [text("service"), text("users"), text("service"), text("login")];
      const packed = map(...names, text("data"), data);
      expect(only(format === "json" ? json : packed)).toMatchObject({
        service: "login",
        user: "ana",
      });
    },
  );

  test.each([
    ["json", Buffer.from('{"__proto__":{},"service":"users","data":{"__proto__":{"id":"x"}}}')],
    [
      "msgpack",
      map(
        ...[text("__proto__"), map(), text("service"), text("users")],
        ...[text("data"), map(text("__proto__"), map(text("id"), text("x")))],
      ),
    ],
  ])("[W10] __proto__ is an unknown key, and ignored, in %s", (_, payload) => {
    expect(only(payload)).toMatchObject({ service: "users", id: undefined });
  });

  test("[W9] lone surrogates, which JSON can carry, are made well-formed", () => {
    const json = '{"service":"publish","data":{"user":"a","channel":"c","message":"x\\ud800"}}';
    expect(only(Buffer.from(json))).toMatchObject({ message: "x\ufffd" });
  });

  test("[W10] keys may be binary", () => {
    const data = map(binary("user"), text("ana"), binary("clock"), bytes(0x07));
    const payload = map(binary("service"), text("login"), binary("data"), data);
    expect(only(payload)).toMatchObject({ service: "login", user: "ana", clock: 7 });
  });

  test.each([
    ["uint8", [0xcc, 7]],
    ["uint16", [0xcd, 0, 7]],
    ["uint32", [0xce, 0, 0, 0, 7]],
    ["uint64", [0xcf, 0, 0, 0, 0, 0, 0, 0, 7]],
    ["int8", [0xd0, 7]],
    ["int64", [0xd3, 0, 0, 0, 0, 0, 0, 0, 7]],
    ["float64", [0xcb, 0x40, 0x1c, 0, 0, 0, 0, 0, 0]],
  ])("[W10] an integer as %s is an integer", (_, number) => {
    const payload = map(
      text("service"),
      text("users"),
      text("data"),
      map(text("clock"), bytes(...number)),
    );
    expect(only(payload).clock).toBe(7);
  });

  test("[W10] unknown keys are ignored", () => {
    const data = { user: "ana", colour: "blue", more: { deep: [1, 2, { x: null }] } };
    expect(accepted("login", data)).toMatchObject({ user: "ana" });
    expect(accepted("login", data)).not.toHaveProperty("colour");
  });
});
