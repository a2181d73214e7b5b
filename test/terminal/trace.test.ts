import { afterAll, beforeAll, expect, test } from "vitest";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { ClusterCommands } from "./cluster-commands.ts";

const noSteps = "servers with an engine keep no steps";
let commands: ClusterCommands;

beforeAll(async () => {
  commands = await ClusterCommands.start();
  await commands.run(["create", "#geral", "--user", "ana"]);
}, 60_000);

afterAll(() => commands?.[Symbol.asyncDispose](), 30_000);

const run = (...args: string[]) => commands.run(args);
const sending = (...flags: string[]) => {
  return run("trace", "--send", "#geral", "oi", "--user", "ana", ...flags);
};

async function sentEvent(): Promise<{ server: string; seq: number; id: string }> {
  const { stdout } = await run("send", "#geral", "oi", "--user", "ana", "--json");
  return JSON.parse(stdout);
}

test("[O64] `trace --send` sends a message, and shows what the client and each server did with it", async (context) => {
  context.skip(LocalCluster.hasEngine, noSteps);
  const { code, stdout, stderr } = await sending();
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^Event server_\w+\/\d+ \(publication\), Lamport clock \d+, id /);
  expect(stdout).toMatch(/ 1 +0\.00 +\d+ +client +sent the request\n/);
  expect(stdout).toMatch(/client +received the receipt/);
  expect(stdout.match(/synced the event to disk/g)?.length).toBeGreaterThanOrEqual(2);
  expect(stdout).toMatch(/committed after [\d.]+ ms, receipt sent after [\d.]+ ms/);
  expect((await run("history", "#geral")).stdout).toMatch(/ana: oi\n/);
});

test("[O64] `trace` finds a message by its id and by its event's name", async (context) => {
  context.skip(LocalCluster.hasEngine, noSteps);
  const { server, seq, id } = await sentEvent();
  const [byId, byName] = [await run("trace", id), await run("trace", `${server}/${seq}`)];
  for (const { code, stdout } of [byId, byName]) {
    expect(code).toBe(0);
    expect(stdout.split("\n")[0]).toContain(`Event ${server}/${seq} (publication)`);
    expect(stdout).toMatch(/ 1 +– +\d+ +client +sent the request/);
  }
});

test("[O64] `trace` prints a picture, a log for ShiViz, or the steps as one JSON object", async (context) => {
  context.skip(LocalCluster.hasEngine, noSteps);
  const { id } = await sentEvent();
  const picture = await run("trace", id, "--svg");
  expect(picture.stdout).toMatch(/^<svg [^>]*role="img"[\s\S]*<\/svg>\n$/);
  expect(picture.stdout).toContain("sent the receipt</text>");
  const log = (await run("trace", id, "--shiviz")).stdout.trimEnd().split("\n");
  expect(log[0]).toBe('client {"client":1}');
  expect(log[2]).toMatch(/^server_\w+ \{"client":1,"server_\w+":1\}$/);
  const trace = JSON.parse((await run("trace", id, "--json")).stdout);
  expect(trace).toMatchObject({ event: { id, operation: "publication" } });
  expect(trace.servers.length + trace.silent.length).toBe(3);
  const own = JSON.parse((await sending("--json")).stdout);
  expect(own.client.answer.atMs).toBeGreaterThan(own.client.sentMs);
});

test("[O64] `trace` speaks Portuguese to a person who reads Portuguese", async (context) => {
  context.skip(LocalCluster.hasEngine, noSteps);
  const { stdout } = await sending("--lang", "pt-br");
  expect(stdout).toMatch(/^Evento server_\w+/);
  expect(stdout).toContain("gravou o evento no disco");
});

test("[O64] `trace` ends with code 1 and one sentence if no server remembers the event", async () => {
  const { code, stdout, stderr } = await run("trace", "server_00000000/7");
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^tertulia: No server remembers server_00000000\/7: .*\n$/);
});

test("`trace` refuses contradictory arguments with code 2 and one sentence", async () => {
  const wrong = [
    ["trace", "--send", "#geral"],
    ["trace", "server_00000000/7", "a text"],
    ["trace", "server_00000000/7", "--svg", "--json"],
    ["trace", "--send", "geral", "oi"],
  ];
  for (const args of wrong) {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }, args.join(" ")).toEqual({ code: 2, stdout: "" });
    expect(stderr.trimEnd().split("\n"), args.join(" ")).toHaveLength(1);
  }
});

test("[O64] `trace --send` without a quorum ends with code 1, because the message has no receipt", async () => {
  using _stopped = commands.cluster.withoutQuorum();
  const { code, stdout, stderr } = await sending("--timeout", "3");
  expect(code).toBe(1);
  expect(stderr).toMatch(/^tertulia: .*\n$/);
  // Whether a server can still be asked depends on which server gets the request.
  if (stdout !== "") expect(stdout).toContain("The client has received no receipt.");
});
