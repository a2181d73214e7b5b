import { expect, test } from "vitest";
import { view } from "../../../src/client/core/chat-view.ts";
import { span } from "../../../src/client/core/spans.ts";
import { painted } from "../../../src/client/terminal/paint-line.ts";
import { ChatScene } from "./chat-scene.ts";

const plain = { hasColours: false, hasLinks: false };
const look = { hasColours: false, hasLinks: true };
// biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences for a terminal contain control characters
const sequence = /\x1b\]8;id=(\w+);([!-~]*)\x1b\\([^\x1b]*)\x1b\]8;;\x1b\\/g;

/** Returns all pieces of links on the screen that shows `text`, from top to bottom. */
function linked(text: string, columns = 60) {
  const scene = new ChatScene(columns, 24).start().says("geral", "bia", text);
  const lines = view(scene.model).lines.map((line) => painted(line, look));
  return lines.flatMap((line) =>
    Array.from(line.matchAll(sequence), ([, id, url, shown]) => ({ id, url, shown })),
  );
}

test("a link broken over rows has its whole address and the same id in each row", () => {
  const url = `https://example.org/${"way/".repeat(20)}end`;
  const rows = linked(`look at ${url}, ana`);
  expect(rows).toHaveLength(3);
  expect(rows.map(({ shown }) => shown).join("")).toBe(url);
  expect(new Set(rows.map((row) => row.url))).toEqual(new Set([url]));
  expect(new Set(rows.map(({ id }) => id)).size).toBe(1);
});

test("two links in one text have different ids", () => {
  const [first, second] = linked("http://a.example @eu http://b.example");
  expect([first?.shown, second?.shown]).toEqual(["http://a.example", "http://b.example"]);
  expect(first?.id).not.toBe(second?.id);
});

test("a mention within a link is drawn as part of the link", () => {
  const scene = new ChatScene(60, 24).start();
  const { me } = scene.model;
  const rows = linked(`https://example.org/${me}/photos`);
  expect(rows.map(({ shown }) => shown).join("")).toBe(`https://example.org/${me}/photos`);
  expect(new Set(rows.map(({ url }) => url)).size).toBe(1);
});

test("a link in a message ends before a control character, and the chat escapes control characters in addresses", () => {
  const [row, ...more] = linked("https://a.example/\x1b\\\x1b]8;;https://evil.example\x07", 120);
  expect(row?.url).toBe("https://a.example/");
  expect(more.map(({ url }) => url)).toEqual(["https://evil.example"]);
  const link = "https://example.org/São\x1b\\\x07 \ud800";
  expect(painted([{ ...span("x"), link }], look)).toContain(
    ";https://example.org/S%C3%A3o%1B\\%07%20%EF%BF%BD\x1b\\x\x1b]8;;\x1b\\",
  );
});

test("a link is shown as plain text if the terminal does not support links or the address is too long", () => {
  const link = "https://example.org";
  expect(painted([{ ...span(link), link }], plain)).toBe(link);
  expect(painted([{ ...span("x"), link: `${link}/${"x".repeat(2_100)}` }], look)).toBe("x");
});
