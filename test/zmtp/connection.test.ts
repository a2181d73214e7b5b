import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ConnectionOptions } from "../../src/zmtp/connection.ts";
import { about, Bound, nobody } from "../support/bound-connection.ts";
import { command, frame, greeting, message } from "../support/zmtp.ts";

describe("a connection after its handshake", () => {
  function ready(change: Partial<ConnectionOptions> = {}): Bound {
    return new Bound(nobody, change).hear(greeting(), command("READY", about));
  }

  test("a connection refuses a message with too many frames before the message is complete", () => {
    const bound = ready();
    bound.hear(message("", "", "", ""));
    expect(
      bound.refuses(frame("", 1), frame("", 1), frame("", 1), frame("", 1), frame("", 1)),
    ).toBe("tooLarge");
    expect(bound.messages).toHaveLength(1);
    expect(ready().refuses(Buffer.alloc(2_000_000, Buffer.of(1, 0)))).toBe("tooLarge");
  });

  test("a connection refuses a frame whose announced length is too large, and a message whose frames together are too large", () => {
    expect(ready().refuses(Buffer.from("0200000000000003e9", "hex"))).toBe("tooLarge");
    const bound = ready();
    bound.hear(frame(Buffer.alloc(800), 1));
    expect(bound.refuses(frame(Buffer.alloc(701)))).toBe("tooLarge");
    // The bound applies to each message separately.
    const other = ready();
    for (let count = 0; count < 10; count += 1)
      other.hear(message(Buffer.alloc(800), Buffer.alloc(700)));
    expect(other.messages).toHaveLength(10);
  });

  test("a connection holds the frames of an unfinished message, and frees the commands that were received together with these frames", () => {
    const bound = ready();
    const ping = command("PING", "\0\0");
    const noise = Buffer.alloc(7_000 * ping.length, ping);
    for (let count = 0; count < 3; count += 1) bound.hear(noise, frame("x", 1));
    expect(bound.connection.heldBytes).toBe(3);
    expect(bound.hear(frame("y")).messages).toEqual([["x", "x", "x", "y"]]);
    expect(bound.connection.heldBytes).toBe(0);
  });

  test("a connection answers a PING with a PONG that has at most 16 bytes of the PING's context", () => {
    const pongOf = (rest: string) => {
      const bound = ready().hear(command("PING", rest));
      return bound.answer("PONG").toString("latin1");
    };
    expect(pongOf("\0\0")).toBe("");
    expect(pongOf("\0\0sixteen bytes ok")).toBe("sixteen bytes ok");
    expect(pongOf(`\0\0${"x".repeat(700)}`)).toBe("x".repeat(16));
    expect(pongOf("")).toBe("");
    expect(pongOf("\0")).toBe("");
  });

  test("a connection ignores PONG and unknown commands", () => {
    const bound = ready();
    const before = bound.said.length;
    for (const name of ["PONG", "JOIN", "LEAVE", "READY", "HELLO", "n".repeat(255)]) {
      bound.hear(command(name, "whatever"));
    }
    expect(bound.said).toHaveLength(before);
    expect(bound.hear(message("goes on")).messages).toEqual([["goes on"]]);
    expect(bound.refuses(frame("", 4))).toBe("malformed");
  });

  test("a connection turns a subscription command into a message only for an XPUB socket", () => {
    const said = [command("SUBSCRIBE", "topic"), command("CANCEL", "topic"), message("x")];
    expect(ready().hear(...said).messages).toEqual([["x"]]);
    const bound = ready({ socketType: "XPUB" });
    expect(bound.hear(...said).messages).toEqual([["\u0001topic"], ["\u0000topic"], ["x"]]);
  });

  test("a connection expects heartbeats from a peer with ZMTP 3.1 or later, and none from a peer with 3.0", () => {
    const knows = (minor: number) => {
      const bound = new Bound(nobody).hear(greeting("NULL", { minor }));
      expect(bound.connection.knowsHeartbeats).toBe(false);
      return bound.hear(command("READY", about)).connection.knowsHeartbeats;
    };
    expect([0, 1, 2].map(knows)).toEqual([false, true, true]);
  });
});

describe("[X8] random bytes", () => {
  test("random changes of a valid stream cause no error other than a refusal, and no message with too many frames", () => {
    const valid = Buffer.concat([
      greeting(),
      command("READY", about),
      message("", "hello"),
      command("PING", "\0\0x"),
      message("a", "b", "c"),
    ]);
    const flips = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(flips, fc.uint8Array({ maxLength: 80 }), fc.nat(200), (changes, more, at) => {
        const bytes = Buffer.concat([valid.subarray(0, at), more, valid.subarray(at)]);
        for (const [place, value] of changes) bytes[place] = value;
        const bound = new Bound(nobody);
        bound.refuses(bytes);
        expect(bound.said.length).toBeLessThan(64 + 200 + 10 * bytes.length);
        for (const frames of bound.messages) expect(frames.length).toBeLessThanOrEqual(4);
      }),
      { numRuns: 500 },
    );
  });
});
