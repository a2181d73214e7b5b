import { describe, expect, test } from "vitest";
import { entryLine } from "../../../src/client/core/entry-line.ts";
import { plain } from "../../../src/client/core/paint.ts";
import type { ChannelEntry } from "../../../src/protocol/publications.ts";
import { ChatScene } from "./chat-scene.ts";

/** A message that a hook writes in the name of its owner. @param names the owner's and the hook's */
function byHook(scene: ChatScene, names: readonly [string, string], text: string): ChannelEntry {
  const [user, hook] = names;
  return { ...scene.message("geral", user, text), hook: hook as never };
}

function shows(scene: ChatScene, ...entries: readonly ChannelEntry[]): ChatScene {
  return scene.on({ type: "entries", entries });
}

describe("[Q16] a message that a hook has written", () => {
  test("[Q16] the chat shows a hook's message with the owner and the hook", () => {
    const scene = new ChatScene().start();
    shows(scene, byHook(scene, ["bia", "deploy"], "build 7 failed"));
    expect(scene.screen).toContain("08:01 bia via deploy  build 7 failed\n");
  });

  test("[Q16] a hook with the name of another user is shown as its owner's, also in a narrow chat", () => {
    const long = `caio${"-".repeat(60)}`;
    for (const columns of [24, 80]) {
      const scene = new ChatScene(columns).start();
      shows(scene, byHook(scene, ["bia", "caio"], "one"), byHook(scene, ["bia", long], "two"));
      const authors = [...scene.screen.matchAll(/(?:\d\d:\d\d )?(\S+) via caio/g)];
      expect(authors.map(([, user]) => user)).toEqual(["bia", "bia"]);
    }
  });

  test("[Q16] a hook's name can't hide or reorder text, and a line of a command shows it too", () => {
    const scene = new ChatScene();
    const entry = byHook(scene, ["bia", "x\u202ey\u001b[2J\n"], "oi");
    const line = entryLine(entry, { paint: plain, zoneMinutes: () => 0 });
    expect(line).toBe("2026-01-31 08:01:00 bia via x<U+202E>y␛[2J␊: oi");
    shows(scene.start(), entry);
    for (const hidden of ["\u202e", "\u001b"]) expect(scene.screen).not.toContain(hidden);
  });

  test("[Q16] what a person's own hook writes is unread, has no mark of a receipt, and may mention the person", () => {
    const scene = new ChatScene().start(["geral"]).join("café");
    scene.types("\x1b2\x1b3");
    const away = scene.model.current === "#geral" ? "café" : "geral";
    const entry = { ...byHook(scene, ["ana", "deploy"], "ana: it failed"), channel: away as never };
    shows(scene, entry);
    const there = scene.model.conversations.find(({ key }) => key === `#${away}`);
    expect(there).toMatchObject({ unread: 1, mentions: 1 });
    const here = new ChatScene().start();
    shows(here, byHook(here, ["ana", "deploy"], "done"), here.message("geral", "ana", "ok"));
    expect(here.screen).toContain("ana via deploy  done\n");
    expect(here.screen).toContain("ana  ok ✓\n");
  });

  test("[Q16] equal texts under one id, of a person and of their hook, are two messages", () => {
    const scene = new ChatScene().start();
    const own = scene.message("geral", "bia", "same");
    const other = { ...byHook(scene, ["bia", "deploy"], "same"), id: own.id };
    shows(scene, own, other);
    expect(scene.screen).toMatch(/bia {2}same\n.*bia via deploy {2}same\n/);
  });
});
