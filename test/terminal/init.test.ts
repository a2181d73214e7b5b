import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runInit } from "../../src/cluster/init.ts";
import { curveKeys } from "../../src/platform/curve.ts";
import { gatewayKeyText } from "../../src/platform/gateway-key.ts";
import { Problem } from "../../src/platform/problem.ts";
import { readSecret } from "../../src/platform/secret.ts";
import { readSettingsFile } from "../../src/platform/settings-file.ts";
import { roles } from "../../src/protocol/reference-messages.ts";
import { textsIn } from "../../src/texts/texts.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { CliProcess } from "./cli-process.ts";

const text = textsIn("en");
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder();
});

afterAll(() => folder[Symbol.asyncDispose]());

async function init(out: string, ...args: string[]) {
  using command = new CliProcess(["init", ...args, "--out", join(folder.path, out)]);
  return await command.end();
}

test("[O57] `init` writes settings and secret for each host, and for people the public key without the secret", async () => {
  const { code, stdout, stderr } = await init(
    "three",
    "ana=10.0.0.1",
    "bia=fd00::2",
    "caio=10.0.0.3",
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("Of 3 hosts, up to 1 may be down at the same time.");
  const at = (...names: string[]) => join(folder.path, "three", ...names);
  expect(readdirSync(at()).sort()).toEqual(["ana", "bia", "caio", "client", "gateway"]);
  const secrets = ["ana", "bia", "caio"].map((host) => readFileSync(at(host, "secret"), "utf8"));
  expect(new Set(secrets).size).toBe(1);
  expect(statSync(at("bia", "secret")).mode & 0o777).toBe(0o600);
  const bia = readSettingsFile(at("bia", "tertulia.yaml"), roles);
  expect(bia.common).toMatchObject({
    brokerBack: "tcp://10.0.0.1:5556,tcp://[fd00::2]:5556,tcp://10.0.0.3:5556",
    reference: "tcp://10.0.0.1:5559",
    auth: "required",
    curve: "true",
    secretFile: at("bia", "secret"),
    advertise: "fd00::2",
  });
  expect(bia.roles.get("server")).toEqual({
    bind: "tcp://[fd00::2]:5560",
    metrics: "tcp://[fd00::2]:9467",
  });
  expect(bia.roles.get("gateway")).toEqual({
    http: "tcp://[fd00::2]:8080",
    trustedProxies: "10.0.0.1,fd00::2,10.0.0.3",
    gatewayKeyFile: at("bia", "gateway.key"),
    serverKeyFile: at("bia", "server.key"),
    data: "/var/lib/tertulia-gateway",
    metrics: "tcp://[fd00::2]:9468",
  });
  expect(readdirSync(at("client")).sort()).toEqual(["server.key", "tertulia.yaml"]);
  expect(readdirSync(at("gateway")).sort()).toEqual(["gateway.key", "server.key"]);
  const path = at("ana", "secret");
  const secret = readSecret({ text: undefined, path, isDefault: false, cluster: "tertulia" });
  for (const clients of ["client", "gateway"]) {
    const key = readFileSync(at(clients, "server.key"), "utf8").trim();
    expect(key).toBe(curveKeys(secret).publicKey);
  }
  const gatewayKey = at("gateway", "gateway.key");
  expect(readFileSync(gatewayKey, "utf8")).toBe(gatewayKeyText(secret));
  expect(statSync(gatewayKey).mode & 0o777).toBe(0o600);
}, 60_000);

test("[O57] `init` says how many hosts may be down, in the person's language", async () => {
  const hosts = [1, 2, 3, 4].map((number) => `h${number}=10.0.0.${number}`);
  const notes = {
    1: "With one host, nobody can read or write while it is down.",
    2: "With two hosts, nobody can read or write while one of them is down.",
    4: "Of 4 hosts, up to 1 may be down at the same time. With 3 hosts that would be the same.",
  };
  for (const [count, note] of Object.entries(notes)) {
    const { stdout } = await init(`of-${count}`, ...hosts.slice(0, Number(count)));
    expect(stdout).toContain(note);
  }
  const inPortuguese = await init("pt", ...hosts.slice(0, 2), "--lang", "pt-br");
  expect(inPortuguese.stdout).toContain("Com dois hosts, ninguém lê nem escreve");
}, 60_000);

test("[O57] `init` refuses a folder that exists, and hosts that are invalid or named twice", async () => {
  const out = join(folder.path, "refused");
  const refusal = (...hosts: string[]) => {
    try {
      runInit(hosts, out, text);
    } catch (error) {
      return error;
    }
  };
  for (const host of [
    "ana",
    "ana=",
    "ana=host.example",
    "=10.0.0.1",
    "client=10.0.0.1",
    "gateway=10.0.0.1",
    "../a=::1",
  ]) {
    expect(refusal(host), host).toEqual(new Problem(text("init.host", { said: host }), 2));
  }
  const twice = (value: string) => new Problem(text("init.twice", { value }), 2);
  expect(refusal("a=10.0.0.1", "a=10.0.0.2")).toEqual(twice("a"));
  expect(refusal("a=10.0.0.1", "b=10.0.0.1")).toEqual(twice("10.0.0.1"));
  await mkdir(out);
  expect(refusal("a=10.0.0.1")).toMatchObject({ exitCode: 1 });
  expect(readdirSync(out)).toEqual([]);
});

test("[O57] `init` says what to do if its folder can't be written", async () => {
  writeFileSync(join(folder.path, "file"), "");
  const { code, stderr } = await init(join("file", "below"), "ana=10.0.0.1");
  const out = join(folder.path, "file", "below");
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `tertulia: ${out} can't be written (ENOTDIR): name another folder by --out.\n`,
  });
}, 60_000);
