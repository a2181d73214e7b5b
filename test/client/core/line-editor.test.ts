import { expect, test } from "vitest";
import { cellsOf, cut, graphemes, wrap } from "../../../src/client/core/cells.ts";
import { decodeKeys } from "../../../src/client/core/keys.ts";
import { edit, emptyEditor, submitted, textOf } from "../../../src/client/core/line-editor.ts";

/** The text after these keys, with the cursor as a bar. */
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

test("keys move by what a person sees as one character", () => {
  expect(typed(`ação${left}${left}`)).toBe("aç|ão");
  expect(typed(`família 👨‍👩‍👧‍👦${left}`)).toBe("família |👨‍👩‍👧‍👦");
  expect(typed("e\u0301\x7f")).toBe("|");
  expect(typed(`漢字${left}\x7f`)).toBe("|字");
  // What is typed in two pieces joins.
  expect(keyed("👍🏽").graphemes).toHaveLength(1);
  expect(edit(keyed("👍"), { name: "text", text: "🏽" })?.cursor).toBe(1);
});

test("motions go by words and lines", () => {
  expect(typed("um dois três\x01x")).toBe("x|um dois três");
  expect(typed("um dois\x01\x05x")).toBe("um doisx|");
  expect(typed("um dois\x1bb")).toBe("um |dois");
  expect(typed("um dois\x01\x1bf")).toBe("um| dois");
  expect(typed("um dois\x1b[1;5D")).toBe("um |dois");
  expect(typed(`um\x1b\rdois${up}`)).toBe("um|\ndois");
  expect(typed(`um\x1b\rdois\x01${up}${down}`)).toBe("um\n|dois");
});

test("what is cut comes back", () => {
  expect(typed("um dois\x17")).toBe("um |");
  expect(typed("um dois\x17\x19\x19")).toBe("um doisdois|");
  expect(typed("um dois\x15")).toBe("|");
  expect(typed("um dois\x01\x1bd")).toBe("| dois");
  expect(typed(`um dois\x01${right}\x1b[3~`)).toBe("u| dois");
});

test("older texts come back, and the draft after them", () => {
  const twice = submitted(keyed("dois", submitted(keyed("um"))));
  expect(typed(`três${up}`, twice)).toBe("dois|");
  expect(typed(`três${up}${up}${up}`, twice)).toBe("um|");
  expect(typed(`três${up}${up}${down}${down}${down}`, twice)).toBe("três|");
  expect(textOf(submitted(twice))).toBe("");
});

test("a paste keeps its lines, and sends nothing", () => {
  const { keys } = decodeKeys("\x1b[200~um\r\ndois\x1b[201~\r");
  expect(keys).toEqual([{ name: "paste", text: "um\ndois" }, { name: "enter" }]);
  // Nor does one that comes in pieces.
  const half = decodeKeys("\x1b[200~um\rdo");
  expect(half.keys).toEqual([]);
  expect(decodeKeys(`${half.rest}is\x1b[201~`).keys).toEqual([{ name: "paste", text: "um\ndois" }]);
});

test("a sequence that comes in pieces is one key; a lone escape is Esc", () => {
  expect(decodeKeys("\x1b[5")).toEqual({ keys: [], rest: "\x1b[5" });
  expect(decodeKeys("\x1b[5~").keys).toEqual([{ name: "pageUp" }]);
  expect(decodeKeys("\x1b", true).keys).toEqual([{ name: "escape" }]);
  expect(decodeKeys("\x1b1").keys).toEqual([{ name: "text", text: "1", alt: true }]);
  expect(decodeKeys("\x1b[1;3A").keys).toEqual([{ name: "up", alt: true }]);
  expect(decodeKeys("\x1b[99;1q").keys).toEqual([{ name: "unknown" }]);
});

test.each([
  ["a mouse's click, as xterm first told it", "\x1b[M !!"],
  ["the same beyond column 95", "\x1b[M \u00e0\r"],
  ["a mouse's click, as it is told now", "\x1b[<0;35;12M"],
  ["its end", "\x1b[<0;35;12m"],
  ["a mouse's click, as urxvt tells it", "\x1b[32;35;12M"],
  ["the focus", "\x1b[I"],
  ["what terminal it is", "\x1b[?62;22c"],
  ["where the cursor is, and more", "\x1b[?1;2$y"],
  ["a function key of the console", "\x1b[[A"],
  ["a function key", "\x1bOP"],
  ["a colour, up to BEL", "\x1b]11;rgb:0000/0000/0000\x07"],
  ["a colour, up to ST", "\x1b]11;rgb:0000/0000/0000\x1b\\"],
  ["a name and version", "\x1bP>|xterm(390)\x1b\\"],
])("%s types nothing, in how many pieces it may come", (_what, sequence) => {
  expect(decodeKeys(`${sequence}x`).keys).toEqual([
    { name: "unknown" },
    { name: "text", text: "x" },
  ]);
  for (let at = 1; at < sequence.length; at += 1) {
    expect(decodeKeys(sequence.slice(0, at))).toEqual({ keys: [], rest: sequence.slice(0, at) });
  }
});

test("what nothing more comes of is a key with Alt, or nothing", () => {
  expect(decodeKeys("\x1bP", true).keys).toEqual([{ name: "text", text: "P", alt: true }]);
  expect(decodeKeys("\x1bO\r").keys).toEqual([
    { name: "text", text: "O", alt: true },
    { name: "enter" },
  ]);
  expect(decodeKeys("\x1b[<0;35", true)).toEqual({ keys: [{ name: "unknown" }], rest: "" });
  expect(decodeKeys("\x1bOM").keys).toEqual([{ name: "enter" }]);
});

test("texts are measured and broken by cells", () => {
  expect(cellsOf("漢字🙂é")).toBe(7);
  expect(cut("漢字かな", 5)).toBe("漢字…");
  expect(wrap("um dois três", 8, 5)).toEqual(["um dois", "três"]);
  expect(wrap("umapalavralonga", 6, 4)).toEqual(["umapal", "avra", "long", "a"]);
  expect(wrap("", 8, 8)).toEqual([""]);
  expect(graphemes(`a${"\u0301".repeat(500)}`)[0]?.length).toBe(16);
});
