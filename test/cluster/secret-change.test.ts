import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
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

  test("three rolling restarts change the secret; no message fails, gets lost or comes twice, and then nobody with the old secret gets in", async () => {
    const old = secretOf();
    await change.begin();
    const former = change.present();
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
    expect(await change.formerGetIn(former)).toEqual([]);
  });
});
