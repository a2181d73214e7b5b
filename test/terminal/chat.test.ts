import { execFileSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ChatClient } from "../../src/client/chat-client.ts";
import { PersonFiles } from "../../src/client/person-files.ts";
import type { Child } from "../../src/cluster/child.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { cliFile } from "./cli-process.ts";
import { closeTerminals, hasTmux, Terminal, why } from "./tmux-terminal.ts";

const restartMs = 30_000;
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const colour = /\u001b\[[0-9;]*[39][0-7]m/;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe.skipIf(!hasTmux)(`the full-screen chat${why}`, () => {
  let cluster: LocalCluster;
  let reader: ChatClient;
  /** Where people's chats keep what they read and what they have to send: of each test its own. */
  let home: TemporaryFolder;

  const opened: Terminal[] = [];

  beforeAll(async () => {
    cluster = await LocalCluster.start({ servers: 3 });
    reader = cluster.client();
    await reader.login("zoe");
    await reader.createChannel("geral");
  }, 60_000);

  beforeEach(async () => {
    home = await temporaryFolder();
  });

  afterEach(async () => {
    // One that is left to end by itself may still write.
    for (const terminal of opened.splice(0)) terminal.killNow();
    closeTerminals();
    await home[Symbol.asyncDispose]();
  });

  afterAll(() => cluster?.[Symbol.asyncDispose](), 30_000);

  function open(
    user: string,
    { flags = "", env = "", rows = 50, columns = 100, isJob = false } = {},
  ): Terminal {
    const { broker, proxy, reference } = cluster.endpoints;
    const endpoints = `--broker ${broker} --proxy ${proxy} --reference ${reference}`;
    const state = `XDG_STATE_HOME=${home.path}/${user}`;
    const chat = `${process.execPath} ${cliFile} chat --user ${user} ${flags} ${endpoints}`;
    const command = `TZ=UTC LANG=C.UTF-8 ${state} ${env} ${chat}`;
    const terminal = new Terminal(isJob ? "bash --norc -i" : command, { columns, rows });
    if (isJob) enter(terminal, command);
    opened.push(terminal);
    return terminal;
  }

  function enter(terminal: Terminal, line: string): void {
    terminal.types(line);
    terminal.keys("Enter");
  }

  async function join(terminal: Terminal, name: string): Promise<void> {
    await terminal.shows("#geral");
    enter(terminal, `/join ${name}`);
    await terminal.shows(`› #${name}`);
    // Text that arrives together with Enter would be a paste.
    await until(() => !terminal.screen.includes("› /join"), "Enter is read");
  }

  /** Its terminal is as it was. */
  async function quit(terminal: Terminal): Promise<void> {
    enter(terminal, "/quit");
    await terminal.shows("code 0\nicanon", restartMs);
  }

  /** Writes a line, and waits until a majority has it. */
  async function say(terminal: Terminal, text: string): Promise<void> {
    enter(terminal, text);
    await terminal.shows(`${text} ✓`, restartMs);
  }

  async function channel(name: string): Promise<string> {
    await reader.createChannel(name);
    return name;
  }

  async function texts(name: string): Promise<string[]> {
    const { entries } = await reader.history({ channel: name as never });
    return entries.map(({ message }) => message);
  }

  /** The numbered lines of a screen, as they stand. */
  const numbered = ({ screen }: Terminal) => screen.match(/\b[ab]\d\d\b/g);

  async function kill(children: readonly Child[]): Promise<void> {
    const again = Promise.all(children.map((child) => child.nextReady()));
    for (const child of children) child.signal("SIGKILL");
    await again;
  }

  test("is where a cluster of one's own begins: bots talk already, a hint says what to do", async () => {
    const flags = `--servers 1 --bots 2 --port 0 --data ${home.path}/data`;
    const up = `${process.execPath} ${cliFile} up ${flags} --chat`;
    const terminal = new Terminal(`LANG=C.UTF-8 XDG_STATE_HOME=${home.path} ${up}`, {
      columns: 100,
      rows: 30,
    });
    opened.push(terminal);
    await terminal.shows("Your name", restartMs);
    enter(terminal, "ana");
    await terminal.shows("/help tells all");
    await terminal.shows("› #geral");
    await until(() => /bot_\w+ {2}\S/.test(terminal.screen), "a bot says something");
    await say(terminal, "Bom dia!");
    await quit(terminal);
  }, 60_000);

  test("two people talk in a channel and in private", async () => {
    const ana = open("ana", { columns: 120 });
    await ana.shows("› #geral");
    await ana.shows("/help tells all");
    await say(ana, "Bom dia 🙂 漢字");
    const bia = open("bia");
    await bia.shows("ana  Bom dia 🙂 漢字");
    await say(bia, "Oi @ana!");
    await ana.shows("bia  Oi @ana!");
    enter(bia, "/msg ana psst");
    await bia.shows("bia  psst ✓");
    await bia.shows("› @ana");
    await ana.shows("@bia");
    await until(() => /@bia.* 1 │/.test(ana.screen), "one unread message of bia's");
    ana.keys("M-a");
    await ana.shows("bia  psst");
    await ana.shows("── new since you left");
    await say(ana, "shh");
    await bia.shows("ana  shh");
    enter(ana, "/status");
    await ana.shows("3 of 3 members live");
  }, 60_000);

  test("a server that is killed costs neither a line, and doubles none", async () => {
    const name = await channel("mid");
    const [ana, bia] = [open("ana"), open("bia")];
    for (const terminal of [ana, bia]) {
      await join(terminal, name);
    }
    const expected: string[] = [];
    let killed: Promise<void> | undefined;
    for (let turn = 10; turn < 20; turn += 1) {
      if (turn === 15) killed = kill([cluster.server(1)]);
      await say(ana, `a${turn}`);
      await say(bia, `b${turn}`);
      expected.push(`a${turn}`, `b${turn}`);
    }
    await killed;
    await ana.shows("b19");
    await bia.shows("a19");
    expect(numbered(ana)).toEqual(expected);
    expect(numbered(bia)).toEqual(expected);
    expect(await texts(name)).toEqual(expected);
  }, 90_000);

  test("the whole cluster is killed and comes back, and the chat goes on", async () => {
    const name = await channel("whole");
    const [ana, bia] = [open("ana"), open("bia")];
    for (const terminal of [ana, bia]) {
      await join(terminal, name);
    }
    await say(ana, "a10");
    await bia.shows("a10");
    const again = kill(
      (["reference", "proxy", "broker", "server"] as const).flatMap((role) => cluster.of(role)),
    );
    await ana.shows("reconnecting");
    enter(ana, "a11");
    await ana.shows("a11 ⏳");
    await again;
    await ana.shows("a11 ✓", restartMs);
    await bia.shows("a11", restartMs);
    await say(bia, "b12");
    await ana.shows("b12");
    expect(numbered(ana)).toEqual(["a10", "a11", "b12"]);
    expect(numbered(bia)).toEqual(["a10", "a11", "b12"]);
    await ana.shows("ana · connected");
  }, 90_000);

  test("two chats of one person show the same, and neither undoes what the other saves", async () => {
    const [one, other] = [await channel("sala"), await channel("varanda")];
    const desk = open("ana");
    await desk.shows("#geral");
    const sofa = open("ana");
    await sofa.shows("#geral");
    for (const [terminal, name] of [
      [desk, one],
      [sofa, other],
    ] as const) {
      enter(terminal, `/join ${name}`);
      await terminal.shows(`› #${name}`);
    }
    for (const text of ["a10", "a11"]) {
      enter(desk, `/msg zoe ${text}`);
      await desk.shows(`${text} ✓`);
    }
    await sofa.shows("@zoe");
    sofa.keys("M-4");
    await sofa.shows("ana  a11 ✓");
    await say(sofa, "a12");
    await desk.shows("a12 ✓");
    for (const terminal of [sofa, desk]) {
      expect(numbered(terminal)).toEqual(["a10", "a11", "a12"]);
      await quit(terminal);
    }
    const next = open("ana");
    for (const name of [one, other]) await next.shows(`#${name}`);
    await next.shows("@zoe");
  }, 60_000);

  test.each(["its terminal is closed", "SIGTERM", "SIGKILL"] as const)(
    "a draft is there in the next chat: %s",
    async (way) => {
      const ana = open("ana");
      await join(ana, "geral");
      ana.types("begun and not sent");
      await ana.shows("› begun and not sent");
      // At SIGKILL only what was saved before is left.
      const files = new PersonFiles(`${home.path}/ana/tertulia`, [cluster.endpoints.broker], "ana");
      if (way === "SIGKILL") {
        await until(() => files.read().drafts["#geral"] === "begun and not sent", "it is saved");
      }
      const { pid } = ana;
      if (way === "its terminal is closed") ana.close();
      else process.kill(pid, way);
      await until(() => !isAlive(pid), "the chat has ended", restartMs);
      const again = open("ana");
      await again.shows("› begun and not sent");
      enter(again, "");
      await again.shows("begun and not sent ✓", restartMs);
      await quit(again);
      expect(files.read().drafts).toEqual({});
    },
    restartMs,
  );

  test.each(["Ctrl-Z", "SIGTSTP"] as const)(
    "%s gives the terminal back to the shell, and fg draws all again",
    async (way) => {
      const ana = open("ana", { isJob: true });
      await join(ana, "geral");
      ana.types("begun before");
      await ana.shows("› begun before");
      if (way === "Ctrl-Z") ana.keys("C-z");
      else
        execFileSync("pkill", [`-${way}`, "-f", `chat --user ana .*${cluster.endpoints.broker}`]);
      await ana.shows("Stopped");
      enter(ana, "stty -a | grep -ow -e '-*icanon'");
      await ana.shows("\nicanon");
      expect(ana.screen).not.toContain("› begun before");
      ana.resize(90, 20);
      enter(ana, "fg");
      await ana.shows("› begun before");
      expect(ana.screen).toContain("#geral");
      ana.types(" and behind");
      await ana.shows("› begun before and behind");
      enter(ana, "");
      await ana.shows("begun before and behind ✓", restartMs);
    },
    2 * restartMs,
  );

  test("killed -9 with three messages in the outbox, the next chat sends them once", async () => {
    const name = await channel("outbox");
    const ana = open("ana");
    await join(ana, name);
    await say(ana, "a10");
    // Whoever is asked may write it, and nobody can tell that it is written.
    const stopped = [cluster.server(2), cluster.server(3)];
    for (const server of stopped) server.signal("SIGSTOP");
    const waiting = ["a11", "a12", "a13"];
    for (const text of waiting) {
      enter(ana, text);
      await ana.shows(`${text} ⏳`);
    }
    process.kill(ana.pid, "SIGKILL");
    await ana.shows("code 137");
    for (const server of stopped) server.signal("SIGCONT");
    const next = open("ana");
    for (const text of waiting) await next.shows(`${text} ✓`, restartMs);
    expect(numbered(next)).toEqual(["a10", ...waiting]);
    expect(await texts(name)).toEqual(["a10", ...waiting]);
  }, 90_000);

  test("goes on where it was left, and tells what is new", async () => {
    const name = await channel("left");
    const first = open("ana");
    await join(first, name);
    await say(first, "before");
    await quit(first);
    await reader.publish("zoe", name, "while away, ana");
    await reader.message("zoe", "ana", "private too");
    const second = open("ana");
    await second.shows("zoe  while away, ana");
    await second.shows("── new since you left");
    await until(() => /@zoe.* 1 │/.test(second.screen), "one unread message of zoe's");
  }, 60_000);

  test("tells who wrote while one was away, however much came since", async () => {
    const name = await channel("tarde");
    const first = open("eva");
    await join(first, name);
    await say(first, "before");
    await quit(first);
    const bot = cluster.client();
    await bot.login("rob");
    await reader.message("zoe", "eva", "only this");
    await reader.publish("zoe", name, "look, @eva");
    for (let number = 0; number < 600; number += 1) {
      void bot.message("rob", "eva", "beep");
      void bot.publish("rob", name, "beep");
    }
    await until(() => bot.open === 0, "all is there", restartMs);
    await bot.close();
    const second = open("eva");
    await until(() => /#tarde/.test(second.screen) && /@zoe.* 1 │/.test(second.screen), "zoe's");
    await until(() => /@rob.* 99\+ │/.test(second.screen), "those of the bot");
    // She is in the channel, which begins with what is new; all of it was fetched.
    for (let page = 0; page < 40 && !second.screen.includes("look, @eva"); page += 1) {
      second.keys("PageUp");
    }
    await second.shows("── new since you left");
    await second.shows("zoe  look, @eva");
    enter(second, "/msg zoe");
    await second.shows("zoe  only this");
    enter(second, "/part");
    await second.shows("You left @zoe");
    enter(second, "/msg zoe");
    await second.shows("zoe  only this");
  }, 60_000);

  test("pages through history that it fetches", async () => {
    const name = await channel("long");
    const messages = Array.from({ length: 250 }, (_, at) => `line ${at + 1}.`);
    for (const message of messages) void reader.publish("zoe", name, message);
    await until(
      async () => (await texts(name)).length === 100 && reader.open === 0,
      "all is there",
    );
    const ana = open("ana", { rows: 24 });
    await join(ana, name);
    await until(() => {
      ana.keys("PageUp");
      return ana.screen.includes("── the beginning");
    }, "the beginning is reached");
    ana.keys("Escape");
    await until(() => !ana.screen.includes("PgDn"), "the end is reached");
  }, 60_000);

  test("fits its terminal, whatever becomes of its size", async () => {
    const ana = open("ana", { columns: 80, rows: 24 });
    await ana.shows("│ #geral");
    ana.resize(30, 10);
    await until(() => !ana.screen.includes("│"), "the list makes room");
    await ana.shows("ana · connected");
    ana.resize(200, 50);
    await ana.shows("│ #geral");
    ana.resize(16, 8);
    await until(() => !ana.screen.includes("│"), "the list makes room");
    await say(ana, "narrow");
    ana.types("just a line\r");
    await ana.shows("ana  just a line");
  }, 60_000);

  test("without colours there are none", async () => {
    const ana = open("ana", { env: "NO_COLOR=1" });
    await ana.shows("ana · connected");
    expect(ana.colours).not.toMatch(colour);
    const bia = open("bia");
    await bia.shows("bia · connected");
    expect(bia.colours).toMatch(colour);
  }, 60_000);

  test("another language is spoken at once", async () => {
    const ana = open("ana");
    await ana.shows("ana · connected");
    enter(ana, "/lang pt-br");
    await ana.shows("ana · conectado");
    enter(ana, "/jion x");
    await ana.shows("Seria /join?");
  }, 60_000);

  test.each([
    ["/quit", (ana: Terminal) => ana.types("/quit\r")],
    ["Ctrl-C twice", (ana: Terminal) => ana.keys("C-c", "C-c")],
    ["Ctrl-D", (ana: Terminal) => ana.keys("C-d")],
    ["SIGTERM", (ana: Terminal) => process.kill(ana.pid, "SIGTERM")],
  ])(
    "%s ends it; nothing of it stays, and the terminal is as it was",
    async (_how, end) => {
      const ana = open("ana");
      await ana.shows("ana · connected");
      end(ana);
      await ana.shows("code 0\nicanon");
      expect(ana.screen).toBe("code 0\nicanon\n");
    },
    30_000,
  );

  test("a defect ends it with its stack, and the terminal is as it was", async () => {
    const defect = "process.on('SIGUSR2',()=>{throw(new(Error)('a-defect'))})";
    const env = `NODE_OPTIONS="--import=data:text/javascript,${defect}"`;
    const ana = open("ana", { env });
    await ana.shows("ana · connected");
    process.kill(ana.pid, "SIGUSR2");
    await ana.shows("\nicanon");
    expect(ana.screen).toContain("Error: a-defect");
    expect(ana.screen).not.toContain("connected");
  }, 30_000);

  test("what Node warns of goes to the log, not across the screen", async () => {
    const warning = "process.on('SIGUSR2',()=>process.emitWarning('a-warning'))";
    const env = `NODE_OPTIONS="--import=data:text/javascript,${warning}"`;
    const ana = open("ana", { env });
    await ana.shows("ana · connected");
    process.kill(ana.pid, "SIGUSR2");
    const chats = `${home.path}/ana/tertulia/chats`;
    await until(async () => {
      const [folder = ""] = await readdir(chats);
      return (await readFile(`${chats}/${folder}/chat.log`, "utf8")).includes("a-warning");
    }, "it is in the log");
    expect(ana.screen).not.toContain("a-warning");
  }, 30_000);

  test("a terminal that can't move its cursor gets lines", async () => {
    const ana = open("ana", { env: "TERM=dumb" });
    ana.types("/join geral\r");
    await ana.shows("You are in #geral; what you write goes there.");
    const bia = open("bia", { flags: "--lines" });
    bia.types("/join geral\r");
    await bia.shows("You are in #geral; what you write goes there.");
    bia.types("Oi de bia\r");
    await ana.shows("#geral bia: Oi de bia");
  }, 60_000);
});
