import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { greetingStart, readGreeting, restOfGreeting } from "../../src/zmtp/greeting.ts";
import { Refused } from "../../src/zmtp/refused.ts";
import { greeting } from "../support/zmtp.ts";

const signature = "ff00000000000000017f";

describe("a greeting", () => {
  test.each([
    ["a browser's request", "GET / HTTP/1.1\r\n"],
    ["a form of a web page", "POST / HTTP/1.1\r\n"],
    ["a TLS handshake", "\u0016\u0003\u0001"],
    ["ZMTP 1.0", "\u0001\u0000"],
    ["ZMTP 1.0 with a name", "\u0006\u0000name!"],
    ["SSH", "SSH-2.0-OpenSSH"],
    ["a zero byte", "\0"],
  ])("a greeting that begins like %s is refused at its first byte", (_name, text) => {
    expect(() => readGreeting(Buffer.from(text, "latin1").subarray(0, 1))).toThrow(Refused);
  });

  test("a greeting is refused unless its first byte is 0xff", () => {
    for (let first = 0; first < 255; first += 1) {
      expect(() => readGreeting(Buffer.of(first))).toThrow(/no ZeroMQ signature/);
    }
    expect(readGreeting(Buffer.of(0xff))).toBeUndefined();
    expect(readGreeting(Buffer.alloc(0))).toBeUndefined();
  });

  test.each([
    ["ZMTP 1.0 with a length in eight bytes", "ff000000000000000500"],
    ["version 0", `${signature}00`],
  ])("a greeting of %s is refused, but not before its tenth byte", (_name, hex) => {
    const bytes = Buffer.from(hex, "hex");
    expect(() => readGreeting(bytes)).toThrow(Refused);
    expect(readGreeting(bytes.subarray(0, 9))).toBeUndefined();
  });

  test("a greeting is complete when its last byte has arrived, whatever its padding", () => {
    const padding = fc.uint8Array({ minLength: 8, maxLength: 8 });
    const version = fc.record({ major: fc.integer({ min: 3, max: 255 }), minor: fc.nat(255) });
    const mechanism = fc.constantFrom("NULL", "PLAIN", "CURVE", "GSSAPI", "", "X".repeat(20));
    fc.assert(
      fc.property(padding, version, mechanism, (filler, { major, minor }, name) => {
        const bytes = greeting(name, { major, minor });
        bytes.set(filler, 1);
        for (let end = 0; end < bytes.length; end += 1) {
          expect(readGreeting(bytes.subarray(0, end))).toBeUndefined();
        }
        expect(readGreeting(bytes)).toMatchObject({ bytes: 64, minor, mechanism: name });
      }),
    );
  });

  test("the greeting that this implementation sends has the version of ZMTP 3.1", () => {
    for (const mechanism of ["NULL", "PLAIN", "CURVE"] as const) {
      const bytes = Buffer.concat([greetingStart, restOfGreeting(mechanism, true)]);
      expect(bytes.toString("hex", 0, 12)).toBe("ff00000000000000007f0301");
      expect(readGreeting(bytes)).toMatchObject({ minor: 1, mechanism });
    }
  });

  test("a greeting of ZMTP 2.0 ends with the type of the socket", () => {
    const bytes = Buffer.from(`${signature}0103`, "hex");
    expect(readGreeting(bytes.subarray(0, 11))).toBeUndefined();
    expect(readGreeting(bytes)).toMatchObject({ bytes: 12, mechanism: "NULL", olderType: "REQ" });
    const unknown = Buffer.from(`${signature}01ff`, "hex");
    expect(readGreeting(unknown)).toMatchObject({ olderType: "none" });
  });
});
