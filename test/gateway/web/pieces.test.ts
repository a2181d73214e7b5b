import fc from "fast-check";
import { expect, test } from "vitest";
import { piecesOf } from "../../../src/gateway/web/core/pieces.ts";
import { hostileTexts } from "../../web/hostile-texts.ts";

test("[G35] a text is divided into plain text, links and mentions of the reader", () => {
  expect(piecesOf("Oi @ana, veja https://example.org/ana.", "ana")).toEqual([
    { text: "Oi ", isMention: false },
    { text: "@ana", isMention: true },
    { text: ", veja ", isMention: false },
    { text: "https://example.org/", isMention: false, link: "https://example.org/ana" },
    { text: "ana", isMention: true, link: "https://example.org/ana" },
    { text: ".", isMention: false },
  ]);
  expect(piecesOf("ana", undefined)).toEqual([{ text: "ana", isMention: false }]);
});

test("[G35] only addresses of the web become links, whatever the text", () => {
  const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom(...hostileTexts));
  fc.assert(
    fc.property(fc.array(text), (texts) => {
      for (const { link } of piecesOf(texts.join(" "), "ana")) {
        if (link === undefined) continue;
        expect(link).toMatch(/^https?:\/\//i);
        expect(["http:", "https:"]).toContain(new URL(link, "https://own.example/").protocol);
      }
    }),
  );
});

test("[G35] signs replace the characters that reorder or hide text; lines and tabs stay", () => {
  const shown = (text: string) =>
    piecesOf(text, undefined)
      .map((piece) => piece.text)
      .join("");
  expect(shown("one\n\ttwo\u202eeno\u0000")).toBe("one\n\ttwo<U+202E>eno␀");
});
