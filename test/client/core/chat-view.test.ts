import { expect, test } from "vitest";
import { cellsOf } from "../../../src/client/core/cells.ts";
import { view } from "../../../src/client/core/chat-view.ts";
import { ChatScene } from "./chat-scene.ts";

function conversation(columns: number, rows: number, language?: "pt-br"): ChatScene {
  const scene = new ChatScene(columns, rows, language).start(["geral", "café"]);
  scene.says("geral", "bia", "Bom dia, gente 🙂").says("geral", "ana", "Oi bia!");
  scene.says("geral", "caio", "A reunião de hoje fica para as três, ana: o Davi só chega depois.");
  scene.says("café", "bia", "ana, tem café?").says("café", "caio", "Tem sim");
  scene.on({ type: "entries", entries: [scene.privately("bia", "ana", "psst")] });
  scene.on({ type: "presence", users: new Map([["bia" as never, "online"]]) });
  scene.on({ type: "served", server: "server_0a1b2c3d", roundTripMs: 3, clock: 42 });
  return scene.types("E aí");
}

test("the chat shows a conversation on a terminal of 80 columns and 24 rows", () => {
  expect(conversation(80, 24).screen).toMatchInlineSnapshot(`
    "
    › #geral        │ #geral
    2 #café      @1 │
    3 @bia •      1 │
                    │
                    │
                    │
                    │
                    │
                    │
                    │
                    │
                    │
                    │
                    │
                    │
                    │
                    │ ── the beginning ───────────────────────────────────────────
                    │ ── Saturday, January 31, 2026 ──────────────────────────────
                    │ 08:01 bia  Bom dia, gente 🙂
                    │ 08:02 ana  Oi bia! ✓
                    │ 08:03 caio  A reunião de hoje fica para as três, ana: o Davi
                    │         só chega depois.
    ana · connected · 3 ms · server_0a1b2c3d · clock 42
    › E aí
    "
  `);
});

test("the chat shows a conversation on a terminal of 120 columns and 40 rows", () => {
  expect(conversation(120, 40).screen).toMatchInlineSnapshot(`
    "
    › #geral                │ #geral
    2 #café              @1 │
    3 @bia •              1 │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │
                            │ ── the beginning ───────────────────────────────────────────
                            │ ── Saturday, January 31, 2026 ──────────────────────────────
                            │ 08:01 bia  Bom dia, gente 🙂
                            │ 08:02 ana  Oi bia! ✓
                            │ 08:03 caio  A reunião de hoje fica para as três, ana: o Davi só chega depois.
    ana · connected · 3 ms · server_0a1b2c3d · clock 42
    › E aí
    "
  `);
});

test("on a terminal of 16 columns, the chat shows a conversation without the list of conversations", () => {
  expect(conversation(16, 14).screen).toMatchInlineSnapshot(`
    "
    #geral        @1

    ── the beginn…──
    ── Saturday, …──
    bia  Bom dia,
      gente 🙂
    ana  Oi bia! ✓
    caio  A reunião
      de hoje fica
      para as três,
      ana: o Davi só
      chega depois.
    ana · connected
    › E aí
    "
  `);
});

test("the chat shows a conversation on a terminal of 200 columns", () => {
  expect(conversation(200, 12).screen).toMatchInlineSnapshot(`
    "
    › #geral                │ #geral
    2 #café              @1 │
    3 @bia •              1 │
                            │
                            │
                            │ ── the beginning ───────────────────────────────────────────
                            │ ── Saturday, January 31, 2026 ──────────────────────────────
                            │ 08:01 bia  Bom dia, gente 🙂
                            │ 08:02 ana  Oi bia! ✓
                            │ 08:03 caio  A reunião de hoje fica para as três, ana: o Davi só chega depois.
    ana · connected · 3 ms · server_0a1b2c3d · clock 42
    › E aí
    "
  `);
});

test("the chat shows a conversation's headings and the status line in Portuguese", () => {
  expect(conversation(80, 16, "pt-br").screen).toMatchInlineSnapshot(`
    "
    › #geral        │ #geral
    2 #café      @1 │
    3 @bia •      1 │
                    │
                    │
                    │
                    │
                    │
                    │ ── o começo ────────────────────────────────────────────────
                    │ ── sábado, 31 de janeiro de 2026 ───────────────────────────
                    │ 08:01 bia  Bom dia, gente 🙂
                    │ 08:02 ana  Oi bia! ✓
                    │ 08:03 caio  A reunião de hoje fica para as três, ana: o Davi
                    │         só chega depois.
    ana · conectado · 3 ms · server_0a1b2c3d · relógio 42
    › E aí
    "
  `);
});

test("the chat's help is drawn, PgDn pages through it, and Esc closes it", () => {
  const scene = conversation(80, 24).types("\x15/help\r");
  expect(scene.screen).toMatchInlineSnapshot(`
    "
    › #geral        │ Keys and commands                                    Esc: back
    2 #café      @1 │ Tab               completes /commands, @names, #channels
    3 @bia •      1 │ PgUp PgDn         older and newer messages; older ones are
                    │                   fetched
                    │ Alt-1 … Alt-9     a conversation by its number
                    │ Alt-↑ Alt-↓       the conversation before or after this one
                    │ Alt-A             the next one with something unread, mentions
                    │                   first
                    │ Ctrl-K            goes to any channel or person, found by part
                    │                   of the name
                    │ ↑ ↓               what you wrote before
                    │ Alt-Enter         a new line within the message
                    │ Ctrl-A Ctrl-E     beginning and end of the line
                    │ Alt-B Alt-F       a word back or forward
                    │ Ctrl-U Ctrl-W     cuts everything before the cursor, or a word
                    │ Ctrl-Y            pastes what was cut
                    │ Ctrl-L            redraws the screen
                    │ Ctrl-Z            goes back to the shell; fg returns
                    │ Esc               closes this, or goes to the newest message
                    │ Ctrl-C Ctrl-C     once: puts your text aside (↑); twice: quits
                    │
                    │ /join #channel    joins a channel
    ana · connected · 3 ms · server_0a1b2c3d · clock 42
    ›
    "
  `);
  scene.types("\x1b[6~\x1b[6~");
  expect(scene.screen).toContain("/quit");
  expect(scene.types("\x1b").screen).toContain("Bom dia");
});

test("the quick switch lists the conversations that match the typed letters, and Enter opens one", () => {
  const scene = conversation(80, 12).types("\x0bca");
  expect(scene.screen).toMatchInlineSnapshot(`
    "
    › #geral        │ Go to …                                              Esc: back
    2 #café      @1 │ › #café
    3 @bia •      1 │
                    │
                    │
                    │
                    │
                    │
                    │
                    │
    ana · connected · 3 ms · server_0a1b2c3d · clock 42
    › ca
    "
  `);
  expect(scene.types("\r").screen).toContain("bia  ana, tem café?");
});

test("the chat escapes a message's control characters, and a message with line breaks can't imitate a second message", () => {
  const scene = new ChatScene(60, 12).start();
  scene.says("geral", "mau", "\x1b[2J\x1b]0;title\x07\u202eabc\n08:00 bia  I never said that");
  expect(scene.screen).toMatchInlineSnapshot(`
    "
    › #geral    │ #geral
                │
                │
                │
                │
                │
                │ ── the beginning ─────────────────────────────
                │ ── Saturday, January 31, 2026 ────────────────
                │ 08:01 mau  ␛[2J␛]0;title␇<U+202E>abc
                │         08:00 bia  I never said that
    ana · connected · clock 1
    › Type and press Enter. Ctrl-K goes elsewhere, Tab complete…
    "
  `);
});

test("a letter shows at most six combining marks, even if U+200D separates them", () => {
  const scene = new ChatScene(60, 12).start();
  scene.says("geral", "mau", `क${"\u0951\u0951\u0951\u0951\u0951\u0951\u200d".repeat(40)}!`);
  expect(scene.screen).toMatch(/mau {2}क\p{M}{6}\u200d?<\+\d+>!/u);
});

test("the status line says in words that the chat reconnects, and in how many seconds", () => {
  const scene = conversation(80, 8);
  const retryAtMs = scene.model.nowMs + 3_200;
  scene.on({ type: "connection", connection: { state: "reconnecting", retryAtMs } });
  expect(scene.screen).toContain("reconnecting in 4 s");
  scene.on({ type: "tick", nowMs: retryAtMs - 900 });
  expect(scene.screen).toContain("reconnecting in 1 s");
  scene.on({ type: "tick", nowMs: retryAtMs });
  expect(scene.screen).toContain("reconnecting …");
});

test("the screen has as many rows as the terminal, and each row fits into a terminal of at least four columns", () => {
  for (const columns of [1, 5, 16, 40, 59, 60, 80, 200]) {
    for (const rows of [1, 2, 3, 5, 24]) {
      for (const keys of ["", "\x0b", "/help\r", "\x1b[5~", "x".repeat(300)]) {
        const scene = conversation(columns, rows).types(`\x15${keys}`);
        scene.says("geral", "家族", "漢字とかな交じりの文章はとても幅が広いです 👩‍👩‍👧‍👦👩‍👩‍👧‍👦");
        const { lines, cursor } = view(scene.model);
        expect(lines.length, `${columns}×${rows}`).toBe(rows);
        for (const line of lines) {
          const text = line.map((span) => span.text).join("");
          expect(cellsOf(text), `${columns}×${rows} ${text}`).toBeLessThanOrEqual(
            Math.max(4, columns),
          );
        }
        expect(cursor.row).toBeLessThan(rows);
      }
    }
  }
});
