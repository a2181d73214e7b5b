import { afterAll, beforeAll, expect, test } from "vitest";
import type { Ended } from "./cli-process.ts";
import { ClusterCommands } from "./cluster-commands.ts";

let commands: ClusterCommands;
beforeAll(async () => {
  commands = await ClusterCommands.start();
  for (const user of ["ana", "bia"]) await run(["login", user]);
  await run(["create", "#geral", "--user", "ana"]);
}, 60_000);
afterAll(() => commands?.[Symbol.asyncDispose](), 30_000);

const run = (args: readonly string[]) => commands.run(args);

const objects = ({ stdout }: Ended) =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test("[Q31] `search` finds messages by their words, in a channel and with a user", async () => {
  for (const text of ["the lost key", "a key", "the key is found"]) {
    await run(["send", "#geral", text, "--user", "ana"]);
  }
  await run(["send", "@bia", "where is the key?", "--user", "ana"]);
  const { stdout } = await run(["search", "#geral", "KEY", "the"]);
  expect(stdout).toMatch(/^\S+ \S+ ana: the lost key\n\S+ \S+ ana: the key is found\n$/);
  const [newest, page] = objects(await run(["search", "#geral", "key", "--limit", "1", "--json"]));
  expect(newest).toMatchObject({ channel: "geral", message: "the key is found" });
  const older = ["search", "#geral", "--before", String(page?.next), "--", "key", "-lost"];
  expect((await run(older)).stdout).toMatch(/^.* ana: a key\n$/);
  const told = await run(["search", "@bia", '"the key"', "--user", "ana"]);
  expect(told.stdout).toMatch(/^.* ana → bia: where is the key\?\n$/);
  const none = await run(["search", "#geral", "nowhere"]);
  expect(none).toMatchObject({ code: 0, stdout: "" });
  expect(none.stderr).toContain("Nothing was found.");
  const refused = await run(["search", "#geral", "--", "-key"]);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
}, 60_000);
