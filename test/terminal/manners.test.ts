import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ChatClient } from "../../src/client/chat-client.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { cliFile } from "./cli-process.ts";
import { closeTerminals, hasTmux, Terminal, why } from "./tmux-terminal.ts";

describe.skipIf(!hasTmux)(`what people type and paste${why}`, () => {
  let cluster: LocalCluster;
  let zoe: ChatClient;
  let home: TemporaryFolder;
  const opened: Terminal[] = [];

  beforeAll(async () => {
    cluster = await LocalCluster.start();
    zoe = cluster.client();
    await zoe.login("zoe");
  }, 60_000);

  beforeEach(async () => {
    home = await temporaryFolder();
  });

  afterEach(async () => {
    for (const terminal of opened.splice(0)) terminal.killNow();
    closeTerminals();
    await home[Symbol.asyncDispose]();
  });

  afterAll(() => cluster?.[Symbol.asyncDispose](), 30_000);

  /** A chat in a channel of its own. */
  async function open(user: string, channel: string, flags = ""): Promise<Terminal> {
    await zoe.createChannel(channel);
    const { broker, proxy, reference } = cluster.endpoints;
    const endpoints = `--broker ${broker} --proxy ${proxy} --reference ${reference}`;
    const chat = `${process.execPath} ${cliFile} chat --user ${user} ${flags} ${endpoints}`;
    const terminal = new Terminal(`LANG=C.UTF-8 XDG_STATE_HOME=${home.path} ${chat}`);
    opened.push(terminal);
    await terminal.shows(`${user} · `);
    await enter(terminal, `/join ${channel}`);
    await terminal.shows(`› #${channel}`);
    return terminal;
  }

  async function enter(terminal: Terminal, line: string): Promise<void> {
    terminal.types(line);
    await terminal.shows(`› ${line}`);
    terminal.keys("Enter");
  }

  async function texts(channel: string): Promise<string[]> {
    const { entries } = await zoe.history({ channel: channel as never });
    return entries.map(({ message }) => message);
  }

  test("/links writes a long link whole, and any key goes back to the chat", async () => {
    const ana = await open("ana", "links");
    enter(ana, "/links");
    await ana.shows("There is no link in what was fetched of #links");
    const long = `https://example.org/${"way/".repeat(45)}end`;
    await zoe.publish("zoe", "links", `look: ${long}.`);
    await zoe.publish("zoe", "links", "and (http://example.org/short)");
    await ana.shows("/short)");
    enter(ana, "/links");
    await ana.shows("Enter goes back to the chat.");
    expect(ana.unwrapped).toContain(
      `Links in #links, the newest last:\n\n${long}\nhttp://example.org/short\n`,
    );
    expect(ana.screen).not.toContain("connected");
    ana.keys("Enter");
    await ana.shows("ana · connected");
    await enter(ana, "still here");
    await ana.shows("ana  still here");
    enter(ana, "/links");
    await ana.shows("Enter goes back to the chat.");
    process.kill(ana.pid, "SIGTERM");
    await ana.shows("Enter goes back to the chat.\ncode 0\nicanon");
  }, 60_000);

  test("a paste without brackets is kept in the line, with all its lines, until Enter", async () => {
    const ana = await open("ana", "paste");
    ana.pastes("first\n/part\n\tthird\n");
    await ana.shows("third");
    // An Enter that comes too soon would be part of the paste.
    await until(async () => {
      ana.keys("Enter");
      return (await texts("paste")).length > 0;
    }, "it is sent");
    expect(ana.screen).not.toContain("You left");
    expect((await texts("paste"))[0]?.trimEnd()).toBe("first\n/part\n\tthird");
  }, 60_000);

  test("a paste larger than a read of the terminal is one text", async () => {
    const ana = await open("ana", "large");
    const lines = Array.from({ length: 300 }, (_, at) => `${at} ${"x".repeat(at % 50)}`);
    ana.pastes(`${"y".repeat(4_094)}\n${lines.join("\n")}\nlast line\n`);
    await ana.shows("last line");
    ana.keys("x");
    await ana.shows("\n  x");
    expect(await texts("large")).toEqual([]);
  }, 60_000);

  test("a text that begins with a slash is sent only by // or /say", async () => {
    const ana = await open("ana", "slash");
    await enter(ana, "/shrug");
    await ana.shows("There is no command /shrug; nothing was sent.");
    await ana.shows("write //shrug");
    await enter(ana, "//shrug");
    await ana.shows("ana  /shrug ✓");
    await enter(ana, "//me waves");
    await ana.shows("A text can't begin with /me");
    expect(await texts("slash")).toEqual(["/shrug"]);
  }, 60_000);

  test("the refusal of an unknown command tells in Portuguese how to send it as a text", async () => {
    const ana = await open("ana", "barra", "--lang pt-br");
    await enter(ana, "/shrug");
    await ana.shows("escreva //shrug");
  }, 60_000);
});
