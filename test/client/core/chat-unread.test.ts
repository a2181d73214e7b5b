import { describe, expect, test } from "vitest";
import { currentOf, nothingSaved } from "../../../src/client/core/chat-model.ts";
import { savedOf } from "../../../src/client/core/saved-chat.ts";
import type { ServerName } from "../../../src/protocol/ids.ts";
import { ChatScene, outgoing } from "./chat-scene.ts";

const café = { channel: "café" as never };

describe("unread messages and the saved state of a chat", () => {
  test("a chat counts unread messages and mentions in each conversation except the open one", () => {
    const scene = new ChatScene().start(["geral"]).join("café");
    scene.says("café", "bia", "oi").says("café", "bia", "Ana!").says("geral", "bia", "bom dia");
    const [here, there] = scene.model.conversations.slice(1);
    expect(here).toMatchObject({ key: "#geral", unread: 0, mentions: 0 });
    expect(there).toMatchObject({ key: "#café", unread: 2, mentions: 1 });
    scene.types("\x1ba");
    expect(scene.model.current).toBe("#café");
    expect(currentOf(scene.model)).toMatchObject({ unread: 0, mentions: 0 });
    expect(scene.screen).toContain("new since you left");
    // The line "new since you left" disappears when the person leaves the conversation.
    expect(scene.types("\x1b1\x1b2").screen).not.toContain("new since you left");
  });

  test("a chat shows a line above the messages that arrived after the person left the previous chat", () => {
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

  test("a chat opens the first channel if all the person's earlier chats were in line mode", () => {
    const saved = { ...nothingSaved, read: { "@bia": {} } };
    const scene = new ChatScene().on({ type: "started", saved, channels: ["geral"] });
    expect(scene.model.current).toBe("#geral");
  });

  test("a chat shows the usage of a command in the person's language", () => {
    const scene = new ChatScene(80, 24, "pt-br").start();
    expect(scene.types("/msg\r").screen).toContain("Escreva assim: /msg nome texto");
  });

  test("when a new message arrives in a private conversation that the person closed, a chat reopens the conversation", () => {
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

  test("[R6] a chat counts a message once even if two servers stored it", () => {
    const scene = new ChatScene().start(["geral"]);
    const first = { ...scene.message("café", "bia", "ana?"), id: "b" };
    const duplicate = { ...scene.message("café", "bia", "ana?"), id: "b" };
    scene.join("café", [first]).on({ type: "entries", entries: [duplicate] });
    expect(scene.model.conversations.at(-1)).toMatchObject({ unread: 0, mentions: 0 });
  });

  test("a channel stays muted or unmuted when the person leaves and rejoins it", () => {
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

  test("if the person sends a message while the chat still fetches missed messages, the missed messages stay unread", () => {
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

  test("a chat saves no read mark for a channel until it has joined the channel", () => {
    const scene = new ChatScene().start(["geral"]).types("/join #café\r");
    expect(savedOf(scene.model).read).not.toHaveProperty("#café");
    scene.on({ type: "notJoined", channel: "café" as never, why: "No such channel." });
    expect(savedOf(scene.model).read).not.toHaveProperty("#café");
  });

  test("a chat saves nothing until it has loaded the saved state and found who wrote while the person was away", () => {
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

  test("a chat saves each conversation's unsent text until the text is sent, and the next chat restores the text", () => {
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

  test("a recalled text does not replace the saved draft until the person edits the recalled text", () => {
    const scene = new ChatScene().start(["geral", "café"]).types("/join geral\r");
    scene.on({ type: "found", users: [], heard: {} });
    scene.types("sent\r").types("begun").types("\x1b[A");
    expect(scene.screen).toContain("› sent");
    expect(savedOf(scene.model).drafts).toEqual({ "#geral": ["begun"] });
    // Going to another conversation does not replace the draft with the recalled text.
    scene.types("\x1b2");
    expect(scene.model.current).toBe("#café");
    expect(savedOf(scene.model).drafts).toEqual({ "#geral": ["begun"] });
    // When the person edits a recalled text, the edited text becomes the draft.
    scene.types("\x1b1").types("!");
    expect(savedOf(scene.model).drafts).toEqual({ "#geral": ["sent!"] });
    const { saves } = scene;
    scene.types("\x15\x1b[A\x1b[A\r");
    expect(savedOf(scene.model).drafts).toEqual({});
    expect(scene.saves).toBeGreaterThan(saves);
  });

  test("if two chats have saved drafts of one conversation, the next chat restores both drafts as one text", () => {
    const drafts = { "#geral": ["of one", "of the other"] };
    const saved = { ...nothingSaved, joined: ["geral"], drafts };
    const scene = new ChatScene().on({ type: "started", saved, channels: ["geral"] });
    expect(savedOf(scene.model).drafts).toEqual({ "#geral": ["of one\nof the other"] });
  });

  test("if a restored draft replaces a text that the person has begun, ↑ recalls the begun text", () => {
    const saved = {
      ...nothingSaved,
      joined: ["geral"],
      drafts: { "": ["old"], "#geral": ["older"] },
    };
    const scene = new ChatScene().types("new");
    scene.on({ type: "started", saved, channels: ["geral"] });
    // The conversation's saved draft is shown, and ↑ recalls the text that was being written.
    expect(scene.screen).toContain("› older");
    expect(scene.types("\x15\x1b[A").screen).toContain("› new");
  });

  test("a chat saves the names of private conversations and which of them the person closed", () => {
    const scene = new ChatScene().start(["geral"]);
    scene.on({ type: "found", users: ["bia" as never], heard: {} });
    expect(savedOf(scene.model)).toMatchObject({ read: { "@bia": {} }, heard: {}, closed: [] });
    scene.types("\x1b2/part\r");
    expect(savedOf(scene.model)).toMatchObject({ read: { "@bia": {} }, closed: ["@bia"] });
  });

  test("the first messages of another user count as unread only if an earlier chat of the person was saved", () => {
    for (const heard of [undefined, { ["server_0a1b2c3d" as ServerName]: 1 }]) {
      const scene = new ChatScene().start(["geral"], { ...nothingSaved, joined: ["geral"], heard });
      const target = { user: "bia" as never };
      scene.on({ type: "found", users: [target.user], heard: {} });
      expect(scene.effects.at(-1)).toEqual({ type: "join", target, read: heard && {} });
    }
  });

  test("in a muted channel, a chat counts mentions and no other unread messages", () => {
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
