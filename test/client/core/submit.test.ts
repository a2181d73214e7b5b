import { expect, test } from "vitest";
import { textOf } from "../../../src/client/core/line-editor.ts";
import { limits } from "../../../src/protocol/limits.ts";
import { ChatScene } from "./chat-scene.ts";

const geral = { channel: "geral" };
const bia = { user: "bia" };

function chat(): ChatScene {
  const scene = new ChatScene(120, 24).start(["geral"]);
  scene.on({ type: "found", users: [], heard: {} });
  scene.effects.length = 0;
  return scene;
}

test.each([
  ["oi", [{ type: "send", target: geral, text: "oi" }]],
  ["/me acena", [{ type: "send", target: geral, text: "/me acena" }]],
  ["//x", [{ type: "send", target: geral, text: "/x" }]],
  [
    "/msg bia oi",
    [
      { type: "join", target: bia, read: undefined },
      { type: "send", target: bia, text: "oi" },
    ],
  ],
  ["/msg bia", [{ type: "join", target: bia, read: undefined }]],
  ["/join café", [{ type: "join", target: { channel: "café" }, read: undefined }]],
  ["/join geral", []],
  ["/create café", [{ type: "create", channel: "café" }]],
  ["/create geral", []],
  ["/part", [{ type: "part", channel: "geral" }]],
  ["/part #café", []],
  ["/users", [{ type: "ask", question: "users" }]],
  ["/status", [{ type: "ask", question: "status" }]],
  ["/search oi", [{ type: "search", target: geral, words: "oi" }]],
  ["/away", [{ type: "away", isAway: true }]],
  ["/lang pt-br", [{ type: "language", name: "pt-br" }]],
  ["/duel", [{ type: "duel" }]],
  [
    "/duel bia",
    [
      { type: "join", target: bia, read: undefined },
      {
        type: "send",
        target: bia,
        text: "I would like to play a match of cards with you: /duel in the chat, or tertulia duel.",
      },
      { type: "duel" },
    ],
  ],
  ["/quit", [{ type: "quit" }]],
  ["/me", []],
  ["/nothing", []],
  ["   ", []],
])("submitting %j empties the input line and asks for these effects: %j", (line, effects) => {
  const scene = chat().types(`${line}\r`);
  expect(scene.effects).toEqual(effects);
  expect(textOf(scene.model.editor)).toBe("");
});

test.each(["", "/msg bia "])("a text that is too long stays in the input line: %j", (command) => {
  const line = command + "x".repeat(limits.messageCharacters + 1);
  const scene = chat().types(`\x1b[200~${line}\x1b[201~`).types("\r");
  expect(scene.effects).toEqual([]);
  expect(textOf(scene.model.editor)).toBe(line);
  expect(scene.model.current).toBe("#geral");
  expect(scene.screen).toContain("A message may have at most 4096 characters");
});

test.each([
  ["/part", "You left #geral."],
  ["/part #café", "You are not in #café."],
  ["/mute #café", "You are not in #café."],
  ["/mute", "#geral is muted"],
  ["/away", "You are away."],
  ["/who", "Nobody is known to be online."],
  ["/links", "No message fetched so far from #geral has a link"],
  ["/msg", "Write it like this: /msg name text"],
  ["/duel a b", "Write it like this: /duel name"],
  ["/mgs", "Did you mean /msg?"],
  ["/nothing", "There is no command /nothing"],
  ["//me waves", "A text can't begin with /me and a space"],
])("the chat answers the command %s with: %s", (line, answer) => {
  expect(chat().types(`${line}\r`).screen).toContain(answer);
});

test("/who lists the users who are online, and marks those who are away", () => {
  const scene = chat();
  const users = new Map([
    ["bia" as never, "online" as const],
    ["caio" as never, "away" as const],
  ]);
  scene.on({ type: "presence", users });
  expect(scene.types("/who\r").screen).toContain("Online (2): bia, caio (away)");
});

test("/links shows each link of the open conversation once, the newest last", () => {
  const scene = chat();
  scene.says("geral", "bia", "https://b.example https://a.example");
  scene.says("geral", "bia", "https://b.example").types("/links\r");
  const [shown] = scene.effects as { lines?: readonly string[] }[];
  expect(shown?.lines?.filter((line) => line.startsWith("https"))).toEqual([
    "https://a.example",
    "https://b.example",
  ]);
});

test("after /part in the last conversation, the chat shows the home page, where no text can be sent", () => {
  const scene = chat().types("/part\r");
  expect(scene.model.current).toBe("");
  expect(scene.types("oi\r").screen).toContain("There is nobody here to write to");
  expect(textOf(scene.model.editor)).toBe("oi");
});
