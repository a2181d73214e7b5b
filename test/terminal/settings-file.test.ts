import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { CliProcess } from "./cli-process.ts";

let folder: TemporaryFolder;
let path: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  path = join(folder.path, "tertulia.yaml");
}, 90_000);

afterAll(() => folder[Symbol.asyncDispose]());

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  using command = new CliProcess(args, env);
  return await command.end();
}

async function shown(setting: string, ...args: Parameters<typeof run>) {
  const { stdout } = await run(...args);
  const rows = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const { value, source } = rows.find((row) => row.setting === setting);
  return { value, source };
}

test("[O56] `config` shows the settings file as the source of a value, which flags and the environment override", async () => {
  await writeFile(path, "user: ana\nroles: { server: { user: bia } }\n");
  const args = ["config", "--json", "--config", path];
  expect(await shown("user", args)).toEqual({ value: "ana", source: "file" });
  expect(await shown("user", ["config", "--json"], { TERTULIA_CONFIG: path })).toEqual({
    value: "ana",
    source: "file",
  });
  const env = { TERTULIA_USER: "caio" };
  expect(await shown("user", args, env)).toEqual({ value: "caio", source: "environment" });
  expect(await shown("user", [...args, "--user", "dora"], env)).toEqual({
    value: "dora",
    source: "flag",
  });
}, 90_000);

test("[O56] a wrong settings file ends every command with exit code 2 and one sentence, and only help ignores it", async () => {
  await writeFile(path, "user: ana\nuser: bia\n");
  const said = `${path}:2: this key is set twice: correct it.`;
  for (const command of [
    ["status"],
    ["server"],
    ["config"],
    ["verify", "."],
    ["accounts", "lock", "x"],
  ]) {
    expect(await run([...command, "--config", path])).toEqual({
      code: 2,
      stdout: "",
      stderr: `tertulia: ${said}\n`,
    });
  }
  const json = await run(["status", "--json"], { TERTULIA_CONFIG: path });
  expect(JSON.parse(json.stderr)).toEqual({ error: { message: said } });
  expect(await run(["status", "--help"], { TERTULIA_CONFIG: path })).toMatchObject({ code: 0 });
}, 90_000);

test("[O56] a settings file chooses the language of texts, unless a flag or the environment does", async () => {
  await writeFile(path, "lang: pt-br\n");
  const args = ["register", "--config", path];
  expect((await run(args)).stderr).toContain("Falta");
  expect((await run([...args, "--lang", "en"])).stderr).toContain("missing");
  expect((await run(args, { TERTULIA_LANG: "en" })).stderr).toContain("missing");
}, 90_000);

test("[O56] `health` and `doctor` read the settings of the roles that they ask or check", async () => {
  await writeFile(
    path,
    "roles: { broker: { front: 'tcp://127.0.0.1:1', back: 'tcp://127.0.0.1:2' } }\n",
  );
  const { code, stderr } = await run(["health", "broker", "--config", path]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/The broker does not answer at tcp:\/\/127\.0\.0\.1:[12]\./);
  const { stdout } = await run(["doctor", "broker", "--json", "--config", path]);
  expect(stdout).toContain("tcp://127.0.0.1:2");
}, 90_000);

test("[O56] `up` gives its processes the common settings of a settings file, and not those of roles", async () => {
  await writeFile(
    path,
    "data: data\nlog-level: info\nkeep-publications: 7\n" +
      "roles: { server: { bind: 'tcp://127.0.0.1:1' }, broker: { log-level: silent } }\n",
  );
  using up = new CliProcess(["up", "--port", "0", "--servers", "2", "--json", "--config", path]);
  await until(() => up.stdout.includes('"ready":true'), "all are ready", 60_000);
  const { processes } = JSON.parse(up.stdout) as { processes: { pid: number }[] };
  for (const { pid } of processes) {
    const environment = await readFile(`/proc/${pid}/environ`, "utf8");
    expect(environment.split("\0")).toContain("TERTULIA_KEEP_PUBLICATIONS=7");
  }
  expect(existsSync(join(folder.path, "data", "servers", "2"))).toBe(true);
  expect(up.stderr).toMatch(/"role":"broker"/);
  up.child.kill("SIGTERM");
  expect(await once(up.child, "exit")).toEqual([0, null]);
  await writeFile(path, "front: tcp://127.0.0.1:1\n");
  const refused = await run(["up", "--config", path]);
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.stderr).toContain("front is the place of one process");
}, 90_000);
