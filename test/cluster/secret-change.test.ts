import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Child } from "../../src/cluster/child.ts";
import { Publisher } from "../../src/net/publisher.ts";
import { curveKeys, memberKey } from "../../src/platform/curve.ts";
import { withKey } from "../../src/platform/endpoint.ts";
import { Secret } from "../../src/platform/secret.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";
import { CliProcess } from "../terminal/cli-process.ts";
import { logOf } from "./folders.ts";
import { SecretChange } from "./secret-change.ts";

describe.each([
  { name: "an encrypted cluster with accounts", curve: true, auth: "required" },
  { name: "an open cluster", curve: false, auth: "open" },
] as const)("[O55] a change of the secret of $name", { timeout: 600_000 }, ({ curve, auth }) => {
  let cluster: LocalCluster;
  let change: SecretChange;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ curve, auth, logLevel: "info" });
    change = new SecretChange(cluster, { writeEveryMs: 50 });
  }, 60_000);
  afterAll(async () => {
    change?.[Symbol.dispose]();
    await cluster?.[Symbol.asyncDispose]();
  }, 30_000);

  const secretOf = () => readFileSync(join(cluster.folder, "secret"), "utf8").trim();
  const logsSay = (role: Child["role"], text: RegExp) =>
    until(
      () => cluster.of(role).some((one) => text.test(logOf(cluster, one))),
      `the log of the ${role} has ${text}`,
      60_000,
    );

  test("three rolling restarts change the secret; no message fails, gets lost or comes twice, and then nobody with the old secret gets in", async () => {
    const [old, before] = [secretOf(), change.endpoints];
    await change.begin();
    const formerToken = change.tokens.get("ana");
    const added = await change.step("add");
    const switched = await change.step("switch");
    await change.renewClients();
    const dropped = await change.step("drop");
    await change.end();
    expect(switched).toEqual([...added].reverse());
    expect(dropped).toEqual(switched.slice(0, 1));
    expect(change.failed).toEqual([]);
    expect([...change.heard].sort()).toEqual([...change.written].sort());
    expect(change.written.size).toBeGreaterThan(100);
    expect(secretOf()).not.toContain(old);
    console.log(
      change.written.size,
      change.failed.length,
      change.heard.length,
      change.longestMs,
      performance.now(),
    );

    const { brokers, reference } = change.endpoints;
    const { brokerBack, proxyIn } = cluster.endpoints;
    // With the present public key, the old secret alone decides.
    using stranger = new CliProcess(["server"], {
      TERTULIA_DATA: join(cluster.folder, "stranger"),
      TERTULIA_SECRET: old,
      TERTULIA_AUTH: auth,
      TERTULIA_CURVE: String(curve),
      TERTULIA_REFERENCE: reference.join(","),
      TERTULIA_BROKER_BACK: brokerBack,
      TERTULIA_PROXY_IN: proxyIn,
      TERTULIA_PROXY: change.endpoints.proxies.join(","),
    });
    void stranger.end();
    await logsSay("reference", /its secret differs/);
    expect(stranger.stdout).not.toContain("ready");
    const source = { text: old, path: "", isDefault: true, cluster: "tertulia" };
    const former = new Secret(old, source);
    const key = memberKey(former, curve ? curveKeys(former) : undefined);
    const publisher = new Publisher(withKey([proxyIn], key), () => {});
    await logsSay("proxy", curve ? /has another key than this/ : /is no member of this cluster/);
    await publisher.close();
    if (!curve) return;
    const present = change.tokens.get("ana");
    const deadlineMs = 10_000;
    using known = cluster.client({ brokers, proxies: [], token: present, deadlineMs });
    await expect(known.users()).resolves.toContain("ana");
    using ended = cluster.client({ brokers, proxies: [], token: formerToken, deadlineMs });
    await expect(ended.users()).rejects.toMatchObject({ reason: "session_unknown" });
    using late = cluster.client({ ...{ brokers: before.brokers, proxies: [] }, deadlineMs });
    await expect(late.time()).rejects.toMatchObject({ code: "unavailable" });
    expect(late.connection.refusal).toBe("otherKey");
  });
});
