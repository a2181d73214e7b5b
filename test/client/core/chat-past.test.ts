import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { currentOf } from "../../../src/client/core/chat-model.ts";
import { mostItems } from "../../../src/client/core/message-list.ts";
import { savedOf } from "../../../src/client/core/saved-chat.ts";
import { ChatScene } from "./chat-scene.ts";

describe("the past of a conversation", () => {
  function long(): ChatScene {
    const scene = new ChatScene(80, 12).start([]);
    const all = Array.from({ length: 100 }, (_, at) => scene.message("geral", "bia", `m${at}`));
    return scene
      .on({ type: "started", saved: savedOf(scene.model), channels: ["geral"] })
      .types("/join geral\r")
      .join("geral", all.slice(50), "50:server_0a1b2c3d")
      .on({ type: "tick", nowMs: 0 });
  }

  test("while the person pages up, the chat fetches older messages before the oldest loaded message is on the screen", () => {
    const scene = long();
    expect(scene.screen).toContain("m99");
    const before = scene.effects.length;
    for (let page = 0; page < 5; page += 1) scene.types("\x1b[5~");
    const target = { channel: "geral" };
    expect(scene.effects.slice(before)).toEqual([
      { type: "fetch", target, before: "50:server_0a1b2c3d" },
    ]);
    const again = new ChatScene();
    const older = Array.from({ length: 50 }, (_, at) => again.message("geral", "bia", `m${at}`));
    const place = "50:server_0a1b2c3d";
    scene.on({ type: "older", key: "#geral", before: place, entries: older, next: undefined });
    const shown = () => scene.screen.match(/bia.*/g);
    const was = shown();
    scene.says("geral", "caio", "news");
    expect(shown()).toEqual(was);
    expect(scene.screen).toContain("PgDn: 1 newer");
    for (let page = 0; page < 20; page += 1) scene.types("\x1b[5~");
    expect(scene.screen).toContain("m0\n");
    for (let page = 0; page < 30; page += 1) scene.types("\x1b[6~");
    expect(scene.screen).toContain("caio  news");
    expect(scene.screen).not.toContain("PgDn");
  });

  test("a chat keeps an unsent text with its conversation, and never sends it in another conversation", () => {
    const scene = new ChatScene().start(["geral", "cafe"]);
    const was = scene.model.current;
    const other = was === "#geral" ? "#cafe" : "#geral";
    scene.types("for here only");
    const goesTo = (key: string) => {
      for (let number = 1; number <= 2; number += 1) {
        if (scene.model.current !== key) scene.types(`\x1b${number}`);
      }
      expect(scene.model.current).toBe(key);
    };
    goesTo(other);
    expect(scene.screen).not.toContain("for here only");
    scene.types("\r");
    goesTo(was);
    expect(scene.screen).toContain("for here only");
    expect(scene.effects.filter((effect) => "type" in effect && effect.type === "send")).toEqual(
      [],
    );
  });

  test("a closed private conversation shows its earlier messages again when the person opens it again", () => {
    const scene = new ChatScene().start().types("/msg bia\r");
    const target = { user: "bia" as never };
    const entries = [scene.privately("bia", "ana", "psst")];
    scene.on({ type: "joined", target, entries, next: undefined });
    scene.types("/part\r/msg bia\r");
    const read = { server_0a1b2c3d: 1 };
    expect(scene.effects.at(-1)).toEqual({ type: "join", target, read });
    expect(scene.screen).toContain("── fetching messages …");
    expect(scene.screen).not.toContain("the beginning");
    scene.on({ type: "joined", target, entries, next: undefined });
    expect(scene.screen).toMatch(/the beginning(.*\n)*.*bia {2}psst/);
    // An answer that arrives after the conversation was closed does not reopen it.
    scene.types("/part\r").on({ type: "joined", target, entries, next: undefined });
    expect(scene.screen).not.toContain("│ @bia");
    // A message from the other user reopens the conversation.
    scene.on({ type: "entries", entries: [scene.privately("bia", "ana", "you?")] });
    expect(scene.effects.at(-1)).toEqual({ type: "join", target, read });
    scene.on({ type: "joined", target, entries, next: "1:server_0a1b2c3d" });
    expect(scene.model.conversations.at(-1)).toMatchObject({ unread: 1, items: [{}, {}] });
  });

  test("a text begun before any conversation opened stays in the input line of the first conversation", () => {
    const scene = new ChatScene().types("hello every").start(["geral"]).types("body");
    expect(scene.screen).toContain("› hello everybody");
  });

  test("a text typed while the chat joins a channel is not sent if the channel turns out not to exist", () => {
    const scene = new ChatScene().start(["geral"]).types("/join #nope\rto nobody el");
    scene.on({ type: "notJoined", channel: "nope" as never, why: "No such channel." });
    const before = scene.effects.length;
    expect(scene.types("se\r").screen).toContain("› to nobody else");
    expect(scene.screen).toContain("No such channel.");
    expect(scene.effects).toHaveLength(before);
    expect(scene.types("\x1b1").model.current).toBe("#geral");
    expect(scene.screen).toContain("› to nobody else");
  });

  test("↑ still recalls a draft after a recalled text was sent, and Ctrl-Y pastes text cut in another conversation", () => {
    const scene = new ChatScene().start(["geral", "cafe"]).types("first\rdraft\x1b[A!");
    expect(scene.screen).toContain("› first!");
    expect(scene.types("\r\x1b[A\x1b[A").screen).toContain("› draft");
    const other = scene.model.current === "#geral" ? "\x1b1" : "\x1b2";
    expect(scene.types(`\x15cut this\x15${other}\x19`).screen).toContain("› cut this");
  });

  test("a chat drops a page of older messages if a gap remains between this page and the chat's oldest message", () => {
    const scene = long();
    const was = currentOf(scene.model);
    const again = new ChatScene();
    const entries = Array.from({ length: 10 }, (_, at) => again.message("geral", "bia", `o${at}`));
    const before = "10:server_0a1b2c3d";
    scene.on({ type: "older", key: "#geral", before, entries, next: undefined });
    const { items, older, isFetching } = currentOf(scene.model);
    expect({ items, older }).toEqual({ items: was.items, older: was.older });
    expect(isFetching).toBe(false);
  });

  test("a chat drops the oldest messages of a long conversation, and stores from which place to fetch them again", () => {
    const scene = new ChatScene().start();
    for (let at = 0; at < 3 * mostItems; at += 1) scene.says("geral", "bia", `m${at}`);
    const { items, older } = currentOf(scene.model);
    expect(items.length).toBeLessThan(1.2 * mostItems);
    expect(older).toMatch(/^\d+:server_0a1b2c3d$/);
  });

  test("a conversation shows each message once, in the total order", () => {
    const scene = new ChatScene().start();
    const entries = Array.from({ length: 9 }, (_, at) => scene.message("geral", "bia", `m${at}`));
    fc.assert(
      fc.property(fc.shuffledSubarray([...entries, ...entries], { minLength: 18 }), (shuffled) => {
        const other = new ChatScene().start();
        for (const entry of shuffled) other.on({ type: "entries", entries: [entry] });
        const texts = currentOf(other.model).items.flatMap((item) =>
          item.kind === "message" ? item.text : [],
        );
        expect(texts).toEqual(entries.map(({ message }) => message));
      }),
    );
  });
});
