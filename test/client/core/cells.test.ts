import { expect, test } from "vitest";
import { cellsOf, cut, graphemes, wrap } from "../../../src/client/core/cells.ts";
import { view } from "../../../src/client/core/chat-view.ts";
import { span } from "../../../src/client/core/spans.ts";
import { painted } from "../../../src/client/terminal/paint-line.ts";
import { ChatScene } from "./chat-scene.ts";

const look = { hasColours: true, hasLinks: false };

test("`cellsOf` counts the cells that a text takes on a terminal", () => {
  const texts = ["กำลังใจ", "ກຳ", "का", "क्षा", "ကာ", "漢ｶﾞ", "각", "\u1100\u1161\u11a8", "ᄀᄀ"];
  expect(texts.map(cellsOf)).toEqual([6, 2, 2, 3, 2, 4, 2, 2, 4]);
  expect(cellsOf("e\u0301 ação")).toBe(6);
  const pictures = ["👨‍👩‍👧‍👦", "👍🏽", "🇧🇷", "❤️", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "❤"];
  expect(pictures.map(cellsOf)).toEqual([2, 2, 2, 2, 2, 2, 1]);
});

test("joining the graphemes of a text gives the same text", () => {
  expect(graphemes("aé漢👍🏽한กำ\n🇧🇷")).toEqual([..."aé漢", "👍🏽", "한", "กำ", "\n", "🇧🇷"]);
  const flood = `a${"\u0301".repeat(500)}`;
  expect(graphemes(flood).join("")).toBe(flood);
});

test("after a character of uncertain width, the chat sets the cursor's column before it writes the next text", () => {
  expect(painted([span("ana"), span("│", "dim")], look)).toBe("ana\x1b[2m│\x1b[0m");
  expect(painted([span("👍🏽"), span("│", "dim")], look)).toBe("👍🏽\x1b[2m\x1b[3G\x1b[K│\x1b[0m");
});

test("after each emoji, the chat sets the cursor's column, because terminals draw emoji with different widths", () => {
  const line = [span("a👍🏽👍🏽 b🙂")];
  expect(painted(line, look)).toBe("a👍🏽\x1b[4G\x1b[K👍🏽\x1b[6G\x1b[K b🙂");
  // Nothing follows the emoji, so no column is set and nothing is erased.
  expect(painted([span("🙂\u0301"), span("")], look)).toBe("🙂\u0301");
});

test("pasted control characters are shown escaped in the input line and sent unchanged", () => {
  const pasted = "a\x1b[2J\u202eb\u200bc\u0085";
  const scene = new ChatScene(80, 5).start().types(`\x1b[200~${pasted}\x1b[201~`);
  expect(scene.screen).toContain("› a␛[2J<U+202E>b<U+200B>c<U+0085>\n");
  const { cursor } = view(scene.model);
  expect(cursor.column).toBe("› a␛[2J<U+202E>b<U+200B>c<U+0085>".length);
  expect(scene.types("\r").effects.at(-1)).toMatchObject({ type: "send", text: pasted });
});

test("the chat shows a name's invisible letter escaped", () => {
  const scene = new ChatScene(60, 8).start().says("geral", "anaㅤ", "Oi");
  expect(scene.screen).toContain("08:01 ana<U+3164>  Oi\n");
});

test("with ten thousand Chinese characters in the input line, handling a key takes a median of less than 50 ms of CPU time", () => {
  const scene = new ChatScene().start().types(`\x1b[200~${"漢字".repeat(5_000)}\x1b[201~`);
  const times = ["a", "漢", "\x1b[D", "\x7f", "\x01", "b", "\x05"].map((key) => {
    // CPU time of this process, which other processes on the machine do not change.
    const began = process.cpuUsage();
    view(scene.types(key).model);
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1_000;
  });
  expect(times.sort((a, b) => a - b)[3]).toBeLessThan(50);
});

test("`cut` and `wrap` measure a text in cells of a terminal, not in characters", () => {
  expect(cellsOf("漢字🙂é")).toBe(7);
  expect(cut("漢字かな", 5)).toBe("漢字…");
  expect(wrap("um dois três", 8, 5)).toEqual(["um dois", "três"]);
  expect(wrap("umapalavralonga", 6, 4)).toEqual(["umapal", "avra", "long", "a"]);
  expect(wrap("", 8, 8)).toEqual([""]);
  expect(graphemes(`a${"\u0301".repeat(500)}`)[0]?.length).toBe(16);
});
