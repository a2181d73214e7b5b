import { afterAll, beforeAll, expect, test } from "vitest";
import { ClusterCommands } from "./cluster-commands.ts";

let commands: ClusterCommands;

beforeAll(async () => {
  commands = await ClusterCommands.start();
}, 60_000);

afterAll(() => commands?.[Symbol.asyncDispose](), 30_000);

const run = (args: readonly string[], input?: string) => commands.run(args, input);

test("[W18] a name that looks like an existing name is refused with the reason name_confusable, and an equal name without a reason", async () => {
  await run(["register", "carlos"], "secret\n");
  const english = await run(["register", "Carl0s"], "other\n");
  expect(english).toMatchObject({ code: 1, stdout: "" });
  expect(english.stderr).toMatch(/^tertulia: That name looks like an existing one/);
  const portuguese = await run(["register", "Carl0s", "--lang", "pt-br"], "other\n");
  expect(portuguese.stderr).toMatch(/^tertulia: Esse nome parece igual a um que já existe/);
  const refused = async (name: string) =>
    JSON.parse((await run(["register", name, "--json"], "other\n")).stderr).error;
  const looksLike = { code: "name_taken", reason: "name_confusable" };
  expect(await refused("Carl0s")).toMatchObject(looksLike);
  const same = await refused("carlos");
  expect(same).toMatchObject({ code: "name_taken" });
  expect(same).not.toHaveProperty("reason");
});

test.each([
  ["Persian", "علی\u200cرضا"],
  ["Sinhala", "ශ\u0dca\u200dරී"],
])(
  "[W18] users and channels may have %s names with a joiner; the same channel name without the joiner is confusable",
  async (_, name) => {
    expect(await run(["create", `#${name}`, "--user", name])).toMatchObject({ code: 0 });
    expect(await run(["send", `#${name}`, "oi", "--user", name])).toMatchObject({ code: 0 });
    expect((await run(["history", `#${name}`])).stdout).toMatch(new RegExp(` ${name}: oi\n$`));
    expect((await run(["users"])).stdout).toContain(`${name}\n`);
    const plain = name.replace(/[\u200c\u200d]/g, "");
    const other = await run(["create", `#${plain}`, "--user", name, "--json"]);
    const error = { code: "channel_exists", reason: "name_confusable" };
    expect(JSON.parse(other.stderr)).toMatchObject({ error });
  },
);
