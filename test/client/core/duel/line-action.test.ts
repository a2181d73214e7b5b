import { expect, test } from "vitest";
import { parseActionLine } from "../../../../src/client/core/duel/line-action.ts";

test.each([
  ["ready", { type: "ready" }],
  [" ready basic ", { type: "ready", pack: "basic" }],
  ["play wolf-common-3", { type: "play", card: "wolf-common-3" }],
  ["counter wolf-common-3", { type: "counter", card: "wolf-common-3" }],
  ["pass", { type: "pass" }],
  ["giveUp", { type: "giveUp" }],
  ['{"type":"play","card":"wolf-common-3"}', { type: "play", card: "wolf-common-3" }],
  ['{"type":"ready","cards":["a","b"]}', { type: "ready", cards: ["a", "b"] }],
  ['{"type":"ready","pack":"premium"}', { type: "ready", pack: "premium" }],
])("the line %j asks for the action %j", (line, action) => {
  expect(parseActionLine(line)).toEqual({ type: "act", action });
});

test.each(["play", "pass now", "ready gold", "play a b", "{", "{}", '{"type":"ready","cards":1}'])(
  "the line %j is no action",
  (line) => {
    expect(parseActionLine(line)).toEqual({ type: "wrong", line });
  },
);

test("an empty line asks for nothing, and `leave` ends the lines", () => {
  expect(parseActionLine("  ")).toEqual({ type: "nothing" });
  expect(parseActionLine("leave")).toEqual({ type: "leave" });
});
