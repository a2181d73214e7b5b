import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../src/protocol/errors.ts";
import { parseReferenceRequest } from "../../src/protocol/parse-reference.ts";

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
});
