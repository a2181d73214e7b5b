import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";

const script = fileURLToPath(new URL("../support/outbox-sender.ts", import.meta.url));

let cluster: LocalCluster;

beforeAll(async () => {
  cluster = await LocalCluster.start();
  const client = cluster.client();
  await client.login(parseUserName("ana"));
  await client.login(parseUserName("bia"));
  await client.createChannel(parseChannelName("geral"));
}, 60_000);

afterAll(() => cluster?.[Symbol.asyncDispose](), 30_000);

/**
 * Starts a sender, waits until its output contains `said`, and kills the sender.
 * @returns the sender's output
 */
async function killAt(said: string, how: string, ...texts: string[]): Promise<string> {
  const folder = join(cluster.folder, "outbox");
  const options = ["--import", "tsx", script, folder, cluster.endpoints.broker, how, ...texts];
  const child = spawn(process.execPath, options, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (text: Buffer) => {
    output += text.toString();
  });
  await until(() => output.includes(said) || child.exitCode !== null, said, 20_000);
  child.kill("SIGKILL");
  if (child.signalCode === null && child.exitCode === null) await once(child, "exit");
  return output;
}

test("[C5] a message that an outbox accepted arrives exactly once, at whatever moment its sender is killed", async () => {
  // The sender is killed before it sends a message, while it sends messages, and before it settles
  // a sent message.
  await killAt("accepted", "keep", "never sent");
  await killAt("accepted", "send", "perhaps sent 1", "perhaps sent 2", "perhaps sent 3");
  await killAt("sent", "forget", "sent, and not settled");
  // A retry may go to another server, which finds the message by its id.
  for (let retry = 0; retry < 3; retry += 1) await killAt("sent", "forget");
  expect(await killAt("sent", "send", "new")).toContain("sent, 0 wait");
  expect(await killAt("sent", "send")).toContain("sent, 0 wait");
  const client = cluster.client();
  const texts = [
    "never sent",
    "new",
    ...["perhaps sent 1", "perhaps sent 2", "perhaps sent 3"],
    "sent, and not settled",
  ];
  for (const name of [{ channel: "geral" as never }, { user: "bia" as never }]) {
    const { entries } = await client.history(name);
    expect(entries.map(({ message }) => message).sort()).toEqual(texts);
  }
}, 60_000);
