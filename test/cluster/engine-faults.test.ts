import { existsSync } from "node:fs";
import { join } from "node:path";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engineAddress } from "../../src/platform/parse-engine.ts";
import { randomHex } from "../../src/platform/random.ts";
import { parseChannelName, parseUserName, type RequestId } from "../../src/protocol/ids.ts";
import { openPostgres } from "../../src/server/engine/postgres/postgres-engine.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { hasPostgres, type Postgres, skipNote, startPostgres } from "../../src/trials/postgres.ts";
import { ListeningSocket } from "../support/listening-socket.ts";
import { PlainRequest } from "../support/plain-client.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { CliProcess } from "../terminal/cli-process.ts";
import { messagesIn, Writer } from "./writer.ts";

const ana = parseUserName("ana");
const general = parseChannelName("geral");
const newId = () => randomHex(16) as RequestId;
/** A busy machine may need longer than the 1.5 s, or 2 s, that servers aim at. */
const soonMs = 10_000;

describe.skipIf(!hasPostgres)(`faults of an engine${skipNote}`, { timeout: 90_000 }, () => {
  let postgres: Postgres;
  let engine: string;
  let cluster: LocalCluster;

  beforeAll(async () => {
    postgres = await startPostgres({
      standby: true,
      settings: { max_connections: "200", wal_retrieve_retry_interval: "200ms" },
    });
    engine = await postgres.createDatabase();
    cluster = await LocalCluster.start({ engine, hasMetrics: true });
    const client = cluster.client();
    await client.login(ana);
    await client.createChannel(general);
  }, 90_000);
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await postgres?.[Symbol.asyncDispose]();
  }, 60_000);

  /** A session of ana that gives up soon. */
  async function speaker(deadlineMs = 30_000) {
    const client = cluster.client({ deadlineMs });
    await client.login(ana);
    return client;
  }

  async function countOf(text: string): Promise<number> {
    const { entries } = await cluster.client({ deadlineMs: 30_000 }).history({ channel: general });
    return entries.filter(({ message }) => message === text).length;
  }

  /** Appends a message as a server does that dies before it publishes it. */
  async function appendAlone(message: string, clock: number): Promise<void> {
    const config = { address: engineAddress(engine), password: undefined };
    await using dying = await openPostgres(config, pino({ level: "silent" }), () => {});
    const data = { user: ana, channel: general, message };
    await dying.append([{ kind: "publication", data, id: newId(), clock, timeMs: Date.now() }]);
  }

  /** The status of `/readyz` at each server. */
  async function readiness(): Promise<number[]> {
    const asked = cluster.of("server").map(async ({ ready }) => {
      const address = ready?.endpoints.metrics?.replace("tcp:", "http:");
      return (await fetch(`${address}/readyz`)).status;
    });
    return await Promise.all(asked);
  }

  test("[O53] `backup` says that servers with an engine have no data, and what to back up instead", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "file");
    using backup = new CliProcess(["backup", file], {
      TERTULIA_DATA: cluster.folder,
      TERTULIA_REFERENCE: cluster.endpoints.reference,
    });
    expect(await backup.end()).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^tertulia: The servers have an engine, [^\n]*pg_dump\.\n$/),
    });
    expect(existsSync(file)).toBe(false);
  });

  test("[K1] [K2] while the standby is away a write is refused with retry, reads go on, and the retry after its return gets the one event there is", async () => {
    const impatient = await speaker(4_000);
    const text = "while the standby is away";
    const id = newId();
    await postgres.standby.kill();
    const refused = await impatient.publish(general, text, { id }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "unavailable", retry: true });
    expect(await countOf(text)).toBe(0);
    await postgres.standby.start();
    const client = await speaker();
    const receipt = await client.publish(general, text, { id });
    expect(receipt).toMatchObject({ id });
    expect(await client.publish(general, text, { id })).toMatchObject({ seq: receipt.seq });
    expect(await countOf(text)).toBe(1);
    await postgres.untilStandbyConfirms();
  });

  test("[K4] a message whose server died before it published it is published by another one", async () => {
    const heard: string[] = [];
    const proxies = cluster.endpoints.proxy.split(",");
    using _socket = new ListeningSocket(proxies, general, (message) => heard.push(message));
    await until(async () => {
      // A subscription takes a moment, and nothing tells when it is there.
      await (await speaker()).publish(general, "is anybody there?");
      return heard.length > 0;
    }, "the subscription is there");
    await appendAlone("the last words", 0);
    const begunMs = performance.now();
    await until(() => heard.includes("the last words"), "it is published", soonMs);
    expect(performance.now() - begunMs).toBeLessThan(4_000);
  });

  test("[K3] [R7] a message has a higher clock than all that its sender was told, although the clock of a lane is far ahead of the servers'", async () => {
    await appendAlone("far ahead", 500_000);
    const client = await speaker();
    const { clock: told } = await client.publish(general, "after it");
    expect(told).toBeGreaterThan(500_000);
    for (const other of ["x", "y", "z"].map((name) => parseChannelName(name))) {
      const { clock } = await client.createChannel(other);
      expect(clock).toBeGreaterThan(told);
    }
  });

  test("[K6] servers whose database is frozen leave the rotation, say why, and come back by themselves", async () => {
    const { members } = await cluster.client().status();
    const health = async () => {
      using command = new CliProcess(["health", "server", "--bind", members[0]?.address ?? ""], {
        TERTULIA_DATA: cluster.folder,
      });
      return await command.end();
    };
    expect(await health()).toMatchObject({ code: 0 });
    postgres.primary.signal("SIGSTOP");
    try {
      const isOut = async () => (await readiness()).every((status) => status === 503);
      await until(isOut, "all servers leave", soonMs);
      const { code, stderr } = await health();
      expect(code).toBe(1);
      expect(stderr).toContain("its database does not answer");
    } finally {
      postgres.primary.signal("SIGCONT");
    }
    const isBack = async () => (await readiness()).every((status) => status === 200);
    await until(isBack, "all servers come back", 30_000);
    await (await speaker()).publish(general, "and it goes on");
  });

  test("[R11] a server with an engine that is asked to end answers what it has, and ends with code 0", async () => {
    const { broker, brokerBack, proxy, proxyIn, reference } = cluster.endpoints;
    using server = new CliProcess(["server", "--log-level", "info"], {
      TERTULIA_DATA: cluster.folder,
      TERTULIA_ENGINE: engine,
      TERTULIA_BIND: "tcp://127.0.0.1:*",
      TERTULIA_BROKER: broker,
      TERTULIA_BROKER_BACK: brokerBack,
      TERTULIA_PROXY: proxy,
      TERTULIA_PROXY_IN: proxyIn,
      TERTULIA_REFERENCE: reference,
      TERTULIA_USER_RATE: "0",
      TERTULIA_CONNECTION_RATE: "0",
    });
    await server.saw("Serves clients");
    let isOver = false;
    let answered = 0;
    const lost: string[] = [];
    const repeated: string[] = [];
    // These clients ask once only, so a request that a server drops is seen.
    const lanes = Array.from({ length: 8 }, async (_, lane) => {
      for (let number = 1; !isOver; number += 1) {
        const message = `lane ${lane} number ${number}`;
        const request = ["publish", { user: ana, channel: general, message }] as const;
        const { reply } = new PlainRequest(broker, [...request], 20_000);
        const { status, retry } = (await reply) ?? {};
        if (status === "OK") answered += 1;
        // A request may be on its way to the server just when that leaves. The broker answers it.
        else if (retry === true) repeated.push(message);
        else lost.push(`${message}: ${status}`);
      }
    });
    await until(() => answered > 100, "the load runs", 30_000);
    server.child.kill("SIGTERM");
    const { code } = await server.end();
    const goal = answered + 100;
    await until(() => answered > goal, "the others go on", 30_000);
    isOver = true;
    await Promise.all(lanes);
    expect(lost).toEqual([]);
    expect(repeated.length).toBeLessThanOrEqual(lanes.length);
    expect(code).toBe(0);
  });

  test("[K2] [K5] after the primary was killed under load and the standby promoted, each id gets its first receipt, and nothing is lost or doubled", async () => {
    const client = await speaker();
    const [first, second] = [newId(), newId()];
    const receipt = await client.publish(general, "long ago", { id: first });
    const name = parseUserName("new-name");
    const registered = { user: name, password: "a long password" };
    const { slot } = await client.ask("register", registered, { id: second });
    const writer = await Writer.start(cluster, { lanes: 4, channel: "busy" });
    await writer.progress(50);
    await postgres.kill();
    await postgres.promote();
    await writer.progress(50);
    const [victim] = cluster.of("server");
    const back = victim?.nextReady();
    victim?.signal("SIGKILL");
    await writer.progress(50);
    await back;
    await writer.stop();
    const { durable, ...place } = receipt;
    expect(durable).toContain("primary");
    expect(await client.publish(general, "long ago", { id: first })).toMatchObject(place);
    expect(await client.ask("register", registered, { id: second })).toMatchObject({ slot });
    expect(await countOf("long ago")).toBe(1);
    const entries = await messagesIn(cluster, parseChannelName("busy"));
    const found = entries.map(({ message }) => message);
    expect(found.filter((text, at) => found.indexOf(text) !== at)).toEqual([]);
    expect(found).toEqual(expect.arrayContaining([...writer.acknowledged.keys()]));
    await postgres.addStandby();
  });
});
