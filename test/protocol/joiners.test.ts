import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../src/protocol/errors.ts";
import { harmless } from "../../src/protocol/harmless.ts";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { looksOf, oddityOf } from "../../src/protocol/looks.ts";

const [zwnj, zwj] = ["\u200c", "\u200d"];

describe("[W18] a joiner in a name", () => {
  test.each([
    ["Persian, between letters that would be joined", `علی${zwnj}رضا`],
    ["Persian, a word in two parts", `می${zwnj}خواهم`],
    ["Persian, behind a mark", `می\u064e${zwnj}خواهم`],
    ["Sinhala, behind a virama", `ශ\u0dca${zwj}රී`],
    ["Hindi, behind a virama", `क\u094d${zwj}ष`],
    ["Malayalam, behind a virama", `ന\u0d4d${zwj}`],
    ["Hindi, a virama and the joiner that parts", `क\u094d${zwnj}ष`],
  ])("a name may have a joiner where its script needs one: %s", (_, name) => {
    for (const parse of [parseUserName, parseChannelName]) expect(parse(name)).toBe(name);
    expect(oddityOf(name, "user")).toBeUndefined();
    // The name with the joiner looks the same as the name without it.
    const plain = name.replaceAll(/[\u200c\u200d]/g, "");
    expect(looksOf(name)).toEqual(looksOf(plain));
  });

  test.each([
    ["between Latin letters", `an${zwj}a`],
    ["the other one between Latin letters", `an${zwnj}a`],
    ["in front", `${zwj}ana`],
    ["in front of Persian", `${zwnj}علی`],
    ["at the end", `ana${zwnj}`],
    ["at the end of Persian", `علی${zwnj}`],
    ["behind a letter that joins nothing behind it", `دا${zwnj}ن`],
    ["that joins, where letters are joined anyway", `عل${zwj}ی`],
    ["twice behind a virama", `ක\u0dca${zwj}${zwj}ර`],
    ["between digits", `1${zwnj}2`],
  ])("a name with a joiner %s is refused", (_, name) => {
    for (const parse of [parseUserName, parseChannelName]) {
      expect(() => parse(name)).toThrow(ProtocolError);
    }
  });

  test("names that differ only in joiners look the same", () => {
    const part = fc.constantFrom("ا", "ب", "ل", "ى", "क", "\u094d", "ra", "\u064e", zwnj, zwj);
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
        const name = parts.join("");
        const plain = name.replaceAll(/[\u200c\u200d]/g, "");
        expect(looksOf(name)).toEqual(looksOf(plain));
      }),
    );
  });
});

test("every invisible character between Latin letters is refused in a new name", () => {
  for (let code = 0x80; code <= 0x1ffff; code += 1) {
    const character = String.fromCodePoint(code);
    if (!/\p{Default_Ignorable_Code_Point}/u.test(character)) continue;
    const name = `an${character}a`;
    const refused = () => {
      const parsed = parseUserName(name);
      const oddity = oddityOf(parsed, "user");
      if (oddity !== undefined) throw new Error(oddity);
    };
    expect(refused, `U+${code.toString(16)} ${harmless(character)}`).toThrow();
  }
});
