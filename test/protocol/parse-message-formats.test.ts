import { describe, expect, test } from "vitest";
import { encode } from "../../src/protocol/codec.ts";
import { limits } from "../../src/protocol/limits.ts";
import { binary, bytes, map, text } from "../support/message-pack.ts";
import { accepted, only, parsedPayload, refused } from "../support/parsed-requests.ts";

describe("text that is not valid UTF-8", () => {
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

  describe.each(formats)("invalid UTF-8 in %s", (_, write) => {
    test.each([
      ["login", "user", { user: "José" }],
      ["channel", "channel", { channel: "ação" }],
      ["message", "dst", { src: "ana", dst: "José", message: "x" }],
      ["users", "id", { id: "José-1" }],
      ["login", "password", { user: "ana", password: "não digo" }],
      ["password", "newPassword", { user: "ana", password: "geheim", newPassword: "não digo" }],
      ["registration", "invitation", { mode: "invitation", invitation: "só para amigos" }],
      ["presence", "client", { user: "ana", state: "online", client: "celular do José" }],
    ])(
      "[W14] invalid UTF-8 is refused in a field where replacing it could make two different values equal: %s, %s",
      (service, field, data) => {
        const { code, description } = refused(write(service, data)).refused;
        expect(code).toBe("bad_request");
        expect(description).toContain(`\`${field}\``);
      },
    );

    test("[W14] invalid UTF-8 in a text becomes U+FFFD, and nothing else changes", () => {
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

  test("[W14] a lone surrogate makes an id invalid", () => {
    const json = '{"service":"users","data":{"id":"x\\ud800"}}';
    expect(refused(Buffer.from(json)).refused.code).toBe("bad_request");
  });
});

describe("JSON and MessagePack", () => {
  test("[W9] the first byte of a payload tells whether the payload is JSON or MessagePack", () => {
    const json = Buffer.from(JSON.stringify({ service: "login", data: { user: "ana" } }));
    expect(parsedPayload(json)).toMatchObject({
      format: "json",
      batch: false,
      requests: [{ service: "login", user: "ana" }],
    });
    const array = Buffer.from(JSON.stringify([{ service: "users", data: {} }]));
    expect(parsedPayload(array)).toMatchObject({ format: "json", batch: true });
    expect(parsedPayload(Buffer.from("{nonsense"))).toMatchObject({ format: "json" });
    expect(parsedPayload(encode({}))).toMatchObject({ format: "msgpack" });
  });

  test.each([
    ["a space", " "],
    ["line ends and tabs", "\r\n\t \n"],
    ["a byte order mark", "\ufeff"],
    ["a byte order mark and a line end", "\ufeff\n"],
  ])(
    "[W9] JSON with %s in front is read as JSON, whether the payload is one request or an array",
    (_, front) => {
      const one = { service: "login", data: { user: "ana" } };
      const payload = (value: unknown) => Buffer.from(front + JSON.stringify(value));
      const requests = [{ service: "login", user: "ana" }];
      expect(parsedPayload(payload(one))).toMatchObject({ format: "json", batch: false, requests });
      expect(parsedPayload(payload([one]))).toMatchObject({
        format: "json",
        batch: true,
        requests,
      });
      // The limit on a request's size holds whatever is in front.
      const large = Buffer.concat([payload(one), Buffer.alloc(limits.requestBytes, 0x20)]);
      expect(parsedPayload(large).requests).toMatchObject([{ refused: { code: "too_large" } }]);
    },
  );

  test("[W9] white space alone, or white space before a byte order mark, is not a request", () => {
    for (const payload of [" ", "\n", "\ufeff", " \ufeff{}", "\ufeff\ufeff{}"]) {
      const [request] = parsedPayload(Buffer.from(payload)).requests;
      expect(request, JSON.stringify(payload)).toMatchObject({ refused: { code: "bad_request" } });
    }
  });

  test("[W7] the error of a payload that can't be decoded says why", () => {
    const told = (payload: Uint8Array) => {
      const [request] = parsedPayload(payload).requests;
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
    "[W10] if a map in %s has a key twice, the last value counts",
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
  ])("[W10] __proto__ is ignored as an unknown key, in %s", (_, payload) => {
    expect(only(payload)).toMatchObject({ service: "users", id: undefined });
  });

  test("[W9] lone surrogates in JSON become U+FFFD", () => {
    const json = '{"service":"publish","data":{"user":"a","channel":"c","message":"x\\ud800"}}';
    expect(only(Buffer.from(json))).toMatchObject({ message: "x\ufffd" });
  });

  test("[W10] keys of a request may be binary", () => {
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
  ])("[W10] an integer that is encoded as %s is read as an integer", (_, number) => {
    const payload = map(
      text("service"),
      text("users"),
      text("data"),
      map(text("clock"), bytes(...number)),
    );
    expect(only(payload).clock).toBe(7);
  });

  test("[W10] unknown keys of a request are ignored", () => {
    const data = { user: "ana", colour: "blue", more: { deep: [1, 2, { x: null }] } };
    expect(accepted("login", data)).toMatchObject({ user: "ana" });
    expect(accepted("login", data)).not.toHaveProperty("colour");
  });
});
