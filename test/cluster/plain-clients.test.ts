import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { python, readmePython } from "../support/readme-python.ts";
import { inNode, sendPlainly } from "./plain-clients.ts";

describe("the plain REQ client in the README", { timeout: 120_000 }, () => {
  test("[B6] plain REQ clients never hang, and no message is lost or doubled, while brokers and servers fail", async () => {
    const result = await sendPlainly(inNode, { clients: 50, rounds: 1 });
    expect(result).toMatchObject({ refused: [], lost: [], doubled: [] });
    expect(result.acknowledged).toBeGreaterThan(500);
  });

  test.skipIf(python === undefined)(
    "the README's Python example prints what the README says",
    async () => {
      await using cluster = await LocalCluster.start();
      const { defines, does } = readmePython(cluster);
      const child = spawn(python ?? "", ["-u", "-c", defines + does], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const lines = (await text(child.stdout)).trimEnd().split("\n");
      const durable = expect.stringMatching(LocalCluster.hasEngine ? /primary/ : /server_/);
      expect(lines).toEqual(["sucesso", "sucesso", durable, "Olá!"]);
    },
  );
});
