import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { Hosts } from "./hosts.ts";

const password = "the long password of ana\n";
let hosts: Hosts;

beforeAll(async () => {
  hosts = await Hosts.start();
  for (const name of hosts.names) await hosts.serves(name);
}, 200_000);

afterAll(() => hosts?.[Symbol.asyncDispose](), 30_000);

const send = async (words: string) => {
  const sent = () => hosts.asPerson(["send", "#geral", words]);
  expect(await sent()).toMatchObject({ code: 0 });
};

/** The texts of the channel, as a person reads them. */
async function texts(): Promise<string[]> {
  const { stdout } = await hosts.asPerson(["history", "#geral", "--json"]);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).message)
    .filter((message) => message !== undefined);
}

/** Starts a host's roles with an empty disk, and removes the server that it had before. */
async function replaceServer(name: string, roles: readonly string[], former: string) {
  for (const role of roles) hosts.startUnit(name, role);
  const hasJoined = async () => (await hosts.status()).view?.members.length === 4;
  await until(hasJoined, "the new server is a member", 60_000);
  const change = (command: string) => command.replace(/server_\w+/, former);
  const isRemoved = async () => (await hosts.run("servers remove", { change })).code === 0;
  await until(isRemoved, "the old server is removed", 60_000);
  await hosts.areHealthy();
  expect((await hosts.status()).view?.members).toHaveLength(3);
}

describe("a cluster on three hosts", () => {
  test("[O57] the page's commands start a cluster on three hosts, which goes on when one host is gone", async () => {
    await hosts.areHealthy();
    expect(await hosts.run("register ana", { input: password })).toMatchObject({ code: 0 });
    expect(await hosts.run("login ana", { input: password })).toMatchObject({ code: 0 });
    expect(await hosts.run("create '#geral'")).toMatchObject({ code: 0 });
    expect(await hosts.run("accounts promote", { on: "bia" })).toMatchObject({ code: 0 });
    await send("all are up");
    await hosts.end("caio", "SIGKILL");
    await send("caio is gone");
    expect(await texts()).toEqual(["all are up", "caio is gone"]);
    const kinds = async () => (await hosts.status()).problems.map(({ kind }) => kind).sort();
    const expected = JSON.stringify(["brokersMissing", "memberDown", "proxiesMissing"]);
    await until(async () => JSON.stringify(await kinds()) === expected, "status names all", 60_000);
    hosts.startAll("caio");
    await hosts.areHealthy();
  }, 200_000);

  test("[O57] a gateway on each host serves browsers without the secret, also while another host is down", async () => {
    for (const name of hosts.names) await hosts.startGateway(name);
    const logIn = async (name: string) => {
      const body = JSON.stringify({ user: "ana", password: password.trim() });
      const headers = { "content-type": "application/json" };
      const request = { method: "POST", headers, body };
      return (await hosts.gatewayOf(name, "/api/v1/session", request))?.status;
    };
    for (const name of hosts.names) expect(await logIn(name)).toBe(200);
    const { code, stdout } = await hosts.run("doctor gateway", { on: "bia" });
    expect(stdout).not.toMatch(/^Problem/m);
    expect(code).toBe(0);
    await hosts.end("caio", "SIGKILL");
    await until(async () => (await logIn("bia")) === 200, "another gateway serves", 30_000);
    for (const name of ["ana", "bia"]) await hosts.end(name, "SIGTERM", "gateway");
    hosts.startAll("caio");
    await hosts.areHealthy();
  }, 200_000);

  test("[O57] a host with an empty disk replaces a dead host, and has all messages", async () => {
    const [before, former] = [await texts(), await hosts.serverOf("caio")];
    await hosts.end("caio", "SIGKILL");
    await hosts.loseData("caio");
    await replaceServer("caio", hosts.units("caio"), former);
    // The new server is needed for the quorum, so it has what it acknowledges.
    await hosts.end("bia", "SIGKILL");
    await send("caio is new");
    expect(await texts()).toEqual([...before, "caio is new"]);
    hosts.startAll("bia");
    await hosts.areHealthy();
  }, 200_000);

  test("[O57] the reference moves to another host with its file, and all ranks stay", async () => {
    const ranks = async () => {
      const { processes, view } = await hosts.status();
      const members = processes.filter(({ name }) => view?.members.includes(name));
      return members.map(({ name, rank }) => `${name}: ${rank}`).sort();
    };
    const before = await ranks();
    expect(before).toHaveLength(3);
    await hosts.end("ana", "SIGTERM", "reference");
    hosts.copyReference("ana", "bia");
    await hosts.nameReference("bia");
    hosts.startUnit("bia", "reference");
    await send("the reference moves");
    for (const name of hosts.names) await hosts.restart(name);
    await hosts.areHealthy();
    const { processes, view } = await hosts.status();
    const [reference] = processes.filter(({ role }) => role === "reference");
    expect(reference?.address).toContain(hosts.address("bia"));
    expect(view?.members).toHaveLength(3);
    // A restarted process reports its rank with its next heartbeat.
    const areBack = async () => String(await ranks()) === String(before);
    await until(areBack, `the ranks are again ${before}`, 30_000);
  }, 200_000);

  test("[O57] a host that ran the reference is replaced without any of its data", async () => {
    const [before, former] = [await texts(), await hosts.serverOf("bia")];
    const { view } = await hosts.status();
    await hosts.end("bia", "SIGKILL");
    await hosts.loseData("bia");
    await send("bia is gone");
    hosts.startUnit("bia", "reference");
    const lists = async () => (await hosts.status()).view?.number === view?.number;
    await until(lists, "the members have told the view", 60_000);
    await replaceServer("bia", ["broker", "proxy", "server"], former);
    expect(await texts()).toEqual([...before, "bia is gone"]);
  }, 200_000);
});
