import { describe, expect, test } from "vitest";
import { encode } from "../../src/protocol/codec.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import { limits } from "../../src/protocol/limits.ts";
import {
  decodeReferenceRequest,
  parseReferenceRequest,
} from "../../src/protocol/parse-reference.ts";

describe("the gate of the reference", () => {
  test.each(["garbage", "http://host:1", "tcp://", "tcp://a b:1", 7, `tcp://${"x".repeat(300)}`])(
    "[W7] an address that is no endpoint is refused: %s",
    (address) => {
      const request = { service: "rank", data: { user: "server_00000001", address, clock: 1 } };
      expect(() => parseReferenceRequest(request)).toThrow(ProtocolError);
    },
  );

  test("[W4] a clock that is none counts as 0, one beside `data` is read", () => {
    const none = parseReferenceRequest({ service: "list", data: { clock: -1 } });
    expect(none.clock).toBe(0);
    const beside = parseReferenceRequest({ service: "list", data: {}, clock: 7 });
    expect(beside.clock).toBe(7);
  });

  test.each(["", " \n", "\ufeff"])("[W9] JSON is JSON with %j in front, too", (front) => {
    const json = Buffer.from(`${front}{"service":"list","data":{"clock":1,"clock":7}}`);
    expect(parseReferenceRequest(decodeReferenceRequest(json, false))).toMatchObject({
      service: "list",
      clock: 7,
    });
  });

  test("[W11] what a guest says is refused by its size, before it is decoded", () => {
    const large = Buffer.alloc(limits.requestBytes + 1, 0xc1);
    expect(() => decodeReferenceRequest(large, false)).toThrow(/65536 bytes/);
    // A member's vector may name all servers that there ever were.
    const vector = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, at) => [`server_${String(at).padStart(8, "0")}`, at]),
    );
    expect(decodeReferenceRequest(encode(vector), true)).toEqual(vector);
    expect(() => decodeReferenceRequest(large, true)).toThrow("The payload is not MessagePack.");
  });
});
