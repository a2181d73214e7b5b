import { describe, expect, test } from "vitest";
import { encode } from "../../src/protocol/codec.ts";
import { writeCursor } from "../../src/protocol/cursor.ts";
import { limits } from "../../src/protocol/limits.ts";
import { serverName } from "../support/event-lines.ts";
import { bytes, map, text } from "../support/message-pack.ts";
import { accepted, only, refusal, refused } from "../support/parsed-requests.ts";

describe("the limits on fields", () => {
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
    ["search", { channel: "c" }, ["bad_request", "`words`", "256"]],
    ["search", { words: "oi" }, ["bad_request", "`search`", "`channel`"]],
    ["search", { channel: "c", words: "x".repeat(257) }, ["bad_request", "`words`", "256"]],
    ["search", { channel: "c", words: "x ".repeat(17) }, ["bad_request", "`words`", "16"]],
    ["search", { channel: "c", words: "🎉 -oi" }, ["bad_request", "`words`", "unwanted"]],
    ["search", { channel: "c", words: "oi", with: "u" }, ["bad_request", "`with`"]],
    ["search", { user: "u", words: "oi", limit: 0 }, ["bad_request", "`limit`"]],
  ])(
    "[W7] [W8] the request %s %j is refused with an error that names field and limit",
    (service, data, [code, ...named]) => {
      const refused = refusal(service, data);
      expect(refused.code).toBe(code);
      for (const one of named) expect(refused.description).toContain(one);
    },
  );

  test("a request whose fields are exactly at their limits is accepted", () => {
    const message = "🙂".repeat(4_096);
    expect(accepted("publish", { user: "a", channel: "c".repeat(64), message })).toMatchObject({
      message,
    });
    expect(accepted("users", { id: "x".repeat(64) }).id).toBe("x".repeat(64));
    expect(accepted("history", { channel: "c", limit: 1_000 })).toMatchObject({ limit: 1_000 });
    expect(accepted("history", { channel: "c" })).toMatchObject({ limit: 100 });
    const words = "🙂x ".repeat(16).padEnd(272, "🙂");
    expect(accepted("search", { channel: "c", words })).toHaveProperty("terms.length", 16);
  });

  test("a request of 64 KiB is accepted, and the error too_large for a larger request has the service of that request", () => {
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

  test("[W2] a payload above 1 MiB gets the error too_large", () => {
    const { refused: told } = refused(new Uint8Array(limits.batchBytes + 1).fill(0xc0));
    expect(told).toMatchObject({ code: "too_large" });
    expect(told.description).toContain("1048576");
  });

  test("[W6] [W7] the error of a request that is too large has the request's id", () => {
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

  test("a cursor in a request for history is parsed to the value that was written", () => {
    const cursor = { clock: 17, server: serverName(3) };
    expect(accepted("history", { channel: "c", before: writeCursor(cursor) })).toMatchObject({
      before: cursor,
    });
  });
});

describe("a payload above a limit", () => {
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

  test.each(large)(
    "[W11] a payload above 1 MiB is refused by its size, without decoding: %s",
    (_, payload) => {
      // Decoding the smallest of these payloads takes some hundred milliseconds.
      const started = performance.now();
      for (let round = 0; round < 20; round += 1) {
        expect(refused(payload).refused.code).toBe("too_large");
      }
      expect((performance.now() - started) / 20).toBeLessThan(10);
    },
  );

  test.each([
    ["MessagePack", bytes(0xdc, 0x03, 0xe9, 0xc1)],
    ["JSON", Buffer.from(`[${"7,".repeat(1_000)}nonsense]`)],
  ])(
    "[W2] an array with too many requests is refused by their number, without decoding: %s",
    (_, payload) => {
      const { code, description } = refused(payload).refused;
      expect(code).toBe("too_large");
      expect(description).toContain("it has 1001");
    },
  );

  test.each([
    ["MessagePack", encode([{ service: "users", data: { list: Array(100_000).fill(0) } }])],
    ["JSON", encode([{ service: "users", data: { list: Array(100_000).fill(0) } }], "json")],
  ])("[W11] a payload with more values than any requests need is refused: %s", (_, payload) => {
    expect(payload.byteLength).toBeLessThan(limits.batchBytes);
    expect(refused(payload).refused.code).toBe("bad_request");
  });
});
