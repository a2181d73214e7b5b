import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { PersonFiles } from "../../src/client/person-files.ts";
import type { Session } from "../../src/client/session.ts";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { CliProcess, cliFile } from "./cli-process.ts";
import { closeTerminals, hasTmux, Terminal, why } from "./tmux-terminal.ts";

let cluster: LocalCluster;
let zoe: Session;
let home: TemporaryFolder;

beforeAll(async () => {
  cluster = await LocalCluster.start();
  zoe = cluster.client();
  await zoe.login(parseUserName("zoe"));
  await zoe.createChannel(parseChannelName("geral"));
  for (let number = 1; number <= 30; number += 1) {
    await zoe.publish(parseChannelName("geral"), `line ${number}`);
  }
}, 60_000);

beforeEach(async () => {
  home = await temporaryFolder();
});

afterEach(async () => {
  closeTerminals();
  await home[Symbol.asyncDispose]();
});

afterAll(() => cluster?.[Symbol.asyncDispose](), 30_000);

function damaged(user: string, content: string): string {
  const root = join(home.path, "tertulia");
  const { outboxFolder } = new PersonFiles(root, [cluster.endpoints.broker], user);
  const folder = dirname(outboxFolder);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "chat.json"), content);
  return folder;
}

async function lines(user: string, input = ""): Promise<{ stdout: string; stderr: string }> {
  const { broker, proxy, reference } = cluster.endpoints;
  using chat = new CliProcess(["chat", "--user", user], {
    TERTULIA_BROKER: broker,
    TERTULIA_PROXY: proxy,
    TERTULIA_REFERENCE: reference,
    TERTULIA_DATA: join(home.path, "none"),
    XDG_STATE_HOME: home.path,
  });
  return await chat.end(input);
}

describe.skipIf(!hasTmux)(`a damaged chat.json in the full screen${why}`, () => {
  function open(user: string, flags: string): Terminal {
    const { broker, proxy, reference } = cluster.endpoints;
    const endpoints = `--broker ${broker} --proxy ${proxy} --reference ${reference}`;
    const chat = `${process.execPath} ${cliFile} chat --user ${user} ${flags} ${endpoints}`;
    const command = `LANG=C.UTF-8 XDG_STATE_HOME=${home.path} ${chat}`;
    return new Terminal(command, { columns: 80, rows: 24 });
  }

  test.each([
    [
      "en",
      "is damaged: the parts that can't be understood are missing here.",
      "has the file as it was.",
    ],
    [
      "pt-br",
      "está danificado: as partes que não dá para entender faltam aqui.",
      "tem o arquivo como estava.",
    ],
  ])(
    "the full-screen chat reports a damaged chat.json below the newest messages, in the language %s",
    async (language, what, where) => {
      const content = '{"joined":["geral"],"current":"#geral","read":[]}';
      const folder = damaged("ana", content);
      const ana = open("ana", `--lang ${language}`);
      // The chat breaks words and paths anywhere, so the test ignores spaces.
      const pane = () => ana.screen.replaceAll(/^.*│ ?|\s/gm, "");
      const path = join(folder, "chat.json");
      const told = `line 30${path}${what}${path}.damaged-1${where}`.replaceAll(" ", "");
      await until(() => pane().includes(told), "it is told");
      ana.types("/quit");
      await ana.shows("› /quit");
      ana.keys("Enter");
      await ana.shows("code 0");
      expect(readFileSync(join(folder, "chat.json.damaged-1"), "utf8")).toBe(content);
    },
    60_000,
  );
});

test.each(["{", '{"read":{"@zoe":7}}', '{"read":[]}'])(
  "chat by lines shows unread private messages although chat.json has the damaged content %s",
  async (content) => {
    const user = `rui${content.length}`;
    await cluster.client().login(parseUserName(user));
    await zoe.message(parseUserName(user), "not seen yet");
    const folder = damaged(user, content);
    const { stdout, stderr } = await lines(user);
    expect(stderr).toContain(`${join(folder, "chat.json")} is damaged: `);
    expect(stdout).toContain("not seen yet");
    const after = await lines(user);
    expect(after).toEqual({ code: 0, stdout: "", stderr: "" });
  },
  60_000,
);

test("after a chat by lines found a damaged file, the next chat shows the messages that arrived between these two chats", async () => {
  await cluster.client().login(parseUserName("eva"));
  damaged("eva", "{");
  await lines("eva");
  await zoe.message(parseUserName("eva"), "while away");
  expect((await lines("eva")).stdout).toContain("while away");
});
