import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Responder } from "../../src/net/responder.ts";
import { canHaveHosts, withHosts } from "../support/own-hosts.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";

const asker = fileURLToPath(new URL("../support/ask-again.ts", import.meta.url));

/** Answers every question at the endpoint with the same text. */
async function answering(endpoint: string, text: string) {
  const responder: Responder = new Responder((to) => responder.reply(to, Buffer.from(text)));
  const bound = await responder.bind(endpoint);
  responder.start();
  return { port: bound.split(":").at(-1), close: () => responder.close() };
}

test.skipIf(!canHaveHosts)(
  "[O9] a connection to a host name follows the name to another address",
  { timeout: 30_000 },
  async () => {
    await using folder = await temporaryFolder();
    const hosts = join(folder.path, "hosts");
    const moveTo = (address: string) => {
      writeFileSync(hosts, `127.0.0.1 localhost\n${address} peer.example\n`);
    };
    const before = await answering("tcp://127.0.0.2:*", "before");
    moveTo("127.0.0.2");
    const endpoint = `tcp://peer.example:${before.port}`;
    const command = [process.execPath, "--import", "tsx", asker, endpoint];
    const [unshare, ...args] = withHosts(hosts, command);
    const child = spawn(unshare, args, { stdio: ["ignore", "pipe", "inherit"] });
    try {
      let last: string | undefined;
      createInterface({ input: child.stdout }).on("line", (line) => {
        last = line;
      });
      await until(() => last === "before", "the first address answers", 20_000);
      await before.close();
      moveTo("127.0.0.3");
      const after = await answering(`tcp://127.0.0.3:${before.port}`, "after");
      await until(() => last === "after", "the second address answers", 20_000);
      await after.close();
    } finally {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    expect(child.signalCode).toBe("SIGKILL");
  },
);
