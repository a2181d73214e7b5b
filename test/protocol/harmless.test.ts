import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/platform/random.ts";
import { harmless, harmlessJson } from "../../src/protocol/harmless.ts";
import { harmful, signs } from "../support/harmful.ts";

/**
 * Random mixtures of characters that control a terminal, characters that some scripts need, and
 * plain letters.
 */
function* texts(): Generator<string> {
  const parts = [
    ...signs,
    "a",
    "é",
    "👩‍🚀",
    "❤️",
    "م‌ن",
    "e\u0301",
    "\u0301".repeat(9),
    '"',
    "\\",
    "\ud800",
  ];
  const random = seededRandom(7);
  for (let count = 0; count < 2_000; count += 1) {
    const length = Math.floor(random() * 8);
    yield Array.from({ length }, () => parts[Math.floor(random() * parts.length)]).join("");
  }
}

const left = (text: string) => signs.filter((sign) => text.includes(sign));

describe("texts of other users", () => {
  test("harmless text has no line ends and no other characters that control a terminal", () => {
    expect(left(harmless(harmful))).toEqual([]);
    for (const text of texts()) {
      const shown = harmless(text);
      expect(left(shown), JSON.stringify(text)).toEqual([]);
      expect(harmless(shown)).toBe(shown);
    }
  });

  test("harmless JSON has no characters that control a terminal, and a program parses the original text from it", () => {
    for (const text of texts()) {
      const json = harmlessJson(JSON.stringify({ text }));
      expect(left(json), JSON.stringify(text)).toEqual([]);
      expect(JSON.parse(json)).toEqual({ text });
    }
  });

  test("a harmless text keeps the invisible characters that emoji and scripts need", () => {
    for (const text of ["👩‍🚀 ❤️ 1️⃣", "می‌خواهم", "क्‍ष"]) {
      expect(harmless(text)).toBe(text);
      expect(harmlessJson(JSON.stringify(text))).toBe(JSON.stringify(text));
    }
  });
});
