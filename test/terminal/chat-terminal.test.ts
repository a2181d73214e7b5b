import { readdir, readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { enter, say, scene } from "./scene.ts";
import { hasTmux, type Terminal, why } from "./tmux-terminal.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: colour sequences begin with ESC
const colour = /\u001b\[[0-9;]*[39][0-7]m/;

describe.skipIf(!hasTmux)(`the full-screen chat and its terminal${why}`, () => {
  const place = scene();

  test("the full-screen chat is drawn for the new size when the terminal's size changes", async () => {
    const ana = place.chat("ana", { columns: 80, rows: 24 });
    await ana.shows("│ #geral");
    ana.resize(30, 10);
    await until(() => !ana.screen.includes("│"), "the list makes room");
    await ana.shows("ana · connected");
    ana.resize(200, 50);
    await ana.shows("│ #geral");
    ana.resize(16, 8);
    await until(() => !ana.screen.includes("│"), "the list makes room");
    await say(ana, "narrow");
    await enter(ana, "just a line");
    await ana.shows("ana  just a line");
  }, 60_000);

  test("with NO_COLOR, the full-screen chat shows no colours", async () => {
    const ana = place.chat("ana", { env: "NO_COLOR=1" });
    await ana.shows("ana · connected");
    expect(ana.colours).not.toMatch(colour);
    const bia = place.chat("bia");
    await bia.shows("bia · connected");
    expect(bia.colours).toMatch(colour);
  }, 60_000);

  test("/lang changes the language of a running full-screen chat", async () => {
    const ana = place.chat("ana");
    await ana.shows("ana · connected");
    await enter(ana, "/lang pt-br");
    await ana.shows("ana · conectado");
    await enter(ana, "/jion x");
    await ana.shows("Seria /join?");
  }, 60_000);

  test.each([
    ["/quit", (ana: Terminal) => ana.types("/quit\r")],
    ["Ctrl-C twice", (ana: Terminal) => ana.keys("C-c", "C-c")],
    ["Ctrl-D", (ana: Terminal) => ana.keys("C-d")],
    ["SIGTERM", (ana: Terminal) => process.kill(ana.pid, "SIGTERM")],
  ])(
    "%s ends the full-screen chat and restores the terminal",
    async (_how, end) => {
      const ana = place.chat("ana");
      await ana.shows("ana · connected");
      end(ana);
      await ana.shows("code 0\nicanon");
      expect(ana.screen).toBe("code 0\nicanon\n");
    },
    30_000,
  );

  test("after an uncaught error, the full-screen chat ends, restores the terminal and prints the error", async () => {
    const defect = "process.on('SIGUSR2',()=>{throw(new(Error)('a-defect'))})";
    const env = `NODE_OPTIONS="--import=data:text/javascript,${defect}"`;
    const ana = place.chat("ana", { env });
    await ana.shows("ana · connected");
    process.kill(ana.pid, "SIGUSR2");
    await ana.shows("\nicanon");
    expect(ana.screen).toContain("Error: a-defect");
    expect(ana.screen).not.toContain("connected");
  }, 30_000);

  test("Node's warnings are written to the chat's log, not to the screen", async () => {
    const warning = "process.on('SIGUSR2',()=>process.emitWarning('a-warning'))";
    const env = `NODE_OPTIONS="--import=data:text/javascript,${warning}"`;
    const ana = place.chat("ana", { env });
    await ana.shows("ana · connected");
    process.kill(ana.pid, "SIGUSR2");
    const chats = `${place.home.path}/tertulia/chats`;
    await until(async () => {
      const [folder = ""] = await readdir(chats);
      return (await readFile(`${chats}/${folder}/chat.log`, "utf8")).includes("a-warning");
    }, "it is in the log");
    expect(ana.screen).not.toContain("a-warning");
  }, 30_000);

  test("`chat` works by lines, not in full screen, in a terminal that can't move its cursor", async () => {
    const ana = place.chat("ana", { env: "TERM=dumb" });
    ana.types("/join geral\r");
    await ana.shows("You are in #geral; what you write goes there.");
    const bia = place.chat("bia", { flags: "--lines" });
    bia.types("/join geral\r");
    await bia.shows("You are in #geral; what you write goes there.");
    bia.types("Oi de bia\r");
    await ana.shows("#geral bia: Oi de bia");
  }, 60_000);
});
