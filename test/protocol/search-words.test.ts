import fc from "fast-check";
import { expect, test } from "vitest";
import { matcherOf, readTerms, writeTerms } from "../../src/protocol/search-words.ts";

const finds = (words: string, text: string) => matcherOf(readTerms(words))(text);

test.each([
  ["bom dia", "Dia, bom demais", true],
  ["bom dia", "bom", false],
  ["AÇÃO", "uma ação às 10h", true],
  ["acao", "uma ação", false],
  ["dia", "diária", false],
  ['"bom dia"', "um bom  dia!", true],
  ['"bom dia"', "dia bom", false],
  ["“bom dia”", "bom dia", true],
  ['"bom dia', "dia bom", false],
  ["well-known", "a well known bug", true],
  ["well-known", "known well", false],
  ["bom -dia", "bom", true],
  ["bom -dia", "bom dia", false],
  ['bom -"dia todo"', "bom dia", true],
  ['bom -"dia todo"', "bom: dia todo", false],
  ["C++", "c", true],
  ["日本", "日本", true],
  ["bom 🎉", "bom", true],
  ["bom or dia", "bom dia", false],
])("[Q31] the words %j in the text %j: %j", (words, text, isFound) => {
  expect(finds(words, text)).toBe(isFound);
});

test("[Q31] what is searched keeps its meaning when it is written with quotation marks", () => {
  const words = fc.array(fc.constantFrom("a", "B", "-", '"', " ", "é", "“", "”", "\0", "9", "."));
  fc.assert(
    fc.property(words, (parts) => {
      const terms = readTerms(parts.join(""));
      expect(readTerms(writeTerms(terms))).toEqual(terms);
    }),
  );
});
