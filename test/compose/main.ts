import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { freePorts } from "../../src/trials/free-ports.ts";
import { Containers } from "./containers.ts";
import { SteadyMatch } from "./duel.ts";
import { conformance, SteadyWriter } from "./work.ts";

/**
 *     npm run test:compose                    kills, scales, stops and starts the containers
 *     npm run test:compose -- --engine        on PostgreSQL, whose primary is killed
 *     npm run test:compose -- --busy 2        beside so many loops that keep the processors busy
 *
 * Needs Docker. Uses a project, volumes and ports of its own, and removes them at the end.
 */
const { values } = parseArgs({
  options: { busy: { type: "string", default: "0" }, engine: { type: "boolean", default: false } },
});
const busy = Number(values.busy);
if (!Number.isSafeInteger(busy) || busy < 0) {
  process.stderr.write("test:compose: --busy is a whole number.\n");
  process.exit(2);
}

const started = performance.now();
const script = process.env.CONFORMANCE ?? "../shared/conformance/original_protocol.py";

function seconds(since: number): string {
  return ((performance.now() - since) / 1_000).toFixed(1);
}

/** Does a step, and prints when it began, how long it took, and what it returned. */
async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const at = `${seconds(started)} s`.padStart(8);
  try {
    const result = await work();
    const found = typeof result === "string" ? `: ${result}` : "";
    process.stdout.write(`${at}  ${`${seconds(begun)} s`.padStart(7)}  ${what}${found}\n`);
    return result;
  } catch (error) {
    process.stdout.write(`${at}  ${`${seconds(begun)} s`.padStart(7)}  FAILED: ${what}\n`);
    throw error;
  }
}

const [broker = 0, proxy = 0, reference = 0, web = 0, ...ofGames] = await freePorts(8);
const [game1 = 0, game2 = 0, mqtt1 = 0, mqtt2 = 0] = ofGames;
const ports = { broker, proxy, reference, web, game1, game2, mqtt1, mqtt2 };
const engine = "postgres://tertulia@postgres-1,postgres-2/tertulia";
const scope = values.engine
  ? { profiles: ["engine", "web", "duel"], engine, redis: "redis://redis" }
  : { profiles: ["duel"] };
const containers = new Containers(`tertulia-test-${process.pid}`, ports, scope);
const endpoint = `tcp://127.0.0.1:${broker}`;
const match = new SteadyMatch([game1, game2].map((port) => `tcp://127.0.0.1:${port}`));
const loops: ChildProcess[] = [];
process.once("SIGINT", () => process.exit(1));
process.once("exit", () => {
  for (const loop of loops) loop.kill("SIGKILL");
});

async function begin(): Promise<void> {
  await step("up", () => containers.up());
  if (existsSync(script)) {
    await step("conformance through the published ports", () => {
      return conformance(script, endpoint, `tcp://127.0.0.1:${proxy}`);
    });
  }
  await step("a match begins", () => match.start(endpoint));
}

async function scene(): Promise<void> {
  await begin();
  for (const game of ["game-1-1", "game-2-1"]) {
    await step(`kill -9 of ${game}`, () => containers.kill(game));
    await step("3 rounds", () => match.rounds(3));
    await step("up brings it back", () => containers.up());
    await step("both game servers have the match", () => match.hasTwoHolders(endpoint));
  }
  await step("the match ends", () => match.end());
  await step("--scale server=5", () => containers.up("--scale", "server=5"));
  await step("status says that all is well", () => containers.reports([]));
  const writer = new SteadyWriter(endpoint, "compose");
  await step("a writer begins", () => writer.start());
  await step("100 messages", () => writer.progress(100));
  await step("kill -9 of two servers and of the reference", () => {
    return containers.kill("server-2", "server-4", "reference-1");
  });
  await step("100 messages", () => writer.progress(100));
  await step("status names what is missing", () => {
    return containers.reports(["memberDown", "memberDown", "noReference"]);
  });
  await step("up brings them back", () => containers.up("--scale", "server=5"));
  await step("status says that all is well", () => containers.reports([]));
  await step("--scale server=2", () => containers.up("--scale", "server=2"));
  await step("status says that all is well", () => containers.reports([]));
  await step("100 messages", () => writer.progress(100));
  await step("the writer ends", () => writer.stop());
  await step("down", () => containers.down());
  await step("up", () => containers.up());
  await step("status says that all is well", () => containers.reports([]));
  await step("each acknowledged message is there once", () => writer.expectAll());
  await step("no log has a warning of Node", () => containers.expectNoWarnings());
}

/** Kills a primary, lets its standby go on, and brings it back as the standby of that one. */
async function moveOn(from: string, to: string, writer: SteadyWriter): Promise<void> {
  const promote = () => containers.exec(to, "/ops/promote.sh");
  await step(`${to} is not promoted while ${from} answers`, async () => {
    await promote().then(
      () => Promise.reject(new Error("it was promoted")),
      ({ stderr }: { stderr?: string }) => {
        if (!stderr?.includes(`${from} still answers`)) throw new Error(stderr);
      },
    );
  });
  await step(`kill -9 of ${from}, and of a server`, () => containers.kill(`${from}-1`, "server-3"));
  await step("3 rounds", () => match.rounds(3));
  await step("promote.sh", promote);
  await step("100 messages", () => writer.progress(100));
  await step("up brings them back", () => containers.up("--scale", "server=5"));
  await step("confirm.sh", () => containers.exec(to, "/ops/confirm.sh"));
  await step("100 messages", () => writer.progress(100));
  await step("status says that all is well", () => containers.reports([]));
}

async function engineScene(): Promise<void> {
  await begin();
  await step("--scale server=5", () => containers.up("--scale", "server=5"));
  const writer = new SteadyWriter(endpoint, "compose");
  await step("a writer begins", () => writer.start());
  await step("100 messages", () => writer.progress(100));
  await step("kill -9 of Redis", () => containers.kill("redis-1"));
  await step("100 messages", () => writer.progress(100));
  await moveOn("postgres-1", "postgres-2", writer);
  await moveOn("postgres-2", "postgres-1", writer);
  await step("the match ends", () => match.end());
  await step("--scale server=2", () => containers.up("--scale", "server=2"));
  await step("100 messages", () => writer.progress(100));
  await step("the writer ends", () => writer.stop());
  await step("no log and no `docker inspect` shows the password", async () => {
    const password = "/var/run/postgresql/password";
    await containers.expectUnseen(await containers.exec("postgres-1", "cat", password));
  });
  await step("down", () => containers.down());
  await step("up", () => containers.up());
  await step("status says that all is well", () => containers.reports([]));
  await step("each acknowledged message is there once", () => writer.expectAll());
  await step("no log has a warning of Node", () => containers.expectNoWarnings());
}

try {
  for (let number = 0; number < busy; number += 1) {
    loops.push(spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }));
  }
  process.stdout.write(`   begun     took  beside ${busy} busy loops\n`);
  await (values.engine ? engineScene() : scene());
} catch (error) {
  process.exitCode = 1;
  process.stderr.write(`${(error as Error).message}\n`);
  await containers.tell();
} finally {
  await step("removed", () => containers.remove());
}
for (const loop of loops) loop.kill("SIGKILL");
