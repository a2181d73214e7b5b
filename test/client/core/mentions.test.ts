import { expect, test } from "vitest";
import { mentionsOf } from "../../../src/client/core/mentions.ts";

function mentioned(text: string, name: string): string[] {
  return mentionsOf(text, name).map(({ from, to }) => text.slice(from, to));
}

test("a name is found where it stands alone, in whatever case", () => {
  expect(mentioned("ana, banana, @ANA. ana_ a Ana", "ana")).toEqual(["ana", "@ANA", "Ana"]);
  expect(mentioned("zé? Zé! JOSÉ", "zé")).toEqual(["zé", "Zé"]);
  expect(mentioned("ana.b anaxb", "ana.b")).toEqual(["ana.b"]);
  expect(mentioned("an\u0061\u0303 𝒶ana", "ana")).toEqual([]);
});

test("a letter that grows with its case shifts nothing", () => {
  expect(mentioned("İİİ @ana, İ", "ana")).toEqual(["@ana"]);
  expect(mentioned("oi İlker", "İlker")).toEqual(["İlker"]);
  expect(mentioned("Straße, ẞ: ana", "ana")).toEqual(["ana"]);
});
