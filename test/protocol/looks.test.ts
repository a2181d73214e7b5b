import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { looksOf, oddityOf } from "../../src/protocol/looks.ts";

function lookAlike(a: string, b: string): boolean {
  return looksOf(a).some((look) => looksOf(b).includes(look));
}

describe("names that look the same", () => {
  test.each([
    ["capital letters", "carlos", "Carlos"],
    ["capital letters alone", "straße", "STRASSE"],
    ["full-width letters", "carlos", "\uff43arlos"],
    ["mathematical letters", "carlos", "\u{1d41c}arlos"],
    ["a Cyrillic letter", "carlos", "c\u0430rlos"],
    ["Cyrillic letters alone", "coco", "\u0441\u043e\u0441\u043e"],
    ["Greek capitals", "NIKA", "\u039d\u0399\u039a\u0391"],
    ["Cherokee letters", "PATA", "\u13e2\u13aa\u13a2\u13aa"],
    ["a capital i for an l", "paypal", "paypaI"],
    ["a digit 1 for a letter l", "paypal", "paypa1"],
    ["a digit 0 for a letter o", "root", "r00t"],
    ["an i without its dot", "mila", "m\u0131la"],
    ["an i with two dots", "mila", "mi\u0307la"],
    ["letters and marks apart", "Jos\u00e9", "jose\u0301"],
    ["an invisible character", "ana", "an\u034fa\ufe0f"],
  ])("two names look the same if they differ by %s", (_, one, other) => {
    expect(lookAlike(one, other)).toBe(true);
    expect(lookAlike(other, one)).toBe(true);
  });

  test.each([
    ["ana", "anna"],
    ["Lia", "Ila"],
    ["modem", "modern"],
    ["ana", "\u00e3na"],
    ["ana.lima", "ana-lima"],
    ["bot1", "bot2"],
    ["用户", "用戶"],
  ])("the names %s and %s do not look the same", (one, other) => {
    expect(lookAlike(one, other)).toBe(false);
  });

  test("a name looks the same as its upper case and its normalised forms", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (name) => {
        for (const other of [name.toUpperCase(), name.normalize("NFKC"), name.normalize("NFD")]) {
          expect(lookAlike(name, other)).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a new name", () => {
  test.each([
    "ana",
    "Ana_1",
    "7",
    "-",
    "\u00e7\u00e3o",
    "Ελένη",
    "ана-2",
    "علي",
    "नेहा",
    "กำ",
    "한글ana",
    "ひらカナ漢字abc",
    "ㄅㄆ注音abc",
    "\u{10330}\u{10331}",
    "𝒜na",
  ])("a new name may be %s", (name) => {
    expect(oddityOf(name, "user")).toBeUndefined();
  });

  test.each(["c\u0430rlos", "bot-Ана", "Ελenη", "नेહા", "ひらγ", "한ㄅ", "\u{10330}b"])(
    "a new name that mixes letters of several scripts is refused: %s",
    (name) => {
      expect(oddityOf(name, "user")).toMatch(/^`user` mixes/);
    },
  );

  test.each(["ana\ufe0f", "an\u034fa", "an\u180ba", "\u3164", "a\u{e0100}"])(
    "a new name that has an invisible character is refused: %j",
    (name) => {
      expect(oddityOf(name, "channel")).toMatch(/^`channel` holds/);
    },
  );

  test.each(["مح\u0640مد", "ߒ\u07faߞ", "김\u302e", "ろ\u3031", "々\u303b"])(
    "a new name that has a letter that only stretches or repeats other letters is refused: %j",
    (name) => {
      expect(oddityOf(name, "user")).toMatch(/^`user` holds a letter that only/);
    },
  );
});
