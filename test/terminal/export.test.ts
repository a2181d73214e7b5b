import { afterAll, beforeAll, expect, test } from "vitest";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import { ClusterCommands } from "./cluster-commands.ts";

let commands: ClusterCommands;

beforeAll(async () => {
  commands = await ClusterCommands.start();
}, 60_000);

afterAll(() => commands?.[Symbol.asyncDispose](), 30_000);

const [ana, bia] = [parseUserName("ana"), parseUserName("bia")];
const [geral, praia] = [parseChannelName("geral"), parseChannelName("praia")];
const count = limits.historyEntries + 50;
const numbers = Array.from({ length: count }, (_, index) => String(index + 1));

interface Exported {
  readonly channel?: string;
  readonly src?: string;
  readonly dst?: string;
  readonly message: string;
}

async function exported(...args: readonly string[]): Promise<readonly Exported[]> {
  const { code, stdout, stderr } = await commands.run(["export", "--json", ...args]);
  expect([code, stderr]).toEqual([0, ""]);
  const lines = stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Exported);
}

test("`export` prints all channels and the person's private messages, each message once and in order", async () => {
  const [anas, bias] = [commands.cluster.client(), commands.cluster.client()];
  await anas.login(ana);
  await bias.login(bia);
  await bias.createChannel(praia);
  await bias.message(ana, "only for ana");
  await anas.createChannel(geral);
  for (const number of numbers) await anas.publish(geral, number);
  await anas.publish(praia, "at the beach");
  await anas.message(bia, "only for bia");
  const everything = await exported("--user", "ana");
  const of = (channel: string) => everything.filter((entry) => entry.channel === channel);
  expect(of("geral").map(({ message }) => message)).toEqual(numbers);
  expect(of("praia").map(({ message }) => message)).toEqual(["at the beach"]);
  const messages = everything.filter(({ channel }) => channel === undefined);
  expect(messages.map(({ src, dst }) => `${src} ${dst}`)).toEqual(["bia ana", "ana bia"]);
  expect(everything).toHaveLength(count + 3);
}, 60_000);

test("`export` with targets prints only these, and as text a heading for each", async () => {
  expect((await exported("#praia")).map(({ message }) => message)).toEqual(["at the beach"]);
  const text = await commands.run(["export", "#praia", "@bia", "--user", "ana"]);
  expect(text.stdout).toMatch(
    /^#praia\n\S+ \S+ ana: at the beach\n@bia\n\S+ \S+ bia → ana: only for ana\n\S+ \S+ ana → bia: only for bia\n$/,
  );
});

test("`export` of a channel that does not exist prints one sentence and ends with code 1", async () => {
  const { code, stdout, stderr } = await commands.run(["export", "#nowhere", "--json"]);
  expect([code, stdout]).toEqual([1, ""]);
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: "channel_not_found" } });
});
