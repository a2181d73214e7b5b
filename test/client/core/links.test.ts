import { expect, test } from "vitest";
import { linksIn, linksOfTexts } from "../../../src/client/core/links.ts";
import { ChatScene } from "./chat-scene.ts";

const found = (text: string) => linksIn(text).map(({ url }) => url);

test.each([
  ["see http://example.org.", ["http://example.org"]],
  ["(https://example.org/a_(b)), or", ["https://example.org/a_(b)"]],
  ["“https://example.org/?q=a&b=c#d”!", ["https://example.org/?q=a&b=c#d"]],
  ["<HTTPS://Example.org/São_Paulo>", ["HTTPS://Example.org/São_Paulo"]],
  ["http://[::1]:8080/ and https://b.example", ["http://[::1]:8080/", "https://b.example"]],
  ["https://example.org/a\u202ehttps://b.example", ["https://example.org/a", "https://b.example"]],
  ["https://a.example\u241b]8;;", ["https://a.example"]],
  ["http:// https://... xhttp://a.example ftp://a.example javascript:alert(1)", []],
])("`linksIn` finds in the text %j exactly these links: %j", (text, links) => {
  expect(found(text)).toEqual(links);
});

test("if several messages contain the same link, /links lists the link once, at the newest message's place", () => {
  const texts = [
    "/me reads http://a.example",
    "http://b.example\nhttp://c.example",
    "http://a.example",
  ];
  expect(linksOfTexts(texts)).toEqual(["http://b.example", "http://c.example", "http://a.example"]);
});

test("/links shows only the links of the open conversation, below a heading in the person's language", () => {
  const scene = new ChatScene(80, 24, "pt-br").start().join("café");
  scene.says("geral", "bia", "http://a.example").says("café", "bia", "http://b.example");
  scene.types("/links\r");
  const lines = ["Links em #geral, o mais novo por último:", "", "http://a.example", ""];
  const effect = { type: "show", lines: [...lines, "Enter volta ao chat."] };
  expect(scene.effects.at(-1)).toEqual(effect);
});
