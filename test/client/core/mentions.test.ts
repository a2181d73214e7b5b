import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mentionsOf } from "../../../src/client/core/mentions.ts";

function mentioned(text: string, name: string): string[] {
  return mentionsOf(text, name).map(({ from, to }) => text.slice(from, to));
}

test("a text mentions a name only as a whole word, in upper or lower case", () => {
  expect(mentioned("ana, banana, @ANA. ana_ a Ana", "ana")).toEqual(["ana", "@ANA", "Ana"]);
  expect(mentioned("zé? Zé! JOSÉ", "zé")).toEqual(["zé", "Zé"]);
  expect(mentioned("ana.b anaxb", "ana.b")).toEqual(["ana.b"]);
  expect(mentioned("an\u0061\u0303 𝒶ana", "ana")).toEqual([]);
});

test("a letter whose length changes with its case does not shift a mention later in the text", () => {
  expect(mentioned("İİİ @ana, İ", "ana")).toEqual(["@ana"]);
  expect(mentioned("oi İlker", "İlker")).toEqual(["İlker"]);
  expect(mentioned("Straße, ẞ: ana", "ana")).toEqual(["ana"]);
  expect(mentioned("ΟΔΥΣΣΕΑΣ, οδυσσεας", "Οδυσσέας")).toEqual([]);
  expect(mentioned("ΟΔΥΣΣΈΑΣ, οδυσσέας", "Οδυσσέας")).toEqual(["ΟΔΥΣΣΈΑΣ", "οδυσσέας"]);
});

describe("a name as a part of a longer name or of an address", () => {
  test.each([
    "@ana-maria: can you look?",
    "ana.paula has the keys",
    "maria-ana",
    "mail ana@example.org",
    "mail bia@ana.org",
    "root@ana",
    "ana.@x",
    "#ana",
    "ana_",
    "ana...vem",
    "ana\u0303",
  ])("a name inside a longer name or an address is not mentioned: %s", (text) =>
    expect(mentioned(text, "ana")).toEqual([]),
  );

  test("a name that contains dots or dashes is mentioned if the text has the whole name", () => {
    expect(mentioned("@ana-maria, Ana-Maria. (ana-maria)", "ana-maria")).toHaveLength(3);
    expect(mentioned("ana. e ana.. mas não ana", "ana.")).toEqual(["ana.", "ana."]);
    expect(mentioned("--ana- -ana", "-ana")).toEqual(["-ana", "-ana"]);
  });
});

test.each([
  "ana.",
  "ana...",
  "ana-",
  "ana.-",
  "-ana",
  "...ana",
  "(ana)",
  "ana's",
  "ana/bia",
  "ana:",
])("a name next to dots, dashes or other signs is mentioned: %s", (text) =>
  expect(mentioned(text, "ana")).toEqual(["ana"]),
);

test("a mention includes the @ before the name, even directly after a Chinese character", () => {
  expect(mentioned("@ana, @@ana 你好@ana", "ana")).toEqual(["@ana", "@ana", "@ana"]);
});

test("an accented name is found whether the text writes the accent composed or decomposed", () => {
  expect(mentioned("bom dia Jose\u0301, tudo?", "José")).toEqual(["Jose\u0301"]);
  expect(mentioned("@JOSE\u0301-MARIA José Jose", "José")).toEqual(["José"]);
  expect(mentioned("\u1112\u1161\u11ab 한", "한")).toEqual(["\u1112\u1161\u11ab", "한"]);
});

test("in random texts, each mention that is found is the name, and a name that is a separate word is always found", () => {
  const name = fc.stringMatching(/^[aé_-][aé._-]{0,3}$/).map((one) => one.normalize("NFC"));
  const text = fc.stringMatching(/^(?:[aéeÉ @#._-]|\u0301){0,20}$/);
  fc.assert(
    fc.property(name, text, (wanted, said) => {
      for (const found of mentioned(`${said} ${wanted} ${said}`, wanted)) {
        const bare = found.replace(/^@/, "").normalize("NFC").toLowerCase();
        expect(bare).toBe(wanted.toLowerCase());
      }
      expect(mentioned(`${said} ${wanted} ${said}`, wanted)).not.toEqual([]);
    }),
  );
});
