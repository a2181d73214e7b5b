import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseUserName } from "../../src/protocol/ids.ts";
import { freePort } from "../../src/trials/free-ports.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { hasPostgres, type Postgres, skipNote, startPostgres } from "../../src/trials/postgres.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { CliProcess } from "../terminal/cli-process.ts";

describe.skipIf(!hasPostgres)(
  `processes whose engine can't be used yet${skipNote}`,
  { timeout: 60_000 },
  () => {
    let postgres: Postgres;

    beforeAll(async () => {
      postgres = await startPostgres({ standby: true });
    }, 60_000);
    afterAll(() => postgres?.[Symbol.asyncDispose]());

    /** A server that finds no other process of a cluster. */
    function serverAt(engine: string, data: string, metrics = "127.0.0.1:*") {
      const [nobody, flags] = ["tcp://127.0.0.1:1", ["--data", data, "--engine", engine]];
      return new CliProcess(["server", ...flags], {
        TERTULIA_BROKER_BACK: nobody,
        TERTULIA_PROXY: nobody,
        TERTULIA_PROXY_IN: nobody,
        TERTULIA_REFERENCE: nobody,
        TERTULIA_METRICS: `tcp://${metrics}`,
      });
    }

    /** What a server at this engine prints until it ends by itself. */
    async function end(engine: string) {
      await using folder = await temporaryFolder();
      using server = serverAt(engine, folder.path);
      return await server.end();
    }

    test("[K7] [O7] a server that its database refuses ends with code 1, one with a wrong setting with code 2, and both with one sentence", async () => {
      const missing = await end(postgres.url.replace(/postgres$/, "nowhere"));
      expect(missing.stderr).toMatch(
        /^tertulia: PostgreSQL at \S+ has no database nowhere: .*\.\n$/,
      );
      expect(missing.code).toBe(1);
      const wrong = await end("postgres:/nowhere");
      expect(wrong.stderr).toMatch(/^tertulia: [^\n]*--engine[^\n]*\.\n$/);
      expect(wrong.code).toBe(2);
    });

    test("[O31] up and migrate send nothing in clear to an engine on another machine, unless they may", async () => {
      await using folder = await temporaryFolder();
      const engine = ["--engine", "postgres://no-such-host.invalid/chat"];
      const env = { TERTULIA_DATA: folder.path };
      const up = ["up", "--port", "0", "--log-level", "warn"];
      for (const command of [up, ["migrate", "-"]]) {
        using refused = new CliProcess([...command, ...engine], env);
        expect((await refused.end()).stderr).toContain("another machine");
      }
      using allowed = new CliProcess([...up, ...engine, "--insecure"], env);
      await allowed.saw("No primary of PostgreSQL answers");
      allowed.child.kill("SIGTERM");
      await allowed.end();
    });

    test("[K6] a server whose engine is down at its start says so once, is not ready, and serves when the primary is back", async () => {
      await using folder = await temporaryFolder();
      const metrics = `127.0.0.1:${await freePort()}`;
      const engine = await postgres.createDatabase();
      await postgres.stop();
      using server = serverAt(engine, folder.path, metrics);
      await server.saw("No primary of PostgreSQL answers");
      const readiness = async () => {
        const answer = await fetch(`http://${metrics}/readyz`);
        return `${answer.status} ${await answer.text()}`;
      };
      expect(await readiness()).toContain("503 ");
      for (const node of postgres.nodes) await node.start();
      await server.saw("Serves clients");
      expect(server.stderr.match(/Waits for its database/g)).toHaveLength(1);
      expect(await readiness()).toContain("200 ");
      server.child.kill("SIGTERM");
      expect(await server.end()).toMatchObject({ code: 0 });
    });

    test("[K1] a server whose primary lacks its standby says what it waits for, and ends at SIGTERM", async () => {
      await using folder = await temporaryFolder();
      const engine = await postgres.createDatabase();
      await postgres.standby.kill();
      using server = serverAt(engine, folder.path);
      await server.saw("confirms no commit");
      server.child.kill("SIGTERM");
      expect(await server.end()).toMatchObject({ code: 0 });
      await postgres.standby.start();
      await postgres.untilStandbyConfirms();
    });

    /** A server beside those of a cluster. */
    function joining(cluster: LocalCluster, data: string, ...flags: string[]): CliProcess {
      const { brokerBack, proxy, proxyIn, reference } = cluster.endpoints;
      const secret = ["--secret-file", join(cluster.folder, "secret")];
      const own = ["--data", join(cluster.folder, data)];
      return new CliProcess(["server", ...own, ...secret, ...flags], {
        TERTULIA_BROKER_BACK: brokerBack,
        TERTULIA_PROXY: proxy,
        TERTULIA_PROXY_IN: proxyIn,
        TERTULIA_REFERENCE: reference,
      });
    }

    test("[K11] a server with an engine serves nobody while replicas serve, and says why", async () => {
      await using cluster = await LocalCluster.start({ servers: 0 });
      using replica = joining(cluster, "replica");
      await replica.saw("In the rotation");
      using server = joining(cluster, "other", "--engine", await postgres.createDatabase());
      await server.saw("have no --engine");
      expect(server.stderr).not.toContain("Serves clients");
      replica.child.kill("SIGKILL");
      await server.saw("Serves clients");
    });

    test("[K11] a replica serves nobody once servers with an engine have served, and says why", async () => {
      await using cluster = await LocalCluster.start({ servers: 0 });
      using server = joining(cluster, "other", "--engine", await postgres.createDatabase());
      await server.saw("Serves clients");
      using replica = joining(cluster, "replica");
      await replica.saw("has no --engine");
      server.child.kill("SIGKILL");
      const client = cluster.client({ deadlineMs: 5_000 });
      await expect(client.login(parseUserName("ana"))).rejects.toMatchObject({ retry: true });
      expect(replica.stderr).not.toContain("In the rotation");
    });

    test("[K6] up waits for an engine that is down, its user sees why, and it is ready when the primary is back", async () => {
      await using folder = await temporaryFolder();
      const engine = await postgres.createDatabase();
      await postgres.stop();
      const flags = ["--data", folder.path, "--engine", engine, "--port", "0", "--json"];
      using up = new CliProcess(["up", "--servers", "2", ...flags]);
      await up.saw("No primary of PostgreSQL answers");
      expect(up.stdout).toBe("");
      for (const node of postgres.nodes) await node.start();
      await until(() => up.stdout.includes('"ready":true'), "the cluster is ready", 30_000);
      expect(up.stderr).not.toContain("started again");
      up.child.kill("SIGTERM");
      expect(await up.end()).toMatchObject({ code: 0 });
    });
  },
);
