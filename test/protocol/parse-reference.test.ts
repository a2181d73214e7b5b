import { describe, expect, test } from "vitest";
import { ownVersion } from "../../src/platform/version.ts";
import { encode } from "../../src/protocol/codec.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import { limits } from "../../src/protocol/limits.ts";
import {
  decodeReferenceRequest,
  parseReferenceRequest,
} from "../../src/protocol/parse-reference.ts";
import { binary, bytes, map, text } from "../support/message-pack.ts";

describe("the gate of the reference", () => {
  test.each(["garbage", "http://host:1", "tcp://", "tcp://a b:1", 7, `tcp://${"x".repeat(300)}`])(
    "[W7] an address that is not an endpoint is refused: %s",
    (address) => {
      const request = { service: "rank", data: { user: "server_00000001", address, clock: 1 } };
      expect(() => parseReferenceRequest(request)).toThrow(ProtocolError);
    },
  );

  test("[N5] a heartbeat has the version of this program, and the space on the server's disk", () => {
    const told = { version: ownVersion(), disk: { freeBytes: 7, totalBytes: 9 } };
    const data = { user: "server_00000001", ...told };
    expect(parseReferenceRequest({ service: "heartbeat", data })).toMatchObject(told);
  });

  test.each([
    ["missing", undefined, undefined],
    ["of another kind", 3, 4],
    ["incomplete", "1.2", { freeBytes: 7 }],
    ["harmful", "1.2.3\x1b[2J", { freeBytes: -1, totalBytes: 9 }],
  ])("[N5] a version and disk that are %s count as missing", (_, version, disk) => {
    const data = { user: "server_00000001", version, disk };
    const untold = { version: undefined, disk: undefined };
    expect(parseReferenceRequest({ service: "heartbeat", data })).toMatchObject(untold);
  });

  test.each([
    ["two fingerprints", ["0a1b2c3d", "4e5f6071"], true],
    ["an empty list", [], false],
    ["a text", "0a1b2c3d", false],
    ["something else", ["0a1b2c3d", "\x1b[2J"], false],
  ])("[O55] secrets in a heartbeat that are %s are read: %s", (_, secrets, isRead) => {
    const request = { service: "heartbeat", data: { user: "server_00000001", secrets } };
    const told = { secrets: isRead ? secrets : undefined };
    expect(parseReferenceRequest(request)).toMatchObject(told);
  });

  test("[W4] an invalid clock counts as 0, and a clock beside `data` is read", () => {
    const none = parseReferenceRequest({ service: "list", data: { clock: -1 } });
    expect(none.clock).toBe(0);
    const beside = parseReferenceRequest({ service: "list", data: {}, clock: 7 });
    expect(beside.clock).toBe(7);
  });

  test.each(["", " \n", "\ufeff"])("[W9] JSON with %j in front is read as JSON", (front) => {
    const json = Buffer.from(`${front}{"service":"list","data":{"clock":1,"clock":7}}`);
    expect(parseReferenceRequest(decodeReferenceRequest(json, false))).toMatchObject({
      service: "list",
      clock: 7,
    });
  });

  test.each([
    ["JSON", Buffer.from('{"service":"health","service":"list","data":{"clock":1,"clock":7}}')],
    [
      "MessagePack",
      map(
        ...[text("service"), text("health"), text("service"), text("list")],
        ...[text("data"), map(text("clock"), bytes(1), binary("clock"), bytes(7))],
      ),
    ],
  ])("[W10] if a map in %s has a key twice, the last value counts", (_, payload) => {
    const request = parseReferenceRequest(decodeReferenceRequest(payload, false));
    expect(request).toMatchObject({ service: "list", clock: 7 });
  });

  test.each([
    ["nil", map(bytes(0xc0), bytes(1))],
    ["a map", map(map(), bytes(1))],
  ])("[W10] a key that is %s is refused with an error that says so", (_, payload) => {
    const told = "The payload has a key that is no text.";
    expect(() => decodeReferenceRequest(payload, false)).toThrow(told);
  });

  test.each([
    ["a number", bytes(7)],
    ["__proto__", text("__proto__")],
  ])("[W10] a key that is %s is ignored as an unknown key", (_, key) => {
    const payload = map(text("service"), text("list"), text("data"), map(key, bytes(1)));
    const request = parseReferenceRequest(decodeReferenceRequest(payload, false));
    expect(request).toMatchObject({ service: "list", clock: 0 });
  });

  test("[W11] a guest's request above its size limit is refused without decoding", () => {
    const large = Buffer.alloc(limits.requestBytes + 1, 0xc1);
    expect(() => decodeReferenceRequest(large, false)).toThrow(/65536 bytes/);
    // A member's vector may name every server that ever existed.
    const vector = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, at) => [`server_${String(at).padStart(8, "0")}`, at]),
    );
    expect(decodeReferenceRequest(encode(vector), true)).toEqual(vector);
    expect(() => decodeReferenceRequest(large, true)).toThrow("The payload is not MessagePack.");
  });
});
