import { describe, expect, test } from "vitest";
import * as ws from "ws";
import { parseClientFrame, readRef } from "../../src/gateway/core/frames.ts";
import { textFrame } from "../../src/gateway/live/text-frame.ts";

const id = "an-id";

describe("frames of clients", () => {
  test.each([
    [
      { type: "connect", token: "a token" },
      { type: "connect", token: "a token" },
    ],
    [
      { type: "subscribe", conversation: "#geral" },
      { conversation: "#geral", last: undefined },
    ],
    [
      { type: "subscribe", conversation: "@ana", last: 20 },
      { conversation: "@ana", last: 20 },
    ],
    [{ type: "subscribe", conversation: "#geral", position: "e30" }, { position: "e30" }],
    // The letter with an accent may come as one character or as two.
    [{ type: "subscribe", conversation: "#cafe\u0301" }, { conversation: "#caf\u00e9" }],
    [{ type: "unsubscribe", conversation: "#geral" }, { type: "unsubscribe" }],
    [
      { type: "publish", conversation: "#geral", message: "hi", id },
      { message: "hi", id },
    ],
    [{ type: "presence", state: "away" }, { state: "away" }],
    [
      { type: "duel", of: "ana", ref: 1 },
      { type: "duel", ref: 1 },
    ],
    [{ type: "act", id, match: "0a1b2c3d4e5f6a7b", action: { type: "pass" } }, { type: "act" }],
    [{ type: "presence", state: "away", ref: 7 }, { ref: 7 }],
    [{ type: "presence", state: "away", ref: "seven" }, { ref: "seven" }],
    [{ type: "presence", state: "away", ref: { no: "ref" } }, { ref: undefined }],
  ])("[G21] the frame %j is read as %j", (frame, expected) => {
    expect(parseClientFrame(JSON.stringify(frame))).toMatchObject(expected);
  });

  test.each([
    ["", "bad_request"],
    ["no JSON", "bad_request"],
    ["7", "bad_request"],
    ["[]", "bad_request"],
    ['{"type":"toString"}', "bad_request"],
    ['{"type":"connect"}', "bad_request"],
    ['{"type":"connect","token":7}', "bad_request"],
    ['{"type":"subscribe"}', "bad_request"],
    ['{"type":"subscribe","conversation":"geral"}', "bad_request"],
    ['{"type":"subscribe","conversation":"#"}', "name_invalid"],
    ['{"type":"subscribe","conversation":"#a b\\u0000"}', "name_invalid"],
    ['{"type":"subscribe","conversation":"#geral","last":1001}', "bad_request"],
    ['{"type":"subscribe","conversation":"#geral","last":-1}', "bad_request"],
    ['{"type":"subscribe","conversation":"#geral","last":0.5}', "bad_request"],
    ['{"type":"publish","conversation":"#geral","message":""}', "bad_request"],
    ['{"type":"publish","conversation":"#geral","message":"hi","id":7}', "bad_request"],
    ['{"type":"presence","state":"asleep"}', "bad_request"],
  ])("[G21] the text %j is refused with %s", (text, code) => {
    expect(() => parseClientFrame(text)).toThrow(expect.objectContaining({ code }));
  });

  test("[G21] an error repeats the `ref` of a frame that is JSON, and has none otherwise", () => {
    expect(readRef('{"type":"nothing","ref":3}')).toBe(3);
    expect(readRef('{"type":"nothing","ref":"three"}')).toBe("three");
    expect(readRef(`{"ref":"${"x".repeat(65)}"}`)).toBeUndefined();
    expect(readRef("no JSON")).toBeUndefined();
  });
});

describe("frames of a gateway", () => {
  test.each([0, 1, 125, 126, 127, 65_535, 65_536, 200_000])(
    "[G21] a text of %i bytes becomes the frame that another implementation reads",
    async (length) => {
      const text = "é".repeat(length / 2) + "x".repeat(length % 2);
      const { Receiver } = ws as unknown as { Receiver: typeof ReceiverLike };
      const receiver = new Receiver({ isServer: false });
      const read = new Promise<string>((resolve, reject) => {
        receiver.on("message", (data) => resolve(String(data)));
        receiver.on("error", reject);
      });
      receiver.write(textFrame(text));
      expect(await read).toBe(text);
    },
  );
});

/** The part of the package `ws` that reads frames, which its types leave out. */
declare class ReceiverLike {
  constructor(options: { readonly isServer: boolean });
  on(event: "message" | "error", act: (data: unknown) => void): void;
  write(bytes: Buffer): void;
}
