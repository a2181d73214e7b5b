import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Session } from "../../src/client/session.ts";
import { type ChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { CliProcess, clusterVariables } from "../terminal/cli-process.ts";

const channel = "geral" as ChannelName;
const ana = { name: "ana", password: "ana's" };

let folder: TemporaryFolder;
let cluster: LocalCluster;

const start = () =>
  LocalCluster.start({ data: folder.path, servers: 1, bots: 2, auth: "required" });

beforeAll(async () => {
  folder = await temporaryFolder();
  cluster = await start();
}, 60_000);

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
}, 30_000);

/** Waits until both bots have written, and returns their names. */
async function bothWrite(client: Session): Promise<string[]> {
  const names = new Set<string>();
  await until(async () => (await client.channels()).includes(channel), "a bot makes a channel");
  await client.subscribe({ channel }, (entry) => names.add("user" in entry ? entry.user : ""));
  await until(() => names.size === 2, "both bots write", 20_000);
  return [...names].sort();
}

test("in a cluster with accounts, each bot has the same account before and after a restart", async () => {
  const before = cluster.client();
  await before.register(parseUserName(ana.name), ana.password);
  await before.login(parseUserName(ana.name), ana.password);
  const names = await bothWrite(before);
  await cluster.stop();
  cluster = await start();
  const after = cluster.client();
  await after.login(parseUserName(ana.name), ana.password);
  expect(await bothWrite(after)).toEqual(names);
}, 60_000);

test("a bot says why it can't register, and another bot writes with a person's name and password", async () => {
  const env = {
    ...clusterVariables(cluster.endpoints),
    XDG_STATE_HOME: folder.path,
  };
  const secret = ["--secret-file", join(folder.path, "secret")];
  using close = new CliProcess(["accounts", "registration", "closed", ...secret], env);
  expect(await close.end()).toMatchObject({ code: 0 });
  const data = ["--data", join(folder.path, "other")];
  using refused = new CliProcess(["bot", ...data], env);
  await refused.saw("is not there or has another password. Registration is closed");
  const file = join(folder.path, "ana's");
  await writeFile(file, ana.password);
  const lent = ["--name", ana.name, "--password-file", file, "--count", "1"];
  using bot = new CliProcess(["bot", ...data, ...lent], env);
  const { code, stdout } = await bot.end();
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ name: "ana", sent: 1, acknowledged: 1 });
  // The first bot waits for a person's help, and does not repeat its request in a loop.
  expect(refused.stderr.trimEnd().split("\n")).toHaveLength(1);
}, 30_000);
