import fc from "fast-check";
import { expect, test } from "vitest";
import { view } from "../../../src/client/core/chat-view.ts";
import { ChatScene } from "./chat-scene.ts";

test("the chat does not send a mistyped command, and suggests a known one", () => {
  const scene = new ChatScene().start().types("/jion #x\r");
  expect(scene.effects).toEqual([{ type: "join", target: { channel: "geral" }, read: undefined }]);
  expect(scene.screen).toContain("Did you");
});

test("/history with a number explains that /history goes back by pages in the full-screen chat", () => {
  const scene = new ChatScene(80, 24).start().types("/history 20\r");
  expect(scene.screen).toContain("Here /history goes back a page, as PgUp does");
});

test.each([
  [
    "en",
    "Found in #geral (1): oi",
    "Found in #geral (the newest 1): oi",
    "Found nothing in @bia: oi",
  ],
  [
    "pt-br",
    "Achado em #geral (1): oi",
    "Achado em #geral (os 1 mais novos): oi",
    "Nada achado em @bia: oi",
  ],
] as const)(
  "[Q31] the chat in %s shows what a search has found, with times",
  (language, ...told) => {
    const scene = new ChatScene(80, 24, language).start();
    const entry = {
      ...{ channel: "geral", user: "bia", message: "oi, gente", id: "1" },
      ...{ server: "server_0a1b2c3d", seq: 1, clock: 1, timestamp: "2026-01-30T07:00:00.000Z" },
    } as never;
    const found = { type: "searched", target: { channel: "geral" as never }, words: "oi" } as const;
    scene.on({ ...found, entries: [entry], isCut: false });
    expect(scene.screen).toContain(told[0]);
    expect(scene.screen).toContain("2026-01-30 07:00:00 bia: oi, gente");
    expect(scene.on({ ...found, entries: [entry], isCut: true }).screen).toContain(told[1]);
    const none = { ...found, target: { user: "bia" as never }, entries: [], isCut: false };
    expect(scene.on(none).screen).toContain(told[2]);
  },
);

test("Tab in the input line completes commands, names and channels", () => {
  const scene = new ChatScene(80, 24).start(["geral", "café"]).says("geral", "bia", "oi");
  scene.on({ type: "names", users: ["ana", "bento", "bia"] });
  expect(scene.types("/jo\t").screen).toContain("› /join");
  expect(scene.types("c\t").screen).toContain("› /join #café");
  expect(scene.types("\x15oi b\t").screen).toContain("› oi @bia");
  expect(scene.types("\t").screen).toContain("› oi @bento");
  expect(scene.types("\t").screen).toContain("› oi @bia");
  expect(scene.types("\x15veja #c\t").screen).toContain("› veja #café");
});

test("Ctrl-C clears the line and keeps the text for ↑; Ctrl-C twice on an empty line quits the chat", () => {
  const scene = new ChatScene().start().types("half\x03");
  expect(scene.screen).not.toContain("half");
  expect(scene.types("\x1b[A").screen).toContain("› half");
  expect(scene.types("\x03").screen).not.toContain("half");
  expect(scene.types("\x03").screen).toContain("Press Ctrl-C again to quit.");
  expect(scene.types("\x03").effects.at(-1)).toEqual({ type: "quit" });
});

test("turning the mouse wheel does not close the chat's help", () => {
  const help = new ChatScene().start().types("/help\r");
  expect(help.types("\x1b[<64;35;12M").screen).toContain("Keys and commands");
});

test("Esc and a key directly after Esc are read as two keys, unless they form a known key with Alt", () => {
  const scene = new ChatScene().start().types("/help\r");
  expect(scene.screen).toContain("Keys and commands");
  expect(scene.types("\x1b/time\r").effects.at(-1)).toEqual({ type: "ask", question: "time" });
});

test("after 4 s, the chat hides the hint that a second Ctrl-C quits, and the next Ctrl-C does not quit the chat", () => {
  const scene = new ChatScene().start().types("\x03");
  expect(scene.screen).toContain("Press Ctrl-C again to quit.");
  scene.on({ type: "tick", nowMs: scene.model.nowMs + 4_000 });
  expect(scene.screen).not.toContain("Press Ctrl-C again to quit.");
  expect(scene.types("\x03").effects).not.toContainEqual({ type: "quit" });
});

test("a notice that the person did not ask for does not scroll a chat that shows older messages", () => {
  const scene = new ChatScene().start();
  for (let number = 0; number < 60; number += 1) scene.says("geral", "bia", `m${number}`);
  scene.types("\x0bzo").join("geral");
  expect(scene.screen).toContain("Go to");
  scene.types("\x1b\x1b[5~");
  const { screen } = scene;
  scene.on({ type: "notice", lines: ["No keys."], isProblem: true, isAside: true });
  expect(scene.screen).toBe(screen);
  scene.on({ type: "notice", lines: ["Users (1): ana"] });
  expect(scene.screen).toMatch(/No keys\.\n.*Users \(1\): ana/);
});

test("Ctrl-K in the help opens the quick switch, even directly after Esc", () => {
  for (const keys of ["\x0b", "\x1b\x0b"]) {
    const scene = new ChatScene().start().types("/help\r").types(keys);
    expect(scene.screen).toContain("Go to");
    expect(scene.types("x\x0b").screen).not.toContain("Go to");
  }
});

test("/lang asks for a change of the chat's language", () => {
  const scene = new ChatScene().start().types("/lang pt-br\r");
  expect(scene.effects.at(-1)).toEqual({ type: "language", name: "pt-br" });
});

test("random keys and random received texts put no control character on the chat's screen", () => {
  const input = fc.array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 8 }),
      fc.constantFrom("\x1b[5~", "\x1b[6~", "\x0b", "\r", "\t", "\x1b", "/help\r", "\x1b1", "\x17"),
    ),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(input, fc.string({ unit: "binary" }), (keys, text) => {
      const scene = new ChatScene(40, 10).start();
      for (const key of keys) scene.types(key).says("geral", "mau", text);
      for (const line of view(scene.model).lines) {
        for (const span of line) expect(span.text).not.toMatch(/\p{Cc}/u);
      }
    }),
    { numRuns: 200 },
  );
});
