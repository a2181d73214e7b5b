import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Session } from "../../src/client/session.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { cliFile } from "./cli-process.ts";
import { closeTerminals, hasTmux, Terminal, why } from "./tmux-terminal.ts";

describe.skipIf(!hasTmux)(`the menu${why}`, () => {
  let cluster: LocalCluster;
  let bia: Session;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ servers: 1 });
    bia = cluster.client();
    await bia.login(parseUserName("bia"));
  }, 60_000);

  afterEach(closeTerminals);
  afterAll(() => cluster?.[Symbol.asyncDispose](), 30_000);

  function open(...flags: string[]): Terminal {
    const { broker, proxy } = cluster.endpoints;
    const endpoints = `--broker ${broker} --proxy ${proxy}`;
    const command = `LANG=C.UTF-8 ${process.execPath} ${cliFile} ${flags.join(" ")} ${endpoints}`;
    return new Terminal(command);
  }

  test("each of the menu's seven items works", async () => {
    const menu = open("menu");
    await menu.answers("? Your name", "ana", "Enter");
    await menu.shows("Welcome, ana.");
    await menu.answers("7) Quit", "1", "Enter");
    await menu.shows("  @bia");
    await menu.answers("? What would you like to do?", "2", "Enter");
    await menu.answers("? Name of the new channel", "geral", "Enter");
    await menu.shows("The channel #geral has been created.");
    await menu.answers("? What would you like to do?", "4", "Enter");
    await menu.answers("❯ geral", "Enter");
    await menu.shows("You are in #geral.");
    await menu.answers("? What would you like to do?", "3", "Enter");
    await menu.shows("  #geral *");
    await menu.answers("? What would you like to do?", "5", "Enter");
    await menu.answers("❯ geral", "Enter");
    await menu.answers("? Text", "Oi gente", "Enter");
    await menu.shows("#geral ana: Oi gente");
    await menu.answers("? What would you like to do?", "6", "Enter");
    await menu.answers("❯ bia", "Enter");
    await menu.answers("? Text", "psst", "Enter");
    await menu.shows("Sent to @bia;");
    await menu.answers("? What would you like to do?", "8", "Enter");
    await menu.answers("> Type a number from 1 to 7", "BSpace", "7", "Enter");
    await menu.shows("Goodbye.");
    await menu.shows("code 0\nicanon");
    const { entries } = await bia.history({ channel: "geral" as never });
    expect(entries.map(({ message }) => message)).toEqual(["Oi gente"]);
  }, 60_000);

  test("the menu shows messages of others above the question that the person is answering", async () => {
    const menu = open("menu", "--user", "caio");
    await menu.answers("7) Quit", "2", "Enter");
    await menu.answers("? Name of the new channel", "half-a-na");
    await menu.shows("channel half-a-na");
    await bia.message(parseUserName("caio"), "psst\x1b[2J");
    await menu.answers("bia → caio: psst␛[2J", "me");
    await menu.shows("channel half-a-name");
    const lines = menu.screen.trimEnd().split("\n");
    expect(lines.at(-1)).toBe("? Name of the new channel half-a-name");
    expect(lines.at(-2)).toMatch(/bia → caio: psst␛\[2J$/);
    expect(lines.filter((line) => line.includes("Name of the new"))).toHaveLength(1);
  }, 30_000);

  test("a paste of several lines becomes one answer of the menu, which waits for Enter", async () => {
    const menu = open("menu", "--user", "duda");
    await menu.answers("7) Quit", "2", "Enter");
    await menu.shows("? Name of the new channel");
    menu.pastes("one\ntwo\n7\n");
    await menu.shows("? Name of the new channel one two 7");
    menu.keys("BSpace");
    await menu.shows("? Name of the new channel one two\n");
  }, 30_000);

  test.each([["C-c"], ["C-d"]])("%s ends the menu and restores the terminal", async (key) => {
    const menu = open("menu", "--user", "ana");
    await menu.answers("7) Quit", key);
    await menu.shows("Goodbye.");
    await menu.shows("code 0\nicanon");
  });

  test("SIGTERM ends the menu and restores the terminal", async () => {
    const menu = open("menu", "--user", "ana");
    await menu.shows("7) Quit");
    process.kill(menu.pid, "SIGTERM");
    await menu.shows("Goodbye.");
    await menu.shows("code 0\nicanon");
  });

  test("the menu says when its connection to the broker is lost and when it is connected again", async () => {
    const menu = open("menu", "--user", "ana");
    await menu.shows("7) Quit");
    cluster.of("broker")[0]?.signal("SIGKILL");
    await menu.shows("The connection was lost; trying again");
    await menu.shows("Connected again.");
    await menu.shows("7) Quit");
  }, 30_000);

  test("the menu ends with code 1 and a sentence if no broker answers", async () => {
    const flags = "menu --user ana --broker tcp://127.0.0.1:1 --timeout 1";
    const menu = new Terminal(`${process.execPath} ${cliFile} ${flags}`);
    await menu.shows("No broker answers at tcp://127.0.0.1:1");
    await menu.shows("code 1\nicanon");
    expect(menu.screen).not.toMatch(/\n {4}at /);
  });
});
