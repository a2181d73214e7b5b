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
  expect(configOf({}).redis).toBeUndefined();

  const env = { TERTULIA_ENGINE: "postgres://a/chat", TERTULIA_REDIS: "redis://a" };
  expect(configOf({}, env).engine).toMatchObject({ address: { database: "chat" } });
  expect(configOf({}, env).engine?.password).toBeUndefined();
  for (const of of ["engine", "redis"] as const) {
    const password = `TERTULIA_${of.toUpperCase()}_PASSWORD`;
    const file = { [`${password}_FILE`]: first as string };
    expect(configOf({}, { ...env, ...file })[of]?.password).toBe(`of ${first}`);
    const both = { ...env, ...file, [password]: "own" };
    expect(configOf({}, both)[of]?.password).toBe("own");
    expect(configOf({ [`${of}PasswordFile`]: second }, both)[of]?.password).toBe(`of ${second}`);
  }
});
