import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { PackageConsumer, packageRoot } from "../support/package-consumer.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

let folder: TemporaryFolder;
let consumer: PackageConsumer;

beforeAll(async () => {
  folder = await temporaryFolder();
  consumer = await PackageConsumer.install(folder.path);
}, 60_000);

afterAll(() => folder?.[Symbol.asyncDispose]());

/** Returns the examples of docs/client.md, joined into one program. */
function program({ endpoints }: LocalCluster): string {
  const page = readFileSync(join(packageRoot, "docs", "client.md"), "utf8");
  const examples = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = ""]) => code);
  return examples
    .join("\n")
    .replace("tcp://127.0.0.1:5555", endpoints.broker)
    .replace("tcp://127.0.0.1:5558", endpoints.proxy);
}

describe("the installed package", { timeout: 120_000 }, () => {
  test("the package has the library with its types and the units of systemd, and neither tests nor trials", () => {
    const installed = join(folder.path, "node_modules", "tertulia");
    expect(readdirSync(installed).sort()).toEqual([
      "LICENSE",
      "README.md",
      "dist",
      "ops",
      "package.json",
    ]);
    expect(readdirSync(join(installed, "ops"))).toEqual(["systemd"]);
    const files = readdirSync(join(installed, "dist"), { recursive: true, encoding: "utf8" });
    expect(files).toContain("cli.js");
    for (const end of ["js", "d.ts"]) expect(files).toContain(join("client", `index.${end}`));
    expect(files.filter((file) => file.startsWith("trials"))).toEqual([]);
  });

  test("[C9] a correct call of the library compiles, and wrong calls do not", async () => {
    const setUp = [
      'import { Connection, parseChannelName, parseUserName, type Session } from "tertulia/client";',
      'const connection = new Connection({ brokers: ["tcp://127.0.0.1:1"], proxies: [] });',
      'const session: Session = connection.session({ user: parseUserName("ana") });',
    ];
    const right = 'void session.publish(parseChannelName("geral"), "Oi", { id: session.newId() });';
    expect(await consumer.compile("right", [...setUp, right].join("\n"))).toBe("");
    const wrong = [
      'void session.publish("geral", "Oi");',
      'void session.message(parseChannelName("geral"), "Oi");',
      'new Connection({ brokers: "tcp://127.0.0.1:1", proxies: [] });',
    ];
    const errors = await consumer.compile("wrong", [...setUp, ...wrong].join("\n"));
    const lines = [...errors.matchAll(/^wrong\.ts\((\d+),/gm)].map(([, line]) => Number(line));
    expect(lines).toEqual([4, 5, 6]);
  });

  test("[C9] a program cannot import internal modules of the package", async () => {
    const errors = await consumer.compile(
      "inside",
      'import { Feeds } from "tertulia/dist/client/feeds.js"; new Feeds();',
    );
    expect(errors).toContain("Cannot find module 'tertulia/dist/client/feeds.js'");
  });

  test("[C1] [C2] [C3] the examples of docs/client.md compile and run against a cluster", async () => {
    await using cluster = await LocalCluster.start();
    expect(await consumer.compile("page", program(cluster))).toBe("");
    const lines = consumer.run("page").trimEnd().split("\n");
    const steps = lines.splice(8);
    expect(lines).toEqual([
      "The connection is connected.",
      expect.stringMatching(/^Number \d+ of server_\w+ is on [123] disks\.$/),
      "The same event: true.",
      "History: Good morning",
      "History: Said once",
      "Heard: Is anybody there? Said while nobody listened",
      "To bia: Lunch?",
      'channel_not_found, no retry helps: There is no channel "nowhere".',
    ]);
    const last = steps.pop();
    if (LocalCluster.hasEngine) {
      // Servers with an engine remember no steps.
      expect([steps, last]).toEqual([[], "undefined, and 0 servers did not answer."]);
      return;
    }
    expect(last).toBe("publication, and 0 servers did not answer.");
    // A peer may tell that it has the event before this server's disk has it, and the slowest server
    // may still wait for the event.
    expect(steps[0]).toMatch(/^server_\w+: asked made synced sent /);
    const others = steps.slice(1);
    expect(others).toContainEqual(expect.stringMatching(/^server_\w+: received (heard )*synced /));
    for (const line of others) expect(line).toMatch(/^server_\w+: (received\b.*)?$/);
  });
});
