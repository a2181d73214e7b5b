import { afterAll, beforeAll, expect, test } from "vitest";
import { ClusterCommands } from "./cluster-commands.ts";

let commands: ClusterCommands;

beforeAll(async () => {
  commands = await ClusterCommands.start();
  await run(["login", "ana"]);
  await run(["create", "geral", "--user", "ana"]);
}, 60_000);

afterAll(() => commands?.[Symbol.asyncDispose](), 30_000);

const run = (args: readonly string[]) => commands.run(args);
const asAna = (...args: string[]) => run([...args, "--user", "ana"]);

test("[Q15] `hooks add` prints the path of a new hook on standard output, and a sentence for the person", async () => {
  const { code, stdout, stderr } = await asAna("hooks", "add", "#geral", "deploy");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\/hooks\/[\w-]{43}\n$/);
  expect(stderr).toMatch(/: the hook deploy writes them to #geral in your name\./);
  expect((await asAna("hooks", "add", "geral", "a b")).code).toBe(2);
});

test("[Q17] `hooks` lists the hooks without their paths, and `hooks remove` revokes one", async () => {
  const { hook, path } = JSON.parse((await asAna("hooks", "add", "geral", "ci", "--json")).stdout);
  expect(path).toMatch(/^\/hooks\/[\w-]{43}$/);
  const { stdout } = await asAna("hooks", "--lang", "pt-br");
  expect(stdout).toMatch(/^[0-9a-f]{32} {2}ci → #geral, criado em \S+Z$/m);
  expect(stdout).not.toContain("/hooks/");
  expect(await asAna("hooks", "remove", hook)).toMatchObject({
    code: 0,
    stderr: `The hook ${hook} is revoked.\n`,
  });
  const again = await asAna("hooks", "remove", hook);
  expect(again.code).toBe(1);
  expect(again.stderr).toMatch(/There is no such hook, or it was revoked/);
  expect((await asAna("hooks", "--json")).stdout).not.toContain(hook);
  const others = await run(["hooks", "--owner", "ana", "--user", "bia"]);
  expect(others.stdout).toContain("deploy → #geral");
});
