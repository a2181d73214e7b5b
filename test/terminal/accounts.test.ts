import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { wrongClock } from "../support/wrong-clock.ts";
import { CliProcess, cliFile, clusterVariables, type Ended } from "./cli-process.ts";
import { closeTerminals, hasTmux, Terminal, why } from "./tmux-terminal.ts";

const hourMs = 3_600_000;

let cluster: LocalCluster;
/** Where the person's sessions are: of each test its own. */
let home: TemporaryFolder;
let env: Record<string, string>;
let skewMs = 0;

beforeAll(async () => {
  cluster = await LocalCluster.start({
    servers: 1,
    auth: "required",
    settings: () => wrongClock(skewMs),
  });
}, 60_000);

afterAll(() => cluster?.[Symbol.asyncDispose](), 30_000);

beforeEach(async () => {
  home = await temporaryFolder();
  env = {
    ...clusterVariables(cluster.endpoints),
    // No operator's, whose secret would open more doors than a person has.
    TERTULIA_DATA: join(home.path, "none"),
    XDG_STATE_HOME: home.path,
  };
});

afterEach(() => home[Symbol.asyncDispose]());

async function run(command: string, input?: string, more: object = {}): Promise<Ended> {
  using running = new CliProcess(command.split(" "), { ...env, ...more });
  return await running.end(input);
}

async function account(user: string): Promise<void> {
  expect(await run(`register ${user}`, `${user}'s\n`)).toMatchObject({ code: 0 });
  expect(await run(`login ${user}`, `${user}'s\n`)).toMatchObject({ code: 0 });
}

const operator = () => ({ TERTULIA_DATA: cluster.folder });

/** Another of the person's machines, which the sessions here know nothing of. */
async function changePassword(user: string): Promise<void> {
  await using elsewhere = await temporaryFolder();
  const passwords = `${user}'s\n${user}'s new\n`;
  const changed = await run(`password ${user}`, passwords, { XDG_STATE_HOME: elsewhere.path });
  expect(changed).toMatchObject({ code: 0 });
}

describe("a session", () => {
  test("is begun by a password, and goes on in the commands that follow", async () => {
    expect(await run("users --user ana")).toMatchObject({
      code: 1,
      stderr:
        "tertulia: This cluster has accounts, and you are not logged in. " +
        "Log in with: tertulia login ana\n",
    });
    await account("ana");
    expect(await run("create geral")).toMatchObject({ code: 0 });
    expect(await run("send #geral Oi!")).toMatchObject({ code: 0 });
    expect((await run("history #geral")).stdout).toMatch(/ ana: Oi!\n$/);
    const wrong = await run("login ana", "not ana's\n");
    expect(wrong).toMatchObject({
      code: 1,
      stderr: "tertulia: The name or the password is wrong.\n",
    });
    expect(await run("users")).toMatchObject({ code: 0, stdout: "ana\n" });
  });

  test("is kept where nobody else reads it", async () => {
    await account("bia");
    const folder = join(home.path, "tertulia", "sessions");
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const files = await readdir(folder);
    // The session, the name of who logged in last, and their lock.
    expect(files).toHaveLength(3);
    for (const file of files) expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
  });

  test("of each user is kept, whoever logged in last", async () => {
    await account("caio");
    await account("dora");
    expect(await run("send @caio um")).toMatchObject({ code: 0 });
    expect(await run("send @dora dois --user caio")).toMatchObject({ code: 0 });
    expect((await run("history @caio")).stdout).toMatch(/dora → caio: um\n.*caio → dora: dois\n$/);
  });

  test("is begun by a password from a file", async () => {
    const file = join(home.path, "password");
    await writeFile(file, "eva's\r\nnot this line\n");
    const more = { TERTULIA_PASSWORD_FILE: file };
    expect(await run("register eva", "", more)).toMatchObject({ code: 0 });
    expect(await run(`login eva --password-file ${file}`)).toMatchObject({ code: 0 });
    expect(await run("password eva", "eva's new\n", more)).toMatchObject({ code: 0 });
    expect(await run("login eva", "", more)).toMatchObject({ code: 1 });
    expect(await run("login eva", "eva's new\n")).toMatchObject({ code: 0 });
    const none = await run("login eva --password-file nowhere");
    expect(none.stderr).toBe(
      "tertulia: The password file nowhere can't be read (ENOENT): check it.\n",
    );
    expect(none.code).toBe(2);
  });

  test("that has ended is told with the reason, and does not stand in a login's way", async () => {
    await account("fabi");
    using listener = new CliProcess(["listen", "@fabi"], env);
    await listener.saw("Listening to @fabi");
    await changePassword("fabi");
    const sentence =
      "tertulia: Your session has ended, since the password was changed. " +
      "Log in with: tertulia login fabi\n";
    expect(await run("users")).toMatchObject({ code: 1, stdout: "", stderr: sentence });
    const ended = await listener.end();
    expect(ended).toMatchObject({ code: 1 });
    expect(ended.stderr).toContain(sentence);
    expect((await run("users --lang pt-br")).stderr).toBe(
      "tertulia: Sua sessão terminou, pois a senha foi trocada. Entre com: tertulia login fabi\n",
    );
    expect(await run("login fabi", "fabi's new\n")).toMatchObject({ code: 0 });
    expect(await run("users")).toMatchObject({ code: 0 });
  }, 20_000);

  test("of an administrator takes a channel away, and gives it back", async () => {
    await account("ivone");
    for (const words of ["create sala", "send #sala Olá!"]) {
      expect(await run(words)).toMatchObject({ code: 0 });
    }
    const others = await run("channels remove sala");
    expect(others).toMatchObject({ code: 1 });
    expect(others.stderr).toContain("administrator");
    expect(await run("channels remove #sala", "", operator())).toMatchObject({
      code: 0,
      stderr: "The channel #sala is taken away. What was written there stays on disk.\n",
    });
    expect((await run("channels")).stdout).not.toContain("sala");
    expect(await run("send #sala no")).toMatchObject({ code: 1 });
    expect((await run("create sala --lang pt-br")).stderr).toContain("retirou esse canal");
    const back = await run("channels restore sala --json", "", operator());
    expect(JSON.parse(back.stdout)).toEqual({ channel: "sala", action: "restore" });
    expect((await run("history #sala")).stdout).toContain("ivone: Olá!");
  });

  test("of a locked account is no good, as long as it is locked", async () => {
    await account("gil");
    expect(await run("accounts lock gil", "", operator())).toMatchObject({ code: 0 });
    const locked = { code: 1, stderr: "tertulia: An administrator has locked this account.\n" };
    expect(await run("users")).toMatchObject(locked);
    expect(await run("login gil", "gil's\n")).toMatchObject(locked);
    expect(await run("accounts unlock gil", "", operator())).toMatchObject({ code: 0 });
    expect(await run("users")).toMatchObject({ code: 0 });
  });

  test("of nobody's who administers doesn't keep the operator from it", async () => {
    await account("hugo");
    const refused = await run("accounts promote hugo");
    expect(refused).toMatchObject({
      code: 1,
      stderr: "tertulia: Only an administrator may do that.\n",
    });
    expect(await run("accounts promote hugo", "", operator())).toMatchObject({ code: 0 });
    expect(await run("accounts registration open")).toMatchObject({ code: 0 });
  });

  test("that can't be kept is told in the person's language, with the folder and the code", async () => {
    expect(await run("register ivo", "ivo's\n")).toMatchObject({ code: 0 });
    await writeFile(join(home.path, "tertulia"), "no folder");
    const { stderr } = await run("login ivo --lang pt-br", "ivo's\n");
    expect(stderr).toContain(
      `A sessão termina com este comando, pois não pôde ser guardada em ${home.path}/tertulia/sessions (ENOTDIR): `,
    );
  });
});

describe("chat by lines", () => {
  test("takes the password from a file, and none from what is said", async () => {
    expect(await run("register kai", "kai's\n")).toMatchObject({ code: 0 });
    const refused = await run("chat --user kai", "kai's\n");
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain("Log in with: tertulia login kai");
    const file = join(home.path, "password");
    await writeFile(file, "kai's\n");
    const chat = `chat --user kai --password-file ${file}`;
    expect(await run(chat, "/users\n")).toMatchObject({ code: 0 });
    // The session that was begun goes on.
    expect(await run("chat --user kai", "/users\n")).toMatchObject({ code: 0 });
  });

  test("ends when its session does", async () => {
    await account("lia");
    using chat = new CliProcess(["chat"], env);
    chat.child.stdin.write("/users\n");
    await chat.saw("lia");
    await changePassword("lia");
    await until(() => chat.child.exitCode !== null, "the chat ends");
    expect(chat.child.exitCode).toBe(1);
    expect(chat.stderr).toContain("Your session has ended, since the password was changed.");
  }, 20_000);
});

describe.skipIf(!hasTmux)(`the menu${why}`, () => {
  afterEach(closeTerminals);

  function open(...flags: string[]): Terminal {
    const settings = Object.entries(env).map(([name, value]) => `${name}='${value}'`);
    const command = [process.execPath, cliFile, "menu", ...flags].join(" ");
    return new Terminal(`LANG=C.UTF-8 ${settings.join(" ")} ${command}`);
  }

  test("makes an account, and the next time asks nothing", async () => {
    const menu = open();
    await menu.answers("? Your name", "mara", "Enter");
    await menu.answers("? Who are you?", "2", "Enter");
    await menu.answers("? New password of mara", "mara's", "Enter");
    await menu.answers("? Once more", "mara's", "Enter");
    await menu.shows("Welcome, mara.");
    expect(menu.screen).not.toContain("mara's");
    menu.close();
    const again = open();
    await again.shows("Welcome, mara.");
    expect(again.screen).not.toContain("? Who are you?");
  }, 30_000);

  test("a wrong password may be typed again, or another name taken", async () => {
    expect(await run("register nina", "nina's\n")).toMatchObject({ code: 0 });
    const menu = open("--user", "nobody");
    await menu.answers("? Who are you?", "1", "Enter");
    await menu.answers("? Password of nobody", "x", "Enter");
    await menu.answers("The name or the password is wrong.\n? Password of nobody", "Enter");
    await menu.answers("3) Take another name", "3", "Enter");
    await menu.answers("? Your name", "nina", "Enter");
    await menu.answers("1) Log in as nina", "1", "Enter");
    await menu.answers("? Password of nina", "nina's", "Enter");
    await menu.shows("Welcome, nina.");
  }, 30_000);

  test("when a session has ended it asks for the password, and goes on where it was", async () => {
    await account("olga");
    const menu = open();
    await menu.answers("7) Quit", "2", "Enter");
    await menu.answers("? Name of the new channel", "half-a-na");
    await changePassword("olga");
    await menu.answers("since the password was changed. You log in again with", "me", "Enter");
    await menu.answers("? Password of olga", "olga's new", "Enter");
    await menu.shows("The channel #half-a-name is there.");
    await menu.shows("7) Quit");
  }, 30_000);

  test("tells at once that the account is locked, and goes on when it no longer is", async () => {
    await account("rita");
    const menu = open();
    await menu.shows("7) Quit");
    expect(await run("accounts lock rita", "", operator())).toMatchObject({ code: 0 });
    await menu.shows("An administrator has locked this account.\n? What would you like to do?");
    expect(await run("accounts unlock rita", "", operator())).toMatchObject({ code: 0 });
    menu.keys("1", "Enter");
    await menu.shows("  @rita");
  }, 30_000);

  test("asks for an invitation where one is wanted", async () => {
    const { stdout } = await run("accounts registration invitation --json", "", operator());
    const { invitation } = JSON.parse(stdout) as { invitation: string };
    const refused = await run("register paulo", "paulo's\n");
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain("invitation");
    const invited = { TERTULIA_INVITATION: invitation };
    expect(await run("register paulo", "paulo's\n", invited)).toMatchObject({ code: 0 });
    const menu = open("--user", "quito");
    await menu.answers("? Who are you?", "2", "Enter");
    await menu.answers("? New password of quito", "quito's", "Enter");
    await menu.answers("? Once more", "quito's", "Enter");
    await menu.answers("? Invitation of an administrator", invitation, "Enter");
    await menu.shows("Welcome, quito.");
    expect(await run("accounts registration open", "", operator())).toMatchObject({ code: 0 });
  }, 30_000);
});

describe.skipIf(!hasTmux)(`the full-screen chat and accounts${why}`, () => {
  afterEach(closeTerminals);

  test("asks for the password when a session has ended, and goes on where it was", async () => {
    await account("sara");
    expect(await run("create praia --user sara")).toMatchObject({ code: 0 });
    const settings = Object.entries(env).map(([name, value]) => `${name}='${value}'`);
    const command = `${settings.join(" ")} ${process.execPath} ${cliFile} chat`;
    const chat = new Terminal(`LANG=C.UTF-8 ${command}`);
    await chat.shows("sara · connected");
    chat.types("/join praia\r");
    await chat.shows("› #praia");
    chat.types("before\r");
    await chat.shows("before ✓");
    await changePassword("sara");
    chat.types("after\r");
    await chat.shows("since the password was changed.\n? Password of sara (empty: quit the chat)");
    chat.resize(50, 12);
    chat.types("sara's new\r");
    await chat.shows("after ✓");
    // It is drawn for the window as it is now: 50 columns have no list.
    expect(chat.screen.split("\n")[0]).toMatch(/^#praia/);
    chat.types("/quit\r");
    await chat.shows("code 0\nicanon");
  }, 30_000);
});

// The last: from then on the cluster's time is far ahead of the operator's.
describe("a token that grows old", () => {
  test("lasts as long as it is in use, also by several commands at once", async () => {
    await account("iris");
    await account("joao");
    const before = await tokens();
    await bendClock(2 * hourMs);
    const users = ["iris", "joao", "iris", "joao"];
    const ended = await Promise.all(users.map((user) => run(`users --user ${user}`)));
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    const after = await tokens();
    for (const user of users) expect(after[user]).not.toBe(before[user]);
    await bendClock(13 * hourMs);
    expect(await run("users --user iris")).toMatchObject({ code: 0 });
    await bendClock(23.9 * hourMs);
    expect((await run("users --user joao")).stderr).toMatch(
      /^tertulia: Your session has ended, since it was not used for hours\. Log in with: .* joao\n$/,
    );
  }, 60_000);
});

/** The kept tokens by whose they are. */
async function tokens(): Promise<Record<string, string>> {
  const folder = join(home.path, "tertulia", "sessions");
  const names = (await readdir(folder)).filter((name) => name.endsWith(".json"));
  const files = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
  const sessions = files.map((text) => JSON.parse(text) as { user: string; token?: string });
  return Object.fromEntries(sessions.flatMap(({ user, token }) => (token ? [[user, token]] : [])));
}

/** Starts the server again with a clock that is ahead. */
async function bendClock(ms: number): Promise<void> {
  skewMs = ms;
  const ready = cluster.server(1).nextReady();
  cluster.server(1).signal("SIGKILL");
  await ready;
}
