import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Settings } from "../../src/platform/settings.ts";
import { serverConfig } from "../../src/server/config.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("a server has no engine unless a setting names one, and the engine's password is from a flag's file, the environment or a file", async () => {
  await using folder = await temporaryFolder();
  const [first, second] = ["first", "second"].map((name) => join(folder.path, name));
  for (const path of [first, second]) await writeFile(path as string, `of ${path}\nmore\n`);
  const configOf = (flags: object, env: Record<string, string> = {}) =>
    serverConfig(
      new Settings({ data: folder.path, ...flags }, { TERTULIA_SECRET: "x".repeat(16), ...env }),
    );
  expect(configOf({}).engine).toBeUndefined();

  const env = { TERTULIA_ENGINE: "postgres://localhost/chat" };
  expect(configOf({}, env).engine).toMatchObject({ address: { database: "chat" } });
  expect(configOf({}, env).engine?.password).toBeUndefined();
  const file = { TERTULIA_ENGINE_PASSWORD_FILE: first as string };
  expect(configOf({}, { ...env, ...file }).engine?.password).toBe(`of ${first}`);
  const both = { ...env, ...file, TERTULIA_ENGINE_PASSWORD: "own" };
  expect(configOf({}, both).engine?.password).toBe("own");
  expect(configOf({ enginePasswordFile: second }, both).engine?.password).toBe(`of ${second}`);
});

test("--redis without --engine is refused; Redis's password comes from the environment or the file", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "password");
  await writeFile(path, "of a file\n");
  const configOf = (env: Record<string, string>) => {
    const all = { TERTULIA_SECRET: "x".repeat(16), TERTULIA_ENGINE: "postgres://localhost/chat" };
    return serverConfig(new Settings({ data: folder.path }, { ...all, ...env })).redis;
  };
  expect(configOf({})).toBeUndefined();
  const env = { TERTULIA_REDIS: "redis://localhost/3" };
  expect(configOf(env)).toMatchObject({ address: { database: 3 }, password: undefined });
  const file = { TERTULIA_REDIS_PASSWORD_FILE: path };
  expect(configOf({ ...env, ...file })?.password).toBe("of a file");
  expect(configOf({ ...env, ...file, TERTULIA_REDIS_PASSWORD: "own" })?.password).toBe("own");
  const refused = (text: string) => expect.objectContaining({ exitCode: 2, message: text });
  expect(() => configOf({ ...env, TERTULIA_ENGINE: "" })).toThrow(
    refused("--redis works only beside --engine: add --engine, or leave out --redis."),
  );
});
