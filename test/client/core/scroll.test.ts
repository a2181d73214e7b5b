import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ChatModel, change, currentOf } from "../../../src/client/core/chat-model.ts";
import { layoutOf } from "../../../src/client/core/layout.ts";
import { countOf } from "../../../src/client/core/message-list.ts";
import { page, visibleLines } from "../../../src/client/core/scroll.ts";
import { ChatScene } from "./chat-scene.ts";

/** A chat with one conversation. Its messages have `heights[0]`, `heights[1]`, … lines. */
function chatOf(heights: readonly number[], rows: number): ChatModel {
  const scene = new ChatScene(40, rows).start();
  heights.forEach((height, at) => {
    const lines = Array.from({ length: height }, (_, line) => `m${at}.${line}`);
    scene.says("geral", "bia", lines.join("\n"));
  });
  return scene.model;
}

/** All lines of the conversation, as texts. */
function allLines(model: ChatModel): readonly string[] {
  return textsOf({ ...model, conversations: [{ ...currentOf(model), anchor: undefined }] }, 10_000);
}

function textsOf(model: ChatModel, rows = layoutOf(model).paneRows): readonly string[] {
  return visibleLines(model, currentOf(model), rows).map((line) =>
    line.map(({ text }) => text).join(""),
  );
}

function turned(model: ChatModel, direction: "up" | "down"): ChatModel {
  const { anchor } = page(model, currentOf(model), direction);
  return change(model, model.current, (present) => ({ ...present, anchor }));
}

const heights = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 25 });
const rows = fc.integer({ min: 4, max: 20 });

describe("scrolling by pages", () => {
  test("a page of a conversation has consecutive lines, and fills the pane if the conversation has enough lines", () => {
    const turns = fc.array(fc.constantFrom("up" as const, "down" as const), { maxLength: 12 });
    fc.assert(
      fc.property(heights, rows, turns, (each, size, directions) => {
        let model = chatOf(each, size);
        const all = allLines(model);
        const { paneRows } = layoutOf(model);
        for (const direction of directions) {
          model = turned(model, direction);
          const shown = textsOf(model);
          expect(shown).toHaveLength(Math.min(paneRows, all.length));
          const at = all.findIndex((_, from) =>
            shown.every((line, offset) => all[from + offset] === line),
          );
          expect(at).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("paging up and down through a conversation reaches both ends and skips no line", () => {
    fc.assert(
      fc.property(heights, rows, (each, size) => {
        const start = chatOf(each, size);
        const all = allLines(start);
        for (const direction of ["up", "down"] as const) {
          let model = direction === "up" ? start : allTheWay(start, "up");
          const seen = new Set(textsOf(model));
          for (let turn = 0; turn <= all.length; turn += 1) {
            model = turned(model, direction);
            for (const line of textsOf(model)) seen.add(line);
          }
          expect(seen).toEqual(new Set(all));
          if (direction === "down") expect(currentOf(model).anchor).toBeUndefined();
          else expect(textsOf(model)[0]).toBe(all[0]);
        }
      }),
      { numRuns: 20 },
    );
  });

  test("paging up reports when the oldest loaded message is near, so that the chat can fetch older ones", () => {
    const model = chatOf(new Array(100).fill(1), 14);
    expect(page(model, currentOf(model), "up").nearsOldest).toBe(false);
    const top = allTheWay(model, "up");
    expect(page(top, currentOf(top), "up").nearsOldest).toBe(true);
  });
});

function allTheWay(from: ChatModel, direction: "up" | "down"): ChatModel {
  let model = from;
  for (let turn = 0; turn <= allLines(from).length; turn += 1) model = turned(model, direction);
  return model;
}

test("if the message at the pane's bottom was removed, the pane shows the oldest remaining message", () => {
  const model = chatOf([2, 2, 2, 2], 14);
  const anchored = change(model, model.current, (present) => ({
    ...present,
    anchor: { item: "cut away", line: 0 },
  }));
  expect(countOf(currentOf(anchored))).toBe(4);
  expect(textsOf(anchored).at(-1)).toContain("m0.1");
});

test("a conversation without messages shows no lines and does not scroll", () => {
  const { model } = new ChatScene(40, 14).start();
  expect(textsOf(model)).toEqual([]);
  expect(page(model, currentOf(model), "up").anchor).toBeUndefined();
});
