import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describe as describeError } from "../../../src/client/commands/failure.ts";
import { currentOf, nothingSaved } from "../../../src/client/core/chat-model.ts";
import { view } from "../../../src/client/core/chat-view.ts";
import { mostItems } from "../../../src/client/core/message-list.ts";
import type { Outgoing } from "../../../src/client/core/outgoing.ts";
import { savedOf } from "../../../src/client/core/saved-chat.ts";
import { ProtocolError } from "../../../src/protocol/errors.ts";
import type { ServerName } from "../../../src/protocol/ids.ts";
import { textsIn } from "../../../src/texts/texts.ts";
import { ChatScene } from "./chat-scene.ts";

const café = { channel: "café" as never };

const outgoing = (id: string, text: string): Outgoing => ({
  id: id as never,
  user: "ana" as never,
  target: { channel: "geral" as never },
  text,
  atMs: Date.parse("2026-01-31T08:30:00Z"),
});

describe("unread", () => {
  test("is counted where the person is not, and mentions apart", () => {
    const scene = new ChatScene().start(["geral"]).join("café");
    scene.says("café", "bia", "oi").says("café", "bia", "Ana!").says("geral", "bia", "bom dia");
    const [here, there] = scene.model.conversations.slice(1);
    expect(here).toMatchObject({ key: "#geral", unread: 0, mentions: 0 });
    expect(there).toMatchObject({ key: "#café", unread: 2, mentions: 1 });
    scene.types("\x1ba");
    expect(scene.model.current).toBe("#café");
    expect(currentOf(scene.model)).toMatchObject({ unread: 0, mentions: 0 });
    expect(scene.screen).toContain("new since you left");
    // The line goes when the person does.
    expect(scene.types("\x1b1\x1b2").screen).not.toContain("new since you left");
  });

  test("goes on where an earlier chat was left", () => {
    const first = new ChatScene().start(["geral"]);
    first.says("geral", "bia", "read");
    const saved = savedOf(first.model);
    const entries = [
      first.message("geral", "bia", "while away"),
      first.message("geral", "ana", "me"),
    ];
    const second = new ChatScene().on({ type: "started", saved, channels: ["geral"] });
    second.join("geral", entries);
    expect(second.screen).toMatch(/── new since you left ─+\n.*bia {2}while away/);
  });

  test("takes a person to the first channel who has only read by lines so far", () => {
    const saved = { ...nothingSaved, read: { "@bia": {} } };
    const scene = new ChatScene().on({ type: "started", saved, channels: ["geral"] });
    expect(scene.model.current).toBe("#geral");
  });

  test("says in the person's language how a command is written", () => {
    const scene = new ChatScene(80, 24, "pt-br").start();
    expect(scene.types("/msg\r").screen).toContain("Escreva assim: /msg nome texto");
  });

  test("brings back a private conversation that was closed", () => {
    const first = new ChatScene().start();
    const target = { user: "bia" as never };
    first.on({ type: "found", users: [target.user], heard: {} });
    expect(first.effects.at(-1)).toEqual({ type: "join", target, read: undefined });
    const old = first.privately("bia", "ana", "psst");
    first.on({ type: "joined", target, entries: [old], next: undefined }).types("\x1b2/part\r");
    const saved = savedOf(first.model);
    expect(saved.closed).toEqual(["@bia"]);
    const second = new ChatScene().start(["geral"], saved);
    expect(second.screen).not.toContain("@bia");
    second.on({ type: "found", users: [target.user], heard: {} });
    const entries = [old, first.privately("bia", "ana", "there?")];
    second.on({ type: "joined", target, entries, next: undefined });
    expect(second.model.conversations.at(-1)).toMatchObject({ key: "@bia", unread: 1 });
  });

  test("[R6] counts what two servers wrote once", () => {
    const scene = new ChatScene().start(["geral"]);
    const first = { ...scene.message("café", "bia", "ana?"), id: "b" };
    const twin = { ...scene.message("café", "bia", "ana?"), id: "b" };
    scene.join("café", [first]).on({ type: "entries", entries: [twin] });
    expect(scene.model.conversations.at(-1)).toMatchObject({ unread: 0, mentions: 0 });
  });

  test("stays muted, or does not, when a channel is left and joined again", () => {
    const scene = new ChatScene().start(["geral"]).join("café").types("/mute #café\r");
    const isMuted = () => scene.model.conversations.find(({ key }) => key === "#café")?.isMuted;
    scene.types("/part #café\r");
    expect(savedOf(scene.model)).toMatchObject({ joined: ["geral"], muted: ["#café"] });
    scene.types("/join #café\r");
    expect(isMuted()).toBe(true);
    scene.types("/mute #café\r/part #café\r/join #café\r");
    expect(isMuted()).toBe(false);
    expect(savedOf(scene.model).muted).toEqual([]);
  });

  test("stays what it is until a conversation's newest messages are there", () => {
    const saved = { ...nothingSaved, joined: ["geral", "café"], read: { "#café": {} } };
    const scene = new ChatScene().start([], { ...saved, joined: ["geral"] });
    scene.types("/join #café\r");
    scene.on({ type: "queued", outgoing: { ...outgoing("a", "Oi"), target: café } });
    const missed = [1, 2, 3].map((number) => scene.message("café", "bia", `ana? ${number}`));
    const mine = { ...scene.message("café", "ana", "Oi"), id: "a" };
    const receipt = { ...mine, durable: [] };
    const own = { ...outgoing("a", "Oi"), target: café };
    scene.on({ type: "sent", outgoing: own, receipt }).types("\x1b1");
    expect(scene.model.current).toBe("#geral");
    scene.on({ type: "joined", target: café, entries: [...missed, mine], next: undefined });
    const now = scene.model.conversations.find(({ key }) => key === "#café");
    expect(now).toMatchObject({ unread: 3, mentions: 3 });
  });

  test("is nothing of a channel that was never seen, however it was tried", () => {
    const scene = new ChatScene().start(["geral"]).types("/join #café\r");
    expect(savedOf(scene.model).read).not.toHaveProperty("#café");
    scene.on({ type: "notJoined", channel: "café" as never, why: "No such channel." });
    expect(savedOf(scene.model).read).not.toHaveProperty("#café");
  });

  test("is saved once what an earlier chat has left is taken up, and not before", () => {
    const saved = { ...nothingSaved, joined: ["geral"], muted: ["#geral"] };
    const scene = new ChatScene().types("/join #café\r");
    expect(scene.saves).toBe(0);
    scene.on({ type: "started", saved, channels: [] });
    expect(scene.saves).toBe(0);
    scene.on({ type: "found", users: [], heard: {} });
    expect(scene.saves).toBe(1);
    expect(savedOf(scene.model)).toMatchObject({ joined: ["café", "geral"], muted: ["#geral"] });
    const { saves } = scene;
    scene.types("/part #café\r");
    expect(scene.saves).toBeGreaterThan(saves);
  });

  test("a draft is kept with its conversation, and comes back there; what was sent does not", () => {
    const first = new ChatScene().start(["geral", "café"]);
    first.types("/join geral\r").types("begun here").types("\x1b2").types("and there");
    expect(savedOf(first.model).drafts).toEqual({
      "#geral": ["begun here"],
      "#café": ["and there"],
    });
    const second = new ChatScene().on({
      type: "started",
      saved: savedOf(first.model),
      channels: ["geral", "café"],
    });
    expect(second.model.current).toBe("#café");
    expect(second.screen).toContain("› and there");
    expect(second.types("\x1b1").screen).toContain("› begun here");
    second.on({ type: "found", users: [], heard: {} });
    const { saves } = second;
    second.types("\r");
    expect(second.saves).toBe(saves + 1);
    expect(savedOf(second.model).drafts).toEqual({ "#café": ["and there"] });
  });

  test("a draft stays one while an older text is called back over it", () => {
    const scene = new ChatScene().start(["geral", "café"]).types("/join geral\r");
    scene.on({ type: "found", users: [], heard: {} });
    scene.types("sent\r").types("begun").types("\x1b[A");
    expect(scene.screen).toContain("› sent");
    expect(savedOf(scene.model).drafts).toEqual({ "#geral": ["begun"] });
    // Elsewhere too it is not what was called back.
    scene.types("\x1b2");
    expect(scene.model.current).toBe("#café");
    expect(savedOf(scene.model).drafts).toEqual({ "#geral": ["begun"] });
    // Written on, it is what the person writes.
    scene.types("\x1b1").types("!");
    expect(savedOf(scene.model).drafts).toEqual({ "#geral": ["sent!"] });
    const { saves } = scene;
    scene.types("\x15\x1b[A\x1b[A\r");
    expect(savedOf(scene.model).drafts).toEqual({});
    expect(scene.saves).toBeGreaterThan(saves);
  });

  test("drafts of two chats that ran at once come back as one text", () => {
    const drafts = { "#geral": ["of one", "of the other"] };
    const saved = { ...nothingSaved, joined: ["geral"], drafts };
    const scene = new ChatScene().on({ type: "started", saved, channels: ["geral"] });
    expect(savedOf(scene.model).drafts).toEqual({ "#geral": ["of one\nof the other"] });
  });

  test("a saved draft does not replace the text that is being written", () => {
    const saved = {
      ...nothingSaved,
      joined: ["geral"],
      drafts: { "": ["old"], "#geral": ["older"] },
    };
    const scene = new ChatScene().types("new");
    scene.on({ type: "started", saved, channels: ["geral"] });
    // ↑ has what was being written: the conversation's own draft is there.
    expect(scene.screen).toContain("› older");
    expect(scene.types("\x15\x1b[A").screen).toContain("› new");
  });

  test("knows who has written as soon as he was found", () => {
    const scene = new ChatScene().start(["geral"]);
    scene.on({ type: "found", users: ["bia" as never], heard: {} });
    expect(savedOf(scene.model)).toMatchObject({ read: { "@bia": {} }, heard: {}, closed: [] });
    scene.types("\x1b2/part\r");
    expect(savedOf(scene.model)).toMatchObject({ read: { "@bia": {} }, closed: ["@bia"] });
  });

  test("of who first wrote while the person was away is all, with an earlier chat", () => {
    for (const heard of [undefined, { ["server_0a1b2c3d" as ServerName]: 1 }]) {
      const scene = new ChatScene().start(["geral"], { ...nothingSaved, joined: ["geral"], heard });
      const target = { user: "bia" as never };
      scene.on({ type: "found", users: [target.user], heard: {} });
      expect(scene.effects.at(-1)).toEqual({ type: "join", target, read: heard && {} });
    }
  });

  test("of a muted channel is only the mentions", () => {
    const scene = new ChatScene().start(["geral"]).join("café").types("/mute #café\r");
    scene.says("café", "bia", "oi").says("café", "bia", "ana?");
    expect(scene.model.conversations.at(-1)).toMatchObject({ unread: 0, mentions: 1 });
    expect(savedOf(scene.model).muted).toEqual(["#café"]);
    const messages = ["oi", "ana?"].map((text) => scene.message("café", "bia", text));
    const saved = { ...savedOf(scene.model), read: { "#café": {} } };
    const again = new ChatScene().start(["geral"], saved).join("café", messages);
    expect(again.model.conversations.at(-1)).toMatchObject({ unread: 0, mentions: 1 });
    again.types("/mute #café\r");
    expect(again.model.conversations.at(-1)).toMatchObject({ unread: 2, mentions: 1 });
  });
});

describe("a message of one's own", () => {
  test("waits, is sent, and stands there once, whatever comes first", () => {
    for (const order of ["receipt first", "publication first"]) {
      const scene = new ChatScene().start().types("Oi\r");
      expect(scene.effects.at(-1)).toEqual({
        type: "send",
        target: { channel: "geral" },
        text: "Oi",
      });
      scene.on({ type: "queued", outgoing: outgoing("a", "Oi") });
      expect(scene.screen).toContain("ana  Oi ⏳");
      const entry = { ...scene.message("geral", "ana", "Oi"), id: "a" };
      const receipt = { ...entry, durable: [entry.server, "server_00000001" as never] };
      const sent = { type: "sent", outgoing: outgoing("a", "Oi"), receipt } as const;
      const said = { type: "entries", entries: [entry] } as const;
      if (order === "receipt first") scene.on(sent).on(said);
      else scene.on(said).on(sent);
      expect(scene.screen.match(/ana {2}Oi ✓/g), order).toHaveLength(1);
      expect(scene.screen).not.toContain("⏳");
      expect(scene.screen).toContain("✓ 2 replicas");
    }
  });

  test("[R6] written by two servers, stands there once: the first of the total order", () => {
    for (const order of [0, 1]) {
      const scene = new ChatScene().start();
      scene.on({ type: "queued", outgoing: outgoing("a", "Oi") });
      const first = { ...scene.message("geral", "ana", "Oi"), id: "a" };
      const twin = { ...scene.message("geral", "ana", "Oi"), id: "a" };
      const [receipt, entry] = order === 0 ? [first, twin] : [twin, first];
      scene.on({ type: "entries", entries: [entry] });
      scene.on({
        type: "sent",
        outgoing: outgoing("a", "Oi"),
        receipt: { ...receipt, durable: [] },
      });
      expect(currentOf(scene.model).items).toMatchObject([{ text: "Oi", seq: first.seq }]);
    }
  });

  test("[R6] under an id that stood for another text is refused with a sentence, and both are shown", () => {
    const scene = new ChatScene().start().on({ type: "queued", outgoing: outgoing("a", "Oi") });
    const entry = { ...scene.message("geral", "ana", "Olá"), id: "a" };
    scene.on({ type: "entries", entries: [entry] });
    const error = new ProtocolError("id_reused", "");
    for (const language of [textsIn("en"), textsIn("pt-br")]) {
      expect(describeError(error, language)).toMatch(/\bid\b.*\.$/);
    }
    const why = describeError(error, textsIn("en"));
    scene.on({ type: "refused", outgoing: outgoing("a", "Oi"), why });
    expect(scene.screen).toMatch(/ana {2}Olá ✓\n.*ana {2}Oi\n.*✗ Nothing was done: something else/);
  });

  test("that is refused says why", () => {
    const scene = new ChatScene().start().on({ type: "queued", outgoing: outgoing("a", "Oi") });
    scene.on({ type: "refused", outgoing: outgoing("a", "Oi"), why: "No such channel." });
    expect(scene.screen).toContain("ana  Oi ✗ No such channel.");
    scene.says("geral", "bia", "and then");
    expect(scene.screen).toMatch(/✗ No such channel\.\n.*bia {2}and then/);
    // A server had it after all.
    const entry = { ...scene.message("geral", "ana", "Oi"), id: "a" };
    expect(scene.on({ type: "entries", entries: [entry] }).screen).not.toContain("✗");
  });

  test("that is refused takes no more room than others", () => {
    const scene = new ChatScene().start();
    for (let number = 0; number < 3_000; number += 1) {
      const refused = outgoing(`${number}`, "Oi");
      scene.on({ type: "queued", outgoing: refused });
      scene.on({ type: "refused", outgoing: refused, why: "No." });
    }
    const { items, pending } = currentOf(scene.model);
    expect(items.length).toBeLessThan(1.2 * mostItems);
    expect(pending).toEqual([]);
  });

  test("keeps the view where it is when its receipt comes", () => {
    const scene = new ChatScene().start();
    for (let number = 0; number < 60; number += 1) scene.says("geral", "bia", `m${number}`);
    for (let number = 0; number < 60; number += 1) {
      scene.on({ type: "queued", outgoing: outgoing(`${number}`, `mine ${number}`) });
    }
    const before = scene.types("\x1b[5~").screen;
    const bottom = before.match(/mine \d+/g)?.at(-1);
    expect(bottom).toBeDefined();
    for (let number = 0; number < 60; number += 1) {
      const entry = { ...scene.message("geral", "ana", `mine ${number}`), id: `${number}` };
      const sent = { type: "sent", outgoing: outgoing(`${number}`, entry.message) } as const;
      scene.on({ ...sent, receipt: { ...entry, durable: [] } });
    }
    expect(scene.screen.match(/mine \d+/g)?.at(-1)).toBe(bottom);
  });

  test("that a server has already waits no more, whichever is heard of first", () => {
    const scene = new ChatScene().start();
    const entry = { ...scene.message("geral", "ana", "Oi"), id: "a" };
    scene.join("geral", [entry]).on({ type: "queued", outgoing: outgoing("a", "Oi") });
    expect(currentOf(scene.model)).toMatchObject({ items: [{ text: "Oi" }], pending: [] });
    const other = new ChatScene().start();
    other.on({ type: "queued", outgoing: outgoing("a", "Oi") }).join("geral", [entry]);
    expect(currentOf(other.model)).toMatchObject({ items: [{ text: "Oi" }], pending: [] });
  });

  test("brings the person to the newest, which is read by that", () => {
    const scene = new ChatScene().start();
    for (let number = 0; number < 60; number += 1) scene.says("geral", "bia", `m${number}`);
    scene.types("\x1b[5~").says("geral", "bia", "new");
    expect(currentOf(scene.model).unread).toBe(1);
    scene.on({ type: "queued", outgoing: outgoing("a", "Oi") });
    expect(currentOf(scene.model)).toMatchObject({ unread: 0, read: { server_0a1b2c3d: 61 } });
    expect(savedOf(scene.model).read["#geral"]).toEqual({ server_0a1b2c3d: 61 });
  });

  test("to nobody, and one that is too long, stay where they were written", () => {
    const scene = new ChatScene().start([]).types("Oi\r");
    expect(scene.effects).toEqual([]);
    expect(scene.screen).toContain("› Oi");
    const long = new ChatScene().start().types(`\x1b[200~${"x".repeat(4097)}\x1b[201~\r`);
    expect(long.effects).toEqual([{ type: "join", target: { channel: "geral" }, read: undefined }]);
    expect(long.screen).toContain("4096 characters; nothing was sent");
  });
});

test("a mistyped command is never sent, and gets a suggestion", () => {
  const scene = new ChatScene().start().types("/jion #x\r");
  expect(scene.effects).toEqual([{ type: "join", target: { channel: "geral" }, read: undefined }]);
  expect(scene.screen).toContain("Did you");
});

test("history is turned by pages, not by a number", () => {
  const scene = new ChatScene(80, 24).start().types("/history 20\r");
  expect(scene.screen).toContain("Here /history goes back a page, as PgUp does");
});

test("Tab completes commands, names and channels", () => {
  const scene = new ChatScene(80, 24).start(["geral", "café"]).says("geral", "bia", "oi");
  scene.on({ type: "names", users: ["ana", "bento", "bia"] });
  expect(scene.types("/jo\t").screen).toContain("› /join");
  expect(scene.types("c\t").screen).toContain("› /join #café");
  expect(scene.types("\x15oi b\t").screen).toContain("› oi @bia");
  expect(scene.types("\t").screen).toContain("› oi @bento");
  expect(scene.types("\t").screen).toContain("› oi @bia");
  expect(scene.types("\x15veja #c\t").screen).toContain("› veja #café");
});

describe("the past", () => {
  function long(): ChatScene {
    const scene = new ChatScene(80, 12).start([]);
    const all = Array.from({ length: 100 }, (_, at) => scene.message("geral", "bia", `m${at}`));
    return scene
      .on({ type: "started", saved: savedOf(scene.model), channels: ["geral"] })
      .types("/join geral\r")
      .join("geral", all.slice(50), "50:server_0a1b2c3d")
      .on({ type: "tick", nowMs: 0 });
  }

  test("is paged through, and fetched when it is near", () => {
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

  test("is written to where it was begun: each has a draft of its own", () => {
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

  test("of a private conversation that was closed is there again when it is opened", () => {
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
    // What was on its way does not bring it back.
    scene.types("/part\r").on({ type: "joined", target, entries, next: undefined });
    expect(scene.screen).not.toContain("│ @bia");
    // The same where somebody else begins it.
    scene.on({ type: "entries", entries: [scene.privately("bia", "ana", "you?")] });
    expect(scene.effects.at(-1)).toEqual({ type: "join", target, read });
    scene.on({ type: "joined", target, entries, next: "1:server_0a1b2c3d" });
    expect(scene.model.conversations.at(-1)).toMatchObject({ unread: 1, items: [{}, {}] });
  });

  test("begun before there was any conversation goes along", () => {
    const scene = new ChatScene().types("hello every").start(["geral"]).types("body");
    expect(scene.screen).toContain("› hello everybody");
  });

  test("written to a channel that there is not goes nowhere", () => {
    const scene = new ChatScene().start(["geral"]).types("/join #nope\rto nobody el");
    scene.on({ type: "notJoined", channel: "nope" as never, why: "No such channel." });
    const before = scene.effects.length;
    expect(scene.types("se\r").screen).toContain("› to nobody else");
    expect(scene.screen).toContain("No such channel.");
    expect(scene.effects).toHaveLength(before);
    expect(scene.types("\x1b1").model.current).toBe("#geral");
    expect(scene.screen).toContain("› to nobody else");
  });

  test("is not lost by what is called back, and what was cut goes along", () => {
    const scene = new ChatScene().start(["geral", "cafe"]).types("first\rdraft\x1b[A!");
    expect(scene.screen).toContain("› first!");
    expect(scene.types("\r\x1b[A\x1b[A").screen).toContain("› draft");
    const other = scene.model.current === "#geral" ? "\x1b1" : "\x1b2";
    expect(scene.types(`\x15cut this\x15${other}\x19`).screen).toContain("› cut this");
  });

  test("has no hole where a page comes after the conversation was cut", () => {
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

  test("is held up to a bound, and fetched again from there", () => {
    const scene = new ChatScene().start();
    for (let at = 0; at < 3 * mostItems; at += 1) scene.says("geral", "bia", `m${at}`);
    const { items, older } = currentOf(scene.model);
    expect(items.length).toBeLessThan(1.2 * mostItems);
    expect(older).toMatch(/^\d+:server_0a1b2c3d$/);
  });

  test("stands in the total order, nothing twice", () => {
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

test("Ctrl-C puts aside what was written, for ↑; twice without anything it quits", () => {
  const scene = new ChatScene().start().types("half\x03");
  expect(scene.screen).not.toContain("half");
  expect(scene.types("\x1b[A").screen).toContain("› half");
  expect(scene.types("\x03").screen).not.toContain("half");
  expect(scene.types("\x03").screen).toContain("Ctrl-C once more quits.");
  expect(scene.types("\x03").effects.at(-1)).toEqual({ type: "quit" });
});

test("a mouse's report changes nothing", () => {
  const help = new ChatScene().start().types("/help\r");
  expect(help.types("\x1b[<64;35;12M").screen).toContain("Keys and commands");
});

test("Esc and another key right behind it are two keys, unless they mean one with Alt", () => {
  const scene = new ChatScene().start().types("/help\r");
  expect(scene.screen).toContain("Keys and commands");
  expect(scene.types("\x1b/time\r").effects.at(-1)).toEqual({ type: "ask", question: "time" });
});

test("that Ctrl-C once more quits is said as long as it is so", () => {
  const scene = new ChatScene().start().types("\x03");
  expect(scene.screen).toContain("Ctrl-C once more quits.");
  scene.on({ type: "tick", nowMs: scene.model.nowMs + 4_000 });
  expect(scene.screen).not.toContain("Ctrl-C once more quits.");
  expect(scene.types("\x03").effects).not.toContainEqual({ type: "quit" });
});

test("what comes by itself closes no switch and moves nobody who reads further up", () => {
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

test("from the help the quick switch is one key, also right behind Esc", () => {
  for (const keys of ["\x0b", "\x1b\x0b"]) {
    const scene = new ChatScene().start().types("/help\r").types(keys);
    expect(scene.screen).toContain("Go to");
    expect(scene.types("x\x0b").screen).not.toContain("Go to");
  }
});

test("another language is there at once", () => {
  const scene = new ChatScene().start().types("/lang pt-br\r");
  expect(scene.effects.at(-1)).toEqual({ type: "language", name: "pt-br" });
});

test("whatever is typed and heard, nothing harmful is drawn", () => {
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
