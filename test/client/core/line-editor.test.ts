import { expect, test } from "vitest";
import { decodeKeys } from "../../../src/client/core/keys.ts";
import { edit, emptyEditor, submitted, textOf } from "../../../src/client/core/line-editor.ts";

/** Returns the text after the keys of `input`, with the cursor shown as a bar. */
function typed(input: string, from = emptyEditor): string {
  return shown(keyed(input, from));
}

function keyed(input: string, from = emptyEditor) {
  return decodeKeys(input, true).keys.reduce((editor, key) => edit(editor, key) ?? editor, from);
}

function shown({ graphemes: parts, cursor }: typeof emptyEditor): string {
  return `${parts.slice(0, cursor).join("")}|${parts.slice(cursor).join("")}`;
}

const [left, right, up, down] = ["\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B"];

test("the cursor of the input line moves and deletes by whole characters (graphemes)", () => {
  expect(typed(`ação${left}${left}`)).toBe("aç|ão");
  expect(typed(`família 👨‍👩‍👧‍👦${left}`)).toBe("família |👨‍👩‍👧‍👦");
  expect(typed("e\u0301\x7f")).toBe("|");
  expect(typed(`漢字${left}\x7f`)).toBe("|字");
  // An emoji that is typed in two code points becomes one character.
  expect(keyed("👍🏽").graphemes).toHaveLength(1);
  expect(edit(keyed("👍"), { name: "text", text: "🏽" })?.cursor).toBe(1);
});

test("keys move the cursor of the input line by words and lines", () => {
  expect(typed("um dois três\x01x")).toBe("x|um dois três");
  expect(typed("um dois\x01\x05x")).toBe("um doisx|");
  expect(typed("um dois\x1bb")).toBe("um |dois");
  expect(typed("um dois\x01\x1bf")).toBe("um| dois");
  expect(typed("um dois\x1b[1;5D")).toBe("um |dois");
  expect(typed(`um\x1b\rdois${up}`)).toBe("um|\ndois");
  expect(typed(`um\x1b\rdois\x01${up}${down}`)).toBe("um\n|dois");
});

test("Ctrl-W, Ctrl-U and Alt-D cut text of the input line, and Ctrl-Y pastes it", () => {
  expect(typed("um dois\x17")).toBe("um |");
  expect(typed("um dois\x17\x19\x19")).toBe("um doisdois|");
  expect(typed("um dois\x15")).toBe("|");
  expect(typed("um dois\x01\x1bd")).toBe("| dois");
  expect(typed(`um dois\x01${right}\x1b[3~`)).toBe("u| dois");
});

test("↑ and ↓ show the submitted texts, and ↓ at the newest submitted text shows the draft", () => {
  const twice = submitted(keyed("dois", submitted(keyed("um"))));
  expect(typed(`três${up}`, twice)).toBe("dois|");
  expect(typed(`três${up}${up}${up}`, twice)).toBe("um|");
  expect(typed(`três${up}${up}${down}${down}${down}`, twice)).toBe("três|");
  expect(textOf(submitted(twice))).toBe("");
});
