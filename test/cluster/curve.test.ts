import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Request, Subscriber } from "zeromq";
import type { Child } from "../../src/cluster/child.ts";
import { keyFileText } from "../../src/platform/curve.ts";
import { splitKey, withKey } from "../../src/platform/endpoint.ts";
import { encode } from "../../src/protocol/codec.ts";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";
import { CliProcess } from "../terminal/cli-process.ts";
import { logOf } from "./folders.ts";

let cluster: LocalCluster;

beforeAll(async () => {
  cluster = await LocalCluster.start({ curve: true, brokers: 2, proxies: 2, logLevel: "info" });
}, 60_000);

afterAll(() => cluster?.[Symbol.asyncDispose](), 30_000);

/** The endpoints of a list, without their keys. */
function plain(list: string): string[] {
  return list.split(",").map((endpoint) => splitKey(endpoint).address);
}

const keyFile = () => join(cluster.folder, "public", "server.key");
const geral = { channel: parseChannelName("geral") };
const strange = "5".repeat(64);
const refusal = (endpoint: string) => new RegExp(`A connection to ${endpoint} was refused: it `);

function command(...args: string[]) {
  const { broker, proxy, reference } = cluster.endpoints;
  return new CliProcess(args, {
    TERTULIA_BROKER: plain(broker).join(","),
    TERTULIA_PROXY: plain(proxy).join(","),
    TERTULIA_REFERENCE: plain(reference).join(","),
  }).end();
}

describe("[X6] an encrypted cluster", { timeout: 60_000 }, () => {
  test("an encrypted cluster serves clients that have its key", async () => {
    const heard: string[] = [];
    const [ana, bia] = [cluster.client(), cluster.client()];
    await ana.login(parseUserName("ana"));
    await bia.login(parseUserName("bia"));
    await ana.createChannel(parseChannelName("geral"));
    await bia.subscribe(geral, (entry) => heard.push(entry.message));
    await ana.publish(parseChannelName("geral"), "olá");
    await until(() => heard.includes("olá"), "it is heard");
    // A claim goes from a server to the coordinator, so it needs the link between servers.
    await ana.register(parseUserName("caio"), "a password of caio's");
    const roles = ["broker", "broker", "proxy", "proxy", "reference", "server", "server", "server"];
    // Servers with an engine tell each other of themselves each half second.
    const isWhole = async () => {
      const { members, processes } = await ana.status();
      const all = processes.map(({ role }) => role).sort();
      return members.length === 3 && all.join() === roles.join();
    };
    await until(isWhole, "each process is known");
  });

  test("an encrypted cluster writes its public key to a file that all may read, and no warnings to its logs", () => {
    const key = readFileSync(keyFile(), "utf8");
    expect(key).toMatch(/^[0-9a-f]{64}\n$/);
    expect(statSync(keyFile()).mode & 0o777).toBe(0o644);
    expect(cluster.endpoints.broker).toContain(`#${key.trim()}`);
    const reference = logOf(cluster, cluster.of("reference")[0] as Child);
    expect(reference).toContain(`"serverKey":"${key.trim()}"`);
    for (const role of ["reference", "broker", "proxy", "server"] as const) {
      for (const child of cluster.of(role)) expect(logOf(cluster, child)).not.toMatch(/Warning:/);
    }
  });

  test("an encrypted cluster sends nothing to REQ and SUB sockets without encryption, and its logs say why", async () => {
    const [broker = ""] = plain(cluster.endpoints.broker);
    const [proxy = ""] = plain(cluster.endpoints.proxy);
    const request = new Request({ linger: 0, sendTimeout: 0, receiveTimeout: 0 });
    const subscriber = new Subscriber({ receiveTimeout: 0 });
    try {
      request.connect(broker);
      subscriber.connect(proxy);
      subscriber.subscribe("");
      await request.send(encode({ service: "users", data: {} })).catch(() => {});
      const log = (role: Child["role"]) => logOf(cluster, cluster.of(role)[0] as Child);
      await until(() => refusal(broker).test(log("broker")), "the broker says so");
      await until(() => refusal(proxy).test(log("proxy")), "the proxy says so");
      const client = cluster.client({ user: parseUserName("ana") });
      const heard: string[] = [];
      await client.subscribe(geral, (entry) => heard.push(entry.message));
      await client.publish(parseChannelName("geral"), "for clients with the key");
      await until(() => heard.length > 0, "others hear it");
      await expect(request.receive()).rejects.toThrow();
      await expect(subscriber.receive()).rejects.toThrow();
    } finally {
      request.close();
      subscriber.close();
    }
  });

  test("an encrypted cluster accepts writes while one process of each role is killed and restarts", async () => {
    const client = cluster.client({ user: parseUserName("ana"), deadlineMs: 30_000 });
    const roles = ["server", "broker", "proxy", "reference"] as const;
    for (const role of roles) {
      const child = cluster.of(role)[0] as Child;
      const ready = child.nextReady();
      child.signal("SIGKILL");
      await client.publish(parseChannelName("geral"), `without ${child.label}`);
      await ready;
      await client.publish(parseChannelName("geral"), `with ${child.label}`);
    }
    const isLive = async () => {
      const members = (await client.status()).members;
      return members.length === 3 && members.every(({ live }) => live);
    };
    await until(isLive, "all are live again", 30_000);
    const { entries } = await client.history(geral);
    const texts = entries.map((entry) => entry.message);
    for (const role of roles) {
      expect(texts).toContain(`without ${role} 1`);
      expect(texts).toContain(`with ${role} 1`);
    }
  });
});

describe("[X6] the commands of an encrypted cluster", { timeout: 60_000 }, () => {
  test("a command without the cluster's key, or with a wrong key, fails and says so", async () => {
    const { broker } = cluster.endpoints;
    const none = await command("users");
    expect(none).toMatchObject({ code: 1, stdout: "" });
    expect(none.stderr).toMatch(
      /requires encryption: give its key, as .*#key or with --server-key-file/,
    );
    const wrong = withKey(plain(broker), strange).join(",");
    const other = await command("users", "--broker", wrong, "--timeout", "2");
    expect(other).toMatchObject({ code: 1, stdout: "" });
    expect(other.stderr).toMatch(/its key is not the one that was given/);
    const removal = await command("servers", "remove", "server_00000000");
    expect(removal.stderr).toMatch(/requires encryption/);
    await until(
      () =>
        /it has another key than this endpoint's/.test(
          logOf(cluster, cluster.of("broker")[0] as Child),
        ),
      "the broker says so",
    );
  });

  test("commands accept the cluster's public key from a file or an endpoint, or derive it from the secret", async () => {
    const file = await command("users", "--server-key-file", keyFile());
    expect(file).toMatchObject({ code: 0, stdout: expect.stringContaining("ana") });
    const endpoint = await command("users", "--broker", cluster.endpoints.broker);
    expect(endpoint.stdout).toContain("ana");
    const isHealthy = async () =>
      (await command("status", "--server-key-file", keyFile())).code === 0;
    await until(isHealthy, "the status is healthy");
    const secret = ["--curve", "--data", cluster.folder];
    const removal = await command("servers", "remove", "server_00000000", ...secret);
    expect(removal.stderr).toMatch(/server_00000000 is not a member/);
  });

  test("`health` with the secret succeeds for an encrypted broker, reference and server, and fails without the secret", async () => {
    const secret = ["--curve", "--data", cluster.folder];
    const [broker, reference] = [cluster.of("broker")[1], cluster.of("reference")[0]];
    const { front = "", back = "" } = broker?.ready?.endpoints ?? {};
    const ends = ["--front", front, "--back", back];
    const healths = [
      ["broker", ...ends, ...secret],
      ["reference", "--bind", reference?.ready?.endpoints.bind ?? "", ...secret],
      ["server", "--bind", cluster.server(1).ready?.endpoints.peer ?? "", ...secret],
    ];
    for (const args of healths) expect(await command("health", ...args)).toMatchObject({ code: 0 });
    expect(logOf(cluster, broker as Child)).not.toMatch(refusal(back));
    const plainly = await command("health", "server", ...(healths[2]?.slice(1, 3) ?? []));
    expect(plainly).toMatchObject({ code: 1 });
  });
});

describe("[X6] a bot", { timeout: 60_000 }, () => {
  test("a bot ends with a sentence if its key file has no key, and writes with the right key file", async () => {
    const file = join(cluster.folder, "copied.key");
    const data = ["--data", join(cluster.folder, "bot"), "--count", "1", "--log-level", "warn"];
    writeFileSync(file, keyFileText(undefined));
    const refused = await command("bot", ...data, "--server-key-file", file);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(
      /^tertulia: The broker does not take the connection: it wants encryption.*\n$/,
    );
    copyFileSync(keyFile(), file);
    const taken = await command("bot", ...data, "--server-key-file", file);
    expect(taken).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(taken.stdout)).toMatchObject({ acknowledged: 1 });
  });
});

describe("[X6] a server without --curve", { timeout: 60_000 }, () => {
  test("a server without --curve does not join an encrypted cluster, and both the server and the reference say why", async () => {
    const { brokerBack, proxyIn, proxy, reference } = cluster.endpoints;
    using server = new CliProcess(["server"], {
      TERTULIA_BROKER_BACK: plain(brokerBack).join(","),
      TERTULIA_PROXY_IN: plain(proxyIn).join(","),
      TERTULIA_PROXY: plain(proxy).join(","),
      TERTULIA_REFERENCE: plain(reference).join(","),
      TERTULIA_DATA: join(cluster.folder, "another"),
    });
    await server.saw("The reference does not take the connection: it wants encryption");
    const [at = ""] = plain(reference);
    const log = () => logOf(cluster, cluster.of("reference")[0] as Child);
    await until(() => refusal(at).test(log()), "the reference says so");
    expect(existsSync(join(cluster.folder, "another", "public"))).toBe(false);
    expect((await cluster.client().status()).members).toHaveLength(3);
  });
});
