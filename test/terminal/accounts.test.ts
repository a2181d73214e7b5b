import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";
import { wrongClock } from "../support/wrong-clock.ts";
import { accountsScene } from "./accounts-scene.ts";
import { CliProcess } from "./cli-process.ts";

const hourMs = 3_600_000;

// Each test runs many commands, and each command is a process.
vi.setConfig({ testTimeout: 60_000 });

let skewMs = 0;
const place = accountsScene({ settings: () => wrongClock(skewMs) });

describe("sessions of commands", () => {
  test("after `login`, commands act as the user who logged in, without a password", async () => {
    expect(await place.run("users --user ana")).toMatchObject({
      code: 1,
      stderr:
        "tertulia: This cluster has accounts, and you are not logged in. " +
        "Log in with: tertulia login ana\n",
    });
    await place.account("ana");
    expect(await place.run("create geral")).toMatchObject({ code: 0 });
    expect(await place.run("send #geral Oi!")).toMatchObject({ code: 0 });
    expect((await place.run("history #geral")).stdout).toMatch(/ ana: Oi!\n$/);
    const wrong = await place.run("login ana", "not ana's\n");
    expect(wrong).toMatchObject({
      code: 1,
      stderr: "tertulia: The name or the password is wrong.\n",
    });
    expect(await place.run("users")).toMatchObject({ code: 0, stdout: "ana\n" });
  });

  test("only its owner can read the folder and the files of saved sessions", async () => {
    await place.account("bia");
    const folder = join(place.home.path, "tertulia", "sessions");
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const files = await readdir(folder);
    // Three files: the session, the user who logged in last, and the lock of the folder.
    expect(files).toHaveLength(3);
    for (const file of files) expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
  });

  test("a user's saved session is valid after another user has logged in", async () => {
    await place.account("caio");
    await place.account("dora");
    expect(await place.run("send @caio um")).toMatchObject({ code: 0 });
    expect(await place.run("send @dora dois --user caio")).toMatchObject({ code: 0 });
    expect((await place.run("history @caio")).stdout).toMatch(
      /dora → caio: um\n.*caio → dora: dois\n$/,
    );
  });

  test("`login` reads the password from the first line of --password-file", async () => {
    const file = join(place.home.path, "password");
    await writeFile(file, "eva's\r\nnot this line\n");
    const more = { TERTULIA_PASSWORD_FILE: file };
    expect(await place.run("register eva", "", more)).toMatchObject({ code: 0 });
    expect(await place.run(`login eva --password-file ${file}`)).toMatchObject({ code: 0 });
    expect(await place.run("password eva", "eva's new\n", more)).toMatchObject({ code: 0 });
    expect(await place.run("login eva", "", more)).toMatchObject({ code: 1 });
    expect(await place.run("login eva", "eva's new\n")).toMatchObject({ code: 0 });
    const none = await place.run("login eva --password-file nowhere");
    expect(none.stderr).toBe(
      "tertulia: The password file nowhere can't be read (ENOENT): check it.\n",
    );
    expect(none.code).toBe(2);
  });

  test("a command with an ended session says why the session ended, and the user can log in again", async () => {
    await place.account("fabi");
    using listener = new CliProcess(["listen", "@fabi"], place.env);
    await listener.saw("Listening to @fabi");
    await place.changePassword("fabi");
    const sentence =
      "tertulia: Your session has ended because the password was changed. " +
      "Log in with: tertulia login fabi\n";
    expect(await place.run("users")).toMatchObject({ code: 1, stdout: "", stderr: sentence });
    const ended = await listener.end();
    expect(ended).toMatchObject({ code: 1 });
    expect(ended.stderr).toContain(sentence);
    expect((await place.run("users --lang pt-br")).stderr).toBe(
      "tertulia: Sua sessão terminou porque a senha foi trocada. Entre com: tertulia login fabi\n",
    );
    expect(await place.run("login fabi", "fabi's new\n")).toMatchObject({ code: 0 });
    expect(await place.run("users")).toMatchObject({ code: 0 });
  });

  test("the operator can remove a channel and restore it with its messages", async () => {
    await place.account("ivone");
    for (const words of ["create sala", "send #sala Olá!"]) {
      expect(await place.run(words)).toMatchObject({ code: 0 });
    }
    const others = await place.run("channels remove sala");
    expect(others).toMatchObject({ code: 1 });
    expect(others.stderr).toContain("administrator");
    expect(await place.run("channels remove #sala", "", place.operator)).toMatchObject({
      code: 0,
      stderr: "The channel #sala has been removed. What was written there stays on disk.\n",
    });
    expect((await place.run("channels")).stdout).not.toContain("sala");
    expect(await place.run("send #sala no")).toMatchObject({ code: 1 });
    expect((await place.run("create sala --lang pt-br")).stderr).toContain("removeu esse canal");
    const back = await place.run("channels restore sala --json", "", place.operator);
    expect(JSON.parse(back.stdout)).toEqual({ channel: "sala", action: "restore" });
    expect((await place.run("history #sala")).stdout).toContain("ivone: Olá!");
  });

  test("the session of a locked account is refused until the account is unlocked", async () => {
    await place.account("gil");
    expect(await place.run("accounts lock gil", "", place.operator)).toMatchObject({ code: 0 });
    const locked = { code: 1, stderr: "tertulia: An administrator has locked this account.\n" };
    expect(await place.run("users")).toMatchObject(locked);
    expect(await place.run("login gil", "gil's\n")).toMatchObject(locked);
    expect(await place.run("accounts unlock gil", "", place.operator)).toMatchObject({ code: 0 });
    expect(await place.run("users")).toMatchObject({ code: 0 });
  });

  test("a person with the cluster's secret may administer the cluster, even if their session is not an administrator's", async () => {
    await place.account("hugo");
    const refused = await place.run("accounts promote hugo");
    expect(refused).toMatchObject({
      code: 1,
      stderr: "tertulia: Only an administrator may do that.\n",
    });
    expect(await place.run("accounts promote hugo", "", place.operator)).toMatchObject({ code: 0 });
    expect(await place.run("accounts registration open")).toMatchObject({ code: 0 });
  });

  test("`login` reports the folder and the error code in the person's language if the session can't be saved", async () => {
    expect(await place.run("register ivo", "ivo's\n")).toMatchObject({ code: 0 });
    await writeFile(join(place.home.path, "tertulia"), "no folder");
    const { stderr } = await place.run("login ivo --lang pt-br", "ivo's\n");
    expect(stderr).toContain(
      `A sessão termina com este comando, pois não pôde ser guardada em ${place.home.path}/tertulia/sessions (ENOTDIR): `,
    );
  });
});

describe("chat by lines with accounts", () => {
  test("chat by lines reads the password from --password-file, and never from its input lines", async () => {
    expect(await place.run("register kai", "kai's\n")).toMatchObject({ code: 0 });
    const refused = await place.run("chat --user kai", "kai's\n");
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain("Log in with: tertulia login kai");
    const file = join(place.home.path, "password");
    await writeFile(file, "kai's\n");
    const chat = `chat --user kai --password-file ${file}`;
    expect(await place.run(chat, "/users\n")).toMatchObject({ code: 0 });
    // The first chat saved its session, so this chat needs no password.
    expect(await place.run("chat --user kai", "/users\n")).toMatchObject({ code: 0 });
  });

  test("chat by lines ends with code 1 when its session ends", async () => {
    await place.account("lia");
    using chat = new CliProcess(["chat"], place.env);
    chat.child.stdin.write("/users\n");
    await chat.saw("lia");
    await place.changePassword("lia");
    await until(() => chat.child.exitCode !== null, "the chat ends");
    expect(chat.child.exitCode).toBe(1);
    expect(chat.stderr).toContain("Your session has ended because the password was changed.");
  });
});

// This test comes last, because it leaves the cluster's clock far ahead of the operator's clock.
describe("the age of a token", () => {
  test("commands, even several at once, renew tokens that are two hours old, and an unused session expires", async (context) => {
    context.skip(LocalCluster.hasEngine, "servers with an engine have the time of their database");
    await place.account("iris");
    await place.account("joao");
    const before = await tokens();
    await bendClock(2 * hourMs);
    const users = ["iris", "joao", "iris", "joao"];
    const ended = await Promise.all(users.map((user) => place.run(`users --user ${user}`)));
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    const after = await tokens();
    for (const user of users) expect(after[user]).not.toBe(before[user]);
    await bendClock(13 * hourMs);
    expect(await place.run("users --user iris")).toMatchObject({ code: 0 });
    await bendClock(23.9 * hourMs);
    expect((await place.run("users --user joao")).stderr).toMatch(
      /^tertulia: Your session has expired: it was not used for hours\. Log in with: .* joao\n$/,
    );
  });
});

/** The saved token of each user. */
async function tokens(): Promise<Record<string, string>> {
  const folder = join(place.home.path, "tertulia", "sessions");
  const names = (await readdir(folder)).filter((name) => name.endsWith(".json"));
  const files = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
  const sessions = files.map((text) => JSON.parse(text) as { user: string; token?: string });
  return Object.fromEntries(sessions.flatMap(({ user, token }) => (token ? [[user, token]] : [])));
}

/** Restarts the server with a clock that is `ms` ahead. */
async function bendClock(ms: number): Promise<void> {
  skewMs = ms;
  const ready = place.cluster.server(1).nextReady();
  place.cluster.server(1).signal("SIGKILL");
  await ready;
}
