import { describe, expect, test } from "vitest";
import { currentOf, nothingSaved } from "../../../src/client/core/chat-model.ts";
import { savedOf } from "../../../src/client/core/saved-chat.ts";
import type { ServerName } from "../../../src/protocol/ids.ts";
import { ChatScene, outgoing } from "./chat-scene.ts";

const café = { channel: "café" as never };

describe("a chat", () => {
  test("counts unread messages in other conversations, and mentions apart", () => {
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

  test("goes on where an earlier one was left", () => {
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

  test("takes a person who has only used line mode to the first channel", () => {
    const saved = { ...nothingSaved, read: { "@bia": {} } };
    const scene = new ChatScene().on({ type: "started", saved, channels: ["geral"] });
    expect(scene.model.current).toBe("#geral");
  });

  test("says in the person's language how a command is written", () => {
    const scene = new ChatScene(80, 24, "pt-br").start();
    expect(scene.types("/msg\r").screen).toContain("Escreva assim: /msg nome texto");
  });

  test("opens a closed private conversation again when something new comes in it", () => {
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

  test("[R6] counts a message that two servers wrote once", () => {
    const scene = new ChatScene().start(["geral"]);
    const first = { ...scene.message("café", "bia", "ana?"), id: "b" };
    const duplicate = { ...scene.message("café", "bia", "ana?"), id: "b" };
    scene.join("café", [first]).on({ type: "entries", entries: [duplicate] });
    expect(scene.model.conversations.at(-1)).toMatchObject({ unread: 0, mentions: 0 });
  });

  test("keeps a channel muted, or not muted, when it is left and joined again", () => {
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

  test("marks nothing as read until a conversation's newest messages are there", () => {
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

  test("keeps no read mark of a channel that was never entered", () => {
    const scene = new ChatScene().start(["geral"]).types("/join #café\r");
    expect(savedOf(scene.model).read).not.toHaveProperty("#café");
    scene.on({ type: "notJoined", channel: "café" as never, why: "No such channel." });
    expect(savedOf(scene.model).read).not.toHaveProperty("#café");
  });

  test("is saved once the state of an earlier one is loaded, and not before", () => {
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

  test("keeps a draft with its conversation, and brings it back there, unless it was sent", () => {
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

  test("keeps a draft while an older text is recalled over it", () => {
    const scene = new ChatScene().start(["geral", "café"]).types("/join geral\r");
    scene.on({ type: "found", users: [], heard: {} });
    scene.types("sent\r").types("begun").types("\x1b[A");
    expect(scene.screen).toContain("› sent");
    expect(savedOf(scene.model).drafts).toEqual({ "#geral": ["begun"] });
    // In another conversation, the recalled text does not replace the draft either.
    scene.types("\x1b2");
    expect(scene.model.current).toBe("#café");
    expect(savedOf(scene.model).drafts).toEqual({ "#geral": ["begun"] });
    // Once it is edited, the recalled text is the draft.
    scene.types("\x1b1").types("!");
    expect(savedOf(scene.model).drafts).toEqual({ "#geral": ["sent!"] });
    const { saves } = scene;
    scene.types("\x15\x1b[A\x1b[A\r");
    expect(savedOf(scene.model).drafts).toEqual({});
    expect(scene.saves).toBeGreaterThan(saves);
  });

  test("brings the drafts of two that ran at once back as one text", () => {
    const drafts = { "#geral": ["of one", "of the other"] };
    const saved = { ...nothingSaved, joined: ["geral"], drafts };
    const scene = new ChatScene().on({ type: "started", saved, channels: ["geral"] });
    expect(savedOf(scene.model).drafts).toEqual({ "#geral": ["of one\nof the other"] });
  });

  test("replaces no text that is being written with a saved draft", () => {
    const saved = {
      ...nothingSaved,
      joined: ["geral"],
      drafts: { "": ["old"], "#geral": ["older"] },
    };
    const scene = new ChatScene().types("new");
    scene.on({ type: "started", saved, channels: ["geral"] });
    // The conversation's own draft is shown; ↑ has the text that was being written.
    expect(scene.screen).toContain("› older");
    expect(scene.types("\x15\x1b[A").screen).toContain("› new");
  });

  test("knows the users who have written as soon as they are found", () => {
    const scene = new ChatScene().start(["geral"]);
    scene.on({ type: "found", users: ["bia" as never], heard: {} });
    expect(savedOf(scene.model)).toMatchObject({ read: { "@bia": {} }, heard: {}, closed: [] });
    scene.types("\x1b2/part\r");
    expect(savedOf(scene.model)).toMatchObject({ read: { "@bia": {} }, closed: ["@bia"] });
  });

  test("counts all messages of users who first wrote while the person was away, after an earlier one", () => {
    for (const heard of [undefined, { ["server_0a1b2c3d" as ServerName]: 1 }]) {
      const scene = new ChatScene().start(["geral"], { ...nothingSaved, joined: ["geral"], heard });
      const target = { user: "bia" as never };
      scene.on({ type: "found", users: [target.user], heard: {} });
      expect(scene.effects.at(-1)).toEqual({ type: "join", target, read: heard && {} });
    }
  });

  test("counts only mentions in a muted channel", () => {
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
