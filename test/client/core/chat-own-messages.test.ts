import { describe, expect, test } from "vitest";
import { describe as describeError } from "../../../src/client/commands/failure.ts";
import { currentOf } from "../../../src/client/core/chat-model.ts";
import { mostItems } from "../../../src/client/core/message-list.ts";
import { savedOf } from "../../../src/client/core/saved-chat.ts";
import { ProtocolError } from "../../../src/protocol/errors.ts";
import { textsIn } from "../../../src/texts/texts.ts";
import { ChatScene, outgoing } from "./chat-scene.ts";

describe("a message that the person sends", () => {
  test("a chat shows a sent message once, whether its receipt or its publication arrives first", () => {
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

  test("[R6] if two servers stored a sent message, the chat shows it once, at the earlier place in the total order", () => {
    for (const order of [0, 1]) {
      const scene = new ChatScene().start();
      scene.on({ type: "queued", outgoing: outgoing("a", "Oi") });
      const first = { ...scene.message("geral", "ana", "Oi"), id: "a" };
      const duplicate = { ...scene.message("geral", "ana", "Oi"), id: "a" };
      const [receipt, entry] = order === 0 ? [first, duplicate] : [duplicate, first];
      scene.on({ type: "entries", entries: [entry] });
      scene.on({
        type: "sent",
        outgoing: outgoing("a", "Oi"),
        receipt: { ...receipt, durable: [] },
      });
      expect(currentOf(scene.model).items).toMatchObject([{ text: "Oi", seq: first.seq }]);
    }
  });

  test("[R6] if another message already uses a new message's id, the chat shows both and marks the new one as refused", () => {
    const scene = new ChatScene().start().on({ type: "queued", outgoing: outgoing("a", "Oi") });
    const entry = { ...scene.message("geral", "ana", "Olá"), id: "a" };
    scene.on({ type: "entries", entries: [entry] });
    const error = new ProtocolError("id_reused", "");
    for (const language of [textsIn("en"), textsIn("pt-br")]) {
      expect(describeError(error, language)).toMatch(/\bid\b.*\.$/);
    }
    const why = describeError(error, textsIn("en"));
    scene.on({ type: "refused", outgoing: outgoing("a", "Oi"), why });
    expect(scene.screen).toMatch(
      /ana {2}Olá ✓\n.*ana {2}Oi\n.*✗ Nothing was done: another request/,
    );
  });

  test("the chat shows a message as refused, with the reason, until the history contains the message", () => {
    const scene = new ChatScene().start().on({ type: "queued", outgoing: outgoing("a", "Oi") });
    scene.on({ type: "refused", outgoing: outgoing("a", "Oi"), why: "No such channel." });
    expect(scene.screen).toContain("ana  Oi ✗ No such channel.");
    scene.says("geral", "bia", "and then");
    expect(scene.screen).toMatch(/✗ No such channel\.\n.*bia {2}and then/);
    // A server had stored the message before it refused the retry.
    const entry = { ...scene.message("geral", "ana", "Oi"), id: "a" };
    expect(scene.on({ type: "entries", entries: [entry] }).screen).not.toContain("✗");
  });

  test("refused messages count toward the limit on the messages that a chat stores for one conversation", () => {
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

  test("receipts that arrive while the person reads older messages do not scroll the chat", () => {
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

  test("a sent message that is in the history is not pending, whether the chat reads the history or the outbox first", () => {
    const scene = new ChatScene().start();
    const entry = { ...scene.message("geral", "ana", "Oi"), id: "a" };
    scene.join("geral", [entry]).on({ type: "queued", outgoing: outgoing("a", "Oi") });
    expect(currentOf(scene.model)).toMatchObject({ items: [{ text: "Oi" }], pending: [] });
    const other = new ChatScene().start();
    other.on({ type: "queued", outgoing: outgoing("a", "Oi") }).join("geral", [entry]);
    expect(currentOf(other.model)).toMatchObject({ items: [{ text: "Oi" }], pending: [] });
  });

  test("when the person sends a message, the chat scrolls to the newest messages and marks them as read", () => {
    const scene = new ChatScene().start();
    for (let number = 0; number < 60; number += 1) scene.says("geral", "bia", `m${number}`);
    scene.types("\x1b[5~").says("geral", "bia", "new");
    expect(currentOf(scene.model).unread).toBe(1);
    scene.on({ type: "queued", outgoing: outgoing("a", "Oi") });
    expect(currentOf(scene.model)).toMatchObject({ unread: 0, read: { server_0a1b2c3d: 61 } });
    expect(savedOf(scene.model).read["#geral"]).toEqual({ server_0a1b2c3d: 61 });
  });

  test("a chat leaves a text in the input line if the text is too long or no conversation is open", () => {
    const scene = new ChatScene().start([]).types("Oi\r");
    expect(scene.effects).toEqual([]);
    expect(scene.screen).toContain("› Oi");
    const long = new ChatScene().start().types(`\x1b[200~${"x".repeat(4097)}\x1b[201~\r`);
    expect(long.effects).toEqual([{ type: "join", target: { channel: "geral" }, read: undefined }]);
    expect(long.screen).toContain("4096 characters; nothing was sent");
  });
});
