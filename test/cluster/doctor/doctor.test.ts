import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Finding, Kind } from "../../../src/cluster/doctor/core/finding.ts";
import { ownVersion } from "../../../src/platform/version.ts";
import { LocalCluster } from "../../../src/trials/local-cluster.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary-folder.ts";
import { until } from "../../support/until.ts";
import { CliProcess, type Ended } from "../../terminal/cli-process.ts";

let folder: TemporaryFolder;
/** Settings of a host on which nothing runs: nobody has bound these endpoints. */
let env: Record<string, string>;

beforeEach(async () => {
  folder = await temporaryFolder();
  const endpoint = (name: string) => `ipc://${join(folder.path, name)}`;
  env = {
    TERTULIA_BROKER: endpoint("broker"),
    TERTULIA_BROKER_BACK: endpoint("back"),
    TERTULIA_PROXY_IN: endpoint("in"),
    TERTULIA_PROXY: endpoint("proxy"),
    TERTULIA_REFERENCE: endpoint("reference"),
    TERTULIA_DATA: join(folder.path, "data"),
  };
});

afterEach(() => folder[Symbol.asyncDispose]());

async function doctor(args: readonly string[], more: Record<string, string> = {}): Promise<Ended> {
  using command = new CliProcess(["doctor", ...args], { ...env, ...more });
  return await command.end();
}

/** The kinds of the findings that are not well; the speed of this machine's disk is left out. */
async function kinds(args: readonly string[], more: Record<string, string> = {}): Promise<Kind[]> {
  const { stdout } = await doctor([...args, "--json"], more);
  const findings = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Finding);
  return findings
    .filter(({ level, kind }) => level !== "ok" && !kind.startsWith("sync"))
    .map(({ kind }) => kind)
    .filter((kind) => kind !== "dataInMemory");
}

/** A program at a free port, which does not speak ZeroMQ. */
async function otherProgram(): Promise<AsyncDisposable & { readonly endpoint: string }> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    // What nobody reads would keep the connection open.
    socket.resume();
    socket.end("HTTP/1.1 400\r\n\r\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, "close");
    },
  };
}

describe("[O58] a host on which nothing runs yet", { timeout: 30_000 }, () => {
  test("before the installation, `doctor` ends with code 0, notes what it can't check, and creates nothing", async () => {
    const { code, stdout, stderr } = await doctor(["server"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("Note: The data folder ");
    expect(stdout).toContain(
      `Note: Not checked, because nothing answers at ${env.TERTULIA_BROKER}`,
    );
    expect(readdirSync(folder.path)).toEqual([]);
    expect(await kinds(["server"])).toEqual(["dataToCreate", "secretToCreate", "nothingAnswers"]);
  });

  test("`doctor` asks for one role if two of the named roles would share an endpoint that only one can bind", async () => {
    const bind = "tcp://127.0.0.1:*";
    for (const args of [
      ["broker", "proxy", "--front", bind],
      ["reference", "server", "--bind", bind],
      ["--back", bind],
    ]) {
      expect((await doctor(args)).code, args.join(" ")).toBe(2);
    }
    expect((await doctor(["broker", "server", "--front", bind, "--back", bind])).code).toBe(0);
  });

  test("`doctor` says in both languages that another program has taken a port, and what to do", async () => {
    await using other = await otherProgram();
    const bind = ["reference", "--bind", other.endpoint];
    const { code, stdout, stderr } = await doctor(bind);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      `Problem: ${other.endpoint} is taken, and no reference with these settings answers there. Stop what uses the port`,
    );
    expect(stdout.indexOf("Problem: ")).toBe(0);
    expect(stderr).toBe("tertulia: This host has a problem.\n");
    const portuguese = await doctor([...bind, "--lang", "pt-br"]);
    expect(portuguese.stdout).toContain(`Problema: ${other.endpoint} está em uso, e nenhum`);
    expect(portuguese.stderr).toBe("tertulia: Esta máquina está com um problema.\n");
  });

  test("`doctor` reports an address of another machine, and a name that nobody knows", async () => {
    const bind = ["reference", "--bind", "tcp://203.0.113.1:5559"];
    const found = await kinds(bind, { TERTULIA_BROKER: "tcp://nobody.invalid:5555" });
    expect(found).toContain("portUnusable");
    expect(found).toContain("nameUnknown");
  });

  test("`doctor` reports a secret that others can read, that is short, or that is not where a setting says", async () => {
    const path = join(folder.path, "secret");
    const flags = ["server", "--secret-file", path];
    expect(await kinds(flags)).toContain("secretMissing");
    writeFileSync(path, "0123456789abcdef\n", { mode: 0o600 });
    expect(await kinds(flags)).toEqual(["dataToCreate", "nothingAnswers"]);
    chmodSync(path, 0o644);
    expect(await kinds(flags)).toContain("secretOpen");
    writeFileSync(path, "short\n");
    expect(await kinds(flags)).toContain("secretShort");
  });

  test("`doctor` compares the public key's file with --curve and with the secret", async () => {
    const path = join(folder.path, "server.key");
    const flags = ["server", "--curve", "--server-key-file", path];
    const secret = { TERTULIA_SECRET: "0123456789abcdef" };
    expect(await kinds(flags, secret)).toContain("keyMissing");
    writeFileSync(path, "none\n");
    expect(await kinds(flags, secret)).toContain("keyNone");
    writeFileSync(path, "ab".repeat(32));
    expect(await kinds(flags, secret)).toContain("keyDiffers");
  });

  test("`doctor` compares the gateways' key with the secret, and reports a mode that lets others read it", async () => {
    const path = join(folder.path, "key");
    const flags = ["gateway", "--http", "tcp://127.0.0.1:*", "--gateway-key-file", path];
    const secret = { TERTULIA_SECRET: "0123456789abcdef" };
    expect(await kinds(flags)).toContain("gatewayKeyMissing");
    writeFileSync(path, "no key\n", { mode: 0o600 });
    expect(await kinds(flags)).toContain("gatewayKeyInvalid");
    writeFileSync(path, "ab".repeat(32));
    expect(await kinds(flags)).toContain("gatewayKeyUnchecked");
    expect(await kinds(flags, secret)).toContain("gatewayKeyDiffers");
    chmodSync(path, 0o644);
    expect(await kinds(flags)).toContain("gatewayKeyOpen");
    const unnamed = ["gateway", "--http", "tcp://127.0.0.1:*"];
    expect(await kinds(unnamed)).toContain("gatewayKeyToCreate");
  });

  test("`doctor` reports that another program has taken the gateway's port", async () => {
    await using other = await otherProgram();
    expect(await kinds(["gateway", "--http", other.endpoint])).toContain("portTaken");
  });

  test("`doctor` reports a data folder that is a file", async () => {
    writeFileSync(env.TERTULIA_DATA as string, "");
    expect(await kinds(["server"])).toContain("dataUnusable");
  });

  test("a wrong role, or --bind without a role, ends `doctor` with code 2", async () => {
    const codes = await Promise.all([
      doctor(["brokr"]).then(({ code }) => code),
      doctor(["--bind", "tcp://127.0.0.1:*"]).then(({ code }) => code),
      doctor([], { TERTULIA_BIND: "tcp://127.0.0.1:*", TERTULIA_ROLE: "server" }).then(
        ({ code }) => code,
      ),
    ]);
    expect(codes).toEqual([2, 2, 0]);
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "`doctor` leaves no file in the data folder if %s ends it while it measures the disk",
    async (signal) => {
      const data = env.TERTULIA_DATA as string;
      mkdirSync(data);
      // Stopped by SIGSTOP, the process can't finish before the signal arrives.
      using command = new CliProcess(["doctor", "server"], env);
      await until(() => readdirSync(data).length > 0 || command.child.exitCode !== null, "a file");
      command.child.kill("SIGSTOP");
      command.child.kill(signal);
      command.child.kill("SIGCONT");
      await command.end();
      expect(readdirSync(data)).toEqual([]);
    },
  );
});

describe("[O58] a host of a running cluster", { timeout: 60_000 }, () => {
  let cluster: LocalCluster;

  beforeAll(async () => {
    cluster = await LocalCluster.start({
      servers: 1,
      gateways: 1,
      curve: true,
      settings: encrypted,
    });
  }, 60_000);

  afterAll(() => cluster?.[Symbol.asyncDispose](), 30_000);

  const encrypted = () => ({ TERTULIA_CURVE: "true" });
  const addressOf = (endpoint = "") => endpoint.replace(/#.*/, "");
  const ends = (role: "broker" | "proxy" | "reference" | "server" | "gateway") =>
    cluster.of(role)[0]?.ready?.endpoints ?? {};

  /** The settings of the processes of this cluster. */
  const members = () => ({
    TERTULIA_BROKER: addressOf(cluster.endpoints.broker),
    TERTULIA_BROKER_BACK: addressOf(ends("broker").back),
    TERTULIA_PROXY_IN: addressOf(ends("proxy").front),
    TERTULIA_PROXY: addressOf(cluster.endpoints.proxy),
    TERTULIA_REFERENCE: addressOf(cluster.endpoints.reference),
    TERTULIA_DATA: cluster.folder,
    TERTULIA_CURVE: "true",
  });

  test("on a host of a running cluster, everything is well for each role", async () => {
    const bound = {
      broker: { TERTULIA_FRONT: ends("broker").front, TERTULIA_BACK: ends("broker").back },
      proxy: { TERTULIA_FRONT: ends("proxy").front, TERTULIA_BACK: ends("proxy").back },
      reference: { TERTULIA_BIND: cluster.endpoints.reference.replace(/#.*/, "") },
      server: { TERTULIA_BIND: ends("server").peer },
      gateway: { TERTULIA_HTTP: ends("gateway").http },
    };
    for (const [role, settings] of Object.entries(bound)) {
      const all = { ...members(), ...settings } as Record<string, string>;
      const { code, stdout } = await doctor([role], all);
      expect(stdout).not.toMatch(/^(?:Problem|Note)/m);
      expect(code).toBe(0);
      expect(stdout).toContain(`OK: The ${role} runs at `);
      expect(stdout).toContain(`OK: The program has the version of the cluster, ${ownVersion()}.`);
      const flags = role === "server" ? "--curve, --secret-file, --auth" : "--curve, --secret-file";
      expect(stdout).toContain(`OK: The cluster agrees with these settings: ${flags}.`);
      expect(stdout).toMatch(/OK: This machine's clock is -?\d+ ms away from the time at /);
      expect(stdout).toContain("server.key fits these settings.");
    }
  });

  test("`doctor` says that a host lacks the cluster's encryption, accounts or secret", async () => {
    const plain = { ...members(), TERTULIA_CURVE: "false", TERTULIA_DATA: env.TERTULIA_DATA ?? "" };
    expect(await kinds(["server"], plain)).toEqual([
      "secretMissing",
      "curveMissing",
      "dataToCreate",
    ]);
    const other = { ...plain, TERTULIA_CURVE: "true", TERTULIA_SECRET: "0123456789abcdef" };
    expect(await kinds(["server"], other)).toContain("otherKey");
    const accounts = { ...members(), TERTULIA_AUTH: "required" };
    expect(await kinds(["server"], accounts)).toEqual(["otherAuth"]);
    // The key of the cluster, and another secret.
    const copied = {
      ...other,
      TERTULIA_SERVER_KEY_FILE: join(cluster.folder, "public", "server.key"),
    };
    expect(await kinds(["server"], copied)).toEqual(["keyDiffers", "otherSecret", "dataToCreate"]);
  });

  test("`doctor` distinguishes an endpoint where nobody listens from one where another program answers", async () => {
    await using other = await otherProgram();
    const refused = { ...members(), TERTULIA_PROXY_IN: env.TERTULIA_PROXY_IN as string };
    expect(await kinds(["server"], refused)).toEqual(["refused"]);
    const foreign = { ...members(), TERTULIA_PROXY_IN: other.endpoint };
    expect(await kinds(["server"], foreign)).toEqual(["foreign"]);
  });
});
