import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  encodeCommand,
  encodeMessage,
  FrameReader,
  hasMore,
  isCommand,
  readCommand,
} from "../../src/zmtp/frames.ts";
import { Refused } from "../../src/zmtp/refused.ts";
import { frame, message } from "../support/zmtp.ts";

/**
 * Bodies of small sizes, and of sizes around 255, above which a frame's length takes eight bytes.
 */
const body = fc.oneof(
  fc.uint8Array({ maxLength: 12 }),
  fc.constantFrom(0, 1, 254, 255, 256, 257, 700).map((size) => new Uint8Array(size).fill(size)),
);
const messages = fc.array(fc.array(body, { minLength: 1, maxLength: 5 }), { maxLength: 8 });

/** Reads a stream in pieces of the given sizes, and returns its messages. */
function read(bytes: Buffer, sizes: readonly number[], frameBytes = 10_000): Buffer[][] {
  const reader = new FrameReader(frameBytes);
  const found: Buffer[][] = [];
  let frames: Buffer[] = [];
  let pieces = 0;
  for (let at = 0; at < bytes.length; pieces += 1) {
    const end = at + (sizes[pieces % sizes.length] ?? bytes.length);
    // A copy of the piece, so that a message never shares its memory with `bytes`.
    const piece = Buffer.from(bytes.subarray(at, end));
    reader.read(piece, (one, flags) => {
      frames.push(one);
      if (hasMore(flags)) return;
      found.push(frames);
      frames = [];
    });
    at = end;
  }
  return found;
}

describe("a stream of frames", () => {
  test("a stream is read as the same messages, however the stream is cut into pieces", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(messages, sizes, (sent, cuts) => {
        const bytes = Buffer.concat(sent.map((one) => encodeMessage(one)));
        expect(bytes).toEqual(Buffer.concat(sent.map((one) => message(...one))));
        const wanted = sent.map((frames) => frames.map((one) => Buffer.from(one)));
        expect(read(bytes, cuts)).toEqual(wanted);
        expect(read(bytes, [1])).toEqual(wanted);
      }),
      { numRuns: 60 },
    );
  });

  test("a frame that is too long is refused when its length is read, before its body arrives", () => {
    for (const length of [10_001, 2 ** 32, 2 ** 53]) {
      const head = Buffer.alloc(9);
      head[0] = 2;
      head.writeBigUInt64BE(BigInt(length), 1);
      expect(() => read(head, [])).toThrow(Refused);
    }
    expect(() => read(Buffer.from("02ffffffffffffffff", "hex"), [])).toThrow(Refused);
    expect(() => read(Buffer.of(0, 255), [], 254)).toThrow(Refused);
    expect(() => read(Buffer.of(0, 255), [], 255)).not.toThrow();
  });

  test("a frame with invalid flags is refused at its first byte", () => {
    for (let flags = 0; flags < 256; flags += 1) {
      const isKnown = [0, 1, 2, 3, 4, 6].includes(flags);
      const reading = () => new FrameReader(10).read(Buffer.of(flags), () => {});
      if (isKnown) expect(reading).not.toThrow();
      else expect(reading).toThrow(Refused);
    }
  });

  test("the frame reader holds at most 4,096 bytes or four times the received bytes, whichever is more, for any announced length", () => {
    const announced = 4 * 1_024 * 1_024;
    const bytes = frame(Buffer.alloc(announced));
    const reader = new FrameReader(announced);
    const bodies: number[] = [];
    for (let at = 0; at < bytes.length; at += 60_000) {
      const end = Math.min(at + 60_000, bytes.length);
      reader.read(bytes.subarray(at, end), (whole) => bodies.push(whole.length));
      expect(reader.heldBytes).toBeLessThanOrEqual(Math.max(4_096, 4 * end));
    }
    expect(bodies).toEqual([announced]);
    expect(reader.heldBytes).toBe(0);
  });

  test("a command is read with its name, and a command without a name is refused", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 40, unit: "binary-ascii" }),
        body,
        (name, rest) => {
          const found: { one: Buffer; flags: number }[] = [];
          new FrameReader(10_000).read(encodeCommand(name, rest), (one, flags) =>
            found.push({ one, flags }),
          );
          expect(found).toHaveLength(1);
          expect(isCommand(found[0]?.flags ?? 0)).toBe(true);
          const command = readCommand(found[0]?.one as Buffer);
          expect(command).toEqual({ name, rest: Buffer.from(rest) });
        },
      ),
    );
    for (const none of ["", "\0", "\u0005PING"]) {
      expect(() => readCommand(Buffer.from(none))).toThrow(Refused);
    }
  });
});
