import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseChannelName } from "../../src/protocol/ids.ts";
import { until } from "../support/until.ts";
import { enter, scene } from "./scene.ts";
import { hasTmux, why } from "./tmux-terminal.ts";

describe.skipIf(!hasTmux)(`text that people type and paste${why}`, () => {
  const place = scene();

  test("/links in the full-screen chat prints long links unbroken, and Enter returns to the chat", async () => {
    const ana = await place.chatIn("links", "ana");
    await enter(ana, "/links");
    await ana.shows("No message fetched so far from #links has a link");
    const long = `https://example.org/${"way/".repeat(45)}end`;
    const { zoe } = place;
    await zoe.publish(parseChannelName("links"), `look: ${long}.`);
    await zoe.publish(parseChannelName("links"), "and (http://example.org/short)");
    await ana.shows("/short)");
    await enter(ana, "/links");
    await ana.shows("Enter goes back to the chat.");
    expect(ana.unwrapped).toContain(
      `Links in #links, the newest last:\n\n${long}\nhttp://example.org/short\n`,
    );
    expect(ana.screen).not.toContain("connected");
    ana.keys("Enter");
    await ana.shows("ana · connected");
    await enter(ana, "still here");
    await ana.shows("ana  still here");
    await enter(ana, "/links");
    await ana.shows("Enter goes back to the chat.");
    process.kill(ana.pid, "SIGTERM");
    await ana.shows("Enter goes back to the chat.\ncode 0\nicanon");
  }, 60_000);

  test.each([
    ["FORCE_HYPERLINK=1", true, "forced"],
    ["TERM_PROGRAM=tmux TERM_PROGRAM_VERSION=3.4", true, "new-tmux"],
    ["TERM_PROGRAM=tmux TERM_PROGRAM_VERSION=3.3a", false, "old-tmux"],
  ])(
    "with the environment variables %s, it is %s that the chat draws links as OSC 8 sequences",
    async (env, hasLinks, channel) => {
      const ana = await place.chatIn(channel, "ana", { env });
      const file = `${place.home.path}/bytes`;
      ana.recordsTo(file);
      const url = `https://example.org/${"way/".repeat(45)}end`;
      await place.zoe.publish(parseChannelName(channel), url);
      await until(
        () => existsSync(file) && readFileSync(file, "utf8").includes("end"),
        "it is drawn",
      );
      const whole = readFileSync(file, "utf8").split(`;${url}\x1b\\`);
      if (hasLinks) expect(whole.length).toBeGreaterThan(2);
      else expect(readFileSync(file, "utf8")).not.toContain("\x1b]8;");
    },
    60_000,
  );

  test("a paste without brackets stays in the input line, with all its lines, until the person presses Enter", async () => {
    const ana = await place.chatIn("paste", "ana");
    ana.pastes("first\n/part\n\tthird\n");
    await ana.shows("third");
    // An Enter that comes too early is part of the paste, so the test presses Enter until the text
    // is sent.
    await until(async () => {
      ana.keys("Enter");
      return (await place.texts("paste")).length > 0;
    }, "it is sent");
    expect(ana.screen).not.toContain("You left");
    expect((await place.texts("paste"))[0]?.trimEnd()).toBe("first\n/part\n\tthird");
  }, 60_000);

  test("a paste longer than one read of the terminal stays one text in the input line", async () => {
    const ana = await place.chatIn("large", "ana");
    const lines = Array.from({ length: 300 }, (_, at) => `${at} ${"x".repeat(at % 50)}`);
    ana.pastes(`${"y".repeat(4_094)}\n${lines.join("\n")}\nlast line\n`);
    await ana.shows("last line");
    ana.keys("x");
    await ana.shows("\n  x");
    expect(await place.texts("large")).toEqual([]);
  }, 60_000);

  test("the full-screen chat sends a text that begins with a slash only if the person types a second slash", async () => {
    const ana = await place.chatIn("slash", "ana");
    await enter(ana, "/shrug");
    await ana.shows("There is no command /shrug; nothing was sent.");
    await ana.shows("write //shrug");
    await enter(ana, "//shrug");
    await ana.shows("ana  /shrug ✓");
    await enter(ana, "//me waves");
    await ana.shows("A text can't begin with /me");
    expect(await place.texts("slash")).toEqual(["/shrug"]);
  }, 60_000);

  test("in Portuguese, the refusal of an unknown command explains how to send the line as a text", async () => {
    const ana = await place.chatIn("barra", "ana", { flags: "--lang pt-br" });
    await enter(ana, "/shrug");
    await ana.shows("escreva //shrug");
  }, 60_000);
});
