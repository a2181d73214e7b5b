import { expect, test } from "vitest";
import { beginning, type ChatModel, currentOf } from "../../../src/client/core/chat-model.ts";
import { textOf } from "../../../src/client/core/line-editor.ts";
import { parseTarget, type Target } from "../../../src/client/core/target.ts";
import { type PageEvent, updatePage } from "../../../src/gateway/web/core/page-update.ts";
import { retryDelay } from "../../../src/gateway/web/core/retry-delay.ts";
import type { ChannelName, ServerName, UserName } from "../../../src/protocol/ids.ts";
import type { Entry } from "../../../src/protocol/publications.ts";
import { textsIn } from "../../../src/texts/texts.ts";

const server = "server_00000001" as ServerName;
const geral = parseTarget("#geral") as Target;

function entry(seq: number, message: string): Entry {
  const timestamp = new Date(seq * 1_000).toISOString();
  const place = { server, seq, clock: seq, timestamp, id: `id${seq}` };
  return { channel: "geral" as ChannelName, user: "bia" as UserName, message, ...place };
}

/** A chat in #geral with two messages, after further events. */
function after(...events: readonly PageEvent[]): { chat: ChatModel; effects: string[] } {
  const first: readonly PageEvent[] = [
    { type: "opened", target: geral },
    { type: "joined", target: geral, entries: [entry(1, "one"), entry(2, "two")], next: "1:x" },
    { type: "found", users: [], heard: {} },
  ];
  const effects: string[] = [];
  let chat = beginning({
    me: "ana" as UserName,
    words: textsIn("en"),
    language: "en",
    size: { columns: 80, rows: 24 },
    nowMs: 0,
    zoneMinutes: () => 0,
  });
  for (const event of [...first, ...events]) {
    const step = updatePage(chat, event);
    chat = step.model;
    effects.push(...step.effects.map(({ type }) => type));
  }
  return { chat, effects };
}

test("[G31] what arrives while the person does not look stays unread until they look", () => {
  const heard: PageEvent = { type: "entries", entries: [entry(3, "three")] };
  const away = after({ type: "looks", isAtEnd: false }, heard);
  expect(currentOf(away.chat)).toMatchObject({ unread: 1 });
  const back = after({ type: "looks", isAtEnd: false }, heard, { type: "looks", isAtEnd: true });
  expect(currentOf(back.chat)).toMatchObject({ unread: 0, firstNew: "bia\0id3\0three" });
});

test("[G31] what another tab has read counts as read", () => {
  const heard: PageEvent = { type: "entries", entries: [entry(3, "three")] };
  const read = { "#geral": { [server]: 3 } };
  const { chat } = after({ type: "looks", isAtEnd: false }, heard, { type: "readElsewhere", read });
  expect(currentOf(chat)).toMatchObject({ unread: 0, read: { [server]: 3 } });
});

test("[G34] a gap is a line between the messages before it and those after it", () => {
  const { chat } = after(
    { type: "gap", key: "#geral" },
    { type: "entries", entries: [entry(9, "nine")] },
  );
  const kinds = currentOf(chat).items.map((item) =>
    item.kind === "message" ? item.text : item.kind,
  );
  expect(kinds).toEqual(["one", "two", "notice", "nine"]);
});

test("[G31] an older page is asked for once, until it comes", () => {
  const { effects } = after({ type: "wantsOlder" }, { type: "wantsOlder" });
  expect(effects.filter((type) => type === "fetch")).toHaveLength(1);
});

test("a line is sent to the open conversation, and a command that needs a terminal is explained", () => {
  const sent = after({ type: "written", text: "hello" }, { type: "submitted" });
  expect(sent.effects).toContain("send");
  expect(textOf(sent.chat.editor)).toBe("");
  const quit = after({ type: "written", text: "/quit" }, { type: "submitted" });
  expect(quit.effects).not.toContain("quit");
  expect(currentOf(quit.chat).items.at(-1)).toMatchObject({ kind: "notice" });
});

test("[G33] the time to the next try doubles up to 15 s, and half of it is random", () => {
  expect([1, 2, 3, 4, 5, 6, 60].map((failures) => retryDelay(failures, 1))).toEqual([
    500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000,
  ]);
  expect(retryDelay(2, 0)).toBe(500);
});
