import { describe, expect, test } from "vitest";
import { PersonFiles } from "../../src/client/person-files.ts";
import type { Child } from "../../src/cluster/child.ts";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { until } from "../support/until.ts";
import { enter, join, quit, restartMs, say, scene } from "./scene.ts";
import { hasTmux, type Terminal, why } from "./tmux-terminal.ts";

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe.skipIf(!hasTmux)(`the full-screen chat${why}`, () => {
  const place = scene();

  /** The numbered texts on a screen (a10, b11 …), in their order. */
  const numbered = ({ screen }: Terminal) => screen.match(/\b[ab]\d\d\b/g);

  async function kill(children: readonly Child[]): Promise<void> {
    const again = Promise.all(children.map((child) => child.nextReady()));
    for (const child of children) child.signal("SIGKILL");
    await again;
  }

  test("`up --chat` starts a cluster with talking bots and opens a chat with a hint at /help", async () => {
    const flags = `--servers 1 --bots 2 --port 0 --data ${place.home.path}/data`;
    const terminal = place.run(`up ${flags} --chat`, { rows: 30 });
    await terminal.shows("Your name", restartMs);
    terminal.enter("ana");
    await terminal.shows("/help explains it all");
    await terminal.shows("› #geral");
    await until(() => /bot_\w+ {2}\S/.test(terminal.screen), "a bot says something");
    await say(terminal, "Bom dia!");
    // A new cluster is unhealthy until it has elected a coordinator.
    await until(async () => {
      await enter(terminal, "/status");
      return /│ healthy · coordinator/.test(terminal.screen);
    }, "the cluster is healthy");
    await quit(terminal);
  }, 60_000);

  test("two people exchange messages in a channel and in private", async () => {
    const ana = place.chat("ana", { columns: 120 });
    await ana.shows("› #geral");
    await ana.shows("/help explains it all");
    await say(ana, "Bom dia 🙂 漢字");
    const bia = place.chat("bia");
    await bia.shows("ana  Bom dia 🙂 漢字");
    await say(bia, "Oi @ana!");
    await ana.shows("bia  Oi @ana!");
    await enter(bia, "/msg ana psst");
    await bia.shows("bia  psst ✓");
    await bia.shows("› @ana");
    await ana.shows("@bia");
    await until(() => /@bia.* 1 │/.test(ana.screen), "one unread message of bia's");
    ana.keys("M-a");
    await ana.shows("bia  psst");
    await ana.shows("── new since you left");
    await say(ana, "shh");
    await bia.shows("ana  shh");
    await enter(ana, "/status");
    await ana.shows("3 of 3 members live");
  }, 60_000);

  test("when a server is killed, two chats show each line once and in order", async () => {
    const name = await place.channel("mid");
    const [ana, bia] = [place.chat("ana"), place.chat("bia")];
    for (const terminal of [ana, bia]) {
      await join(terminal, name);
    }
    const expected: string[] = [];
    let killed: Promise<void> | undefined;
    for (let turn = 10; turn < 20; turn += 1) {
      if (turn === 15) killed = kill([place.cluster.server(1)]);
      await say(ana, `a${turn}`);
      await say(bia, `b${turn}`);
      expected.push(`a${turn}`, `b${turn}`);
    }
    await killed;
    await ana.shows("b19");
    await bia.shows("a19");
    expect(numbered(ana)).toEqual(expected);
    expect(numbered(bia)).toEqual(expected);
    expect(await place.texts(name)).toEqual(expected);
  }, 90_000);

  test("two chats send and receive again after the whole cluster was killed and restarted", async () => {
    const name = await place.channel("whole");
    const [ana, bia] = [place.chat("ana"), place.chat("bia")];
    for (const terminal of [ana, bia]) {
      await join(terminal, name);
    }
    await say(ana, "a10");
    await bia.shows("a10");
    const again = kill(
      (["reference", "proxy", "broker", "server"] as const).flatMap((role) =>
        place.cluster.of(role),
      ),
    );
    await ana.shows("reconnecting");
    await enter(ana, "a11");
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

  test("two chats of one person show the same messages, and the person's next chat shows all channels that these two chats joined", async () => {
    const [one, other] = [await place.channel("sala"), await place.channel("varanda")];
    const desk = place.chat("ana");
    await desk.shows("#geral");
    const sofa = place.chat("ana");
    await sofa.shows("#geral");
    for (const [terminal, name] of [
      [desk, one],
      [sofa, other],
    ] as const) {
      await enter(terminal, `/join ${name}`);
      await terminal.shows(`› #${name}`);
    }
    for (const text of ["a10", "a11"]) {
      await enter(desk, `/msg zoe ${text}`);
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
    const next = place.chat("ana");
    for (const name of [one, other]) await next.shows(`#${name}`);
    await next.shows("@zoe");
  }, 60_000);

  test.each(["a closed terminal", "SIGTERM", "SIGKILL"] as const)(
    "the next chat shows the unsent text of a chat that was ended by %s",
    async (way) => {
      const ana = place.chat("ana");
      await ana.shows("› #geral");
      ana.types("begun and not sent");
      await ana.shows("› begun and not sent");
      // SIGKILL leaves no time to save, so the draft must be saved before it.
      const files = new PersonFiles(
        `${place.home.path}/tertulia`,
        [place.cluster.endpoints.broker],
        "ana",
      );
      if (way === "SIGKILL") {
        await until(
          () => files.read().drafts["#geral"]?.[0] === "begun and not sent",
          "it is saved",
        );
      }
      const { pid } = ana;
      if (way === "a closed terminal") ana.close();
      else process.kill(pid, way);
      await until(() => !isAlive(pid), "the chat has ended", restartMs);
      const again = place.chat("ana");
      await again.shows("› begun and not sent");
      again.keys("Enter");
      await until(() => !again.screen.includes("› begun and not sent"), "Enter is taken");
      await again.shows("begun and not sent ✓", restartMs);
      await quit(again);
      expect(files.read().drafts).toEqual({});
    },
    restartMs,
  );

  test("the next chat sends each of the three messages in a killed chat's outbox exactly once", async () => {
    const name = await place.channel("outbox");
    const ana = place.chat("ana");
    await join(ana, name);
    await say(ana, "a10");
    const waiting = ["a11", "a12", "a13"];
    await place.withoutMajority(async () => {
      for (const text of waiting) {
        await enter(ana, text);
        await ana.shows(`${text} ⏳`);
      }
      process.kill(ana.pid, "SIGKILL");
      await ana.shows("code 137");
    });
    const next = place.chat("ana");
    for (const text of waiting) await next.shows(`${text} ✓`, restartMs);
    expect(numbered(next)).toEqual(["a10", ...waiting]);
    expect(await place.texts(name)).toEqual(["a10", ...waiting]);
  }, 90_000);

  test("a new chat opens the last chat's conversation, and marks as new the messages that arrived between the two chats", async () => {
    const name = await place.channel("left");
    const first = place.chat("ana");
    await join(first, name);
    await say(first, "before");
    await quit(first);
    await place.zoe.publish(parseChannelName(name), "while away, ana");
    await place.zoe.message(parseUserName("ana"), "private too");
    const second = place.chat("ana");
    await second.shows("zoe  while away, ana");
    await second.shows("── new since you left");
    await until(() => /@zoe.* 1 │/.test(second.screen), "one unread message of zoe's");
  }, 60_000);

  test("a chat shows each user who wrote while the person was away, although a bot wrote 600 messages", async () => {
    const name = await place.channel("tarde");
    const first = place.chat("eva");
    await join(first, name);
    await say(first, "before");
    await quit(first);
    const bot = place.cluster.client();
    await bot.login(parseUserName("rob"));
    await place.zoe.message(parseUserName("eva"), "only this");
    await place.zoe.publish(parseChannelName(name), "look, @eva");
    for (let number = 0; number < 600; number += 1) {
      void bot.message(parseUserName("eva"), "beep");
      void bot.publish(parseChannelName(name), "beep");
    }
    await until(() => bot.connection.open === 0, "all is there", restartMs);
    bot.close();
    const second = place.chat("eva");
    await until(() => /#tarde/.test(second.screen) && /@zoe.* 1 │/.test(second.screen), "zoe's");
    await until(() => /@rob.* 99\+ │/.test(second.screen), "those of the bot");
    // Paging up through the channel reaches its first unread message.
    for (let page = 0; page < 40 && !second.screen.includes("look, @eva"); page += 1) {
      second.keys("PageUp");
    }
    await second.shows("── new since you left");
    await second.shows("zoe  look, @eva");
    await enter(second, "/msg zoe");
    await second.shows("zoe  only this");
    await enter(second, "/part");
    await second.shows("You left @zoe");
    await enter(second, "/msg zoe");
    await second.shows("zoe  only this");
  }, 60_000);

  test("[Q31] /search in the full-screen chat shows what is found above the input line", async () => {
    const ana = await place.chatIn("search", "ana");
    for (const text of ["a needle", "hay", "the Needle"]) await say(ana, text);
    await enter(ana, "/search needle");
    await ana.shows("Found in #search (2): needle");
    await ana.shows(" ana: a needle");
    await ana.shows(" ana: the Needle");
    await quit(ana);
  }, 60_000);

  test("in the full-screen chat, PageUp fetches the history up to its beginning, and Esc returns to its end", async () => {
    const name = await place.channel("long");
    const messages = Array.from({ length: 250 }, (_, at) => `line ${at + 1}.`);
    for (const message of messages) void place.zoe.publish(parseChannelName(name), message);
    await until(
      async () => (await place.texts(name)).length === 100 && place.zoe.connection.open === 0,
      "all is there",
    );
    const ana = place.chat("ana", { rows: 24 });
    await join(ana, name);
    await until(() => {
      ana.keys("PageUp");
      return ana.screen.includes("── the beginning");
    }, "the beginning is reached");
    ana.keys("Escape");
    await until(() => !ana.screen.includes("PgDn"), "the end is reached");
  }, 60_000);
});
