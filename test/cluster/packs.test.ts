import { expect, test } from "vitest";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { hasPostgres, skipNote, startPostgres } from "../../src/trials/postgres.ts";
import { enter, killServers, raceForPacks, supply } from "./race-for-packs.ts";

test.skipIf(!hasPostgres)(
  `[Q18] [K5] of 16 buyers at servers with an engine exactly 4 get one of 4 packs and pay for it once, even if servers are killed${skipNote}`,
  { timeout: 120_000 },
  async () => {
    await using postgres = await startPostgres({ standby: true });
    const engine = await postgres.createDatabase();
    await using cluster = await LocalCluster.start({ engine, auth: "required" });
    const buyers = await enter(cluster, 16);
    await supply(cluster, 4);
    const over = new AbortController();
    const killing = killServers(cluster, over.signal);
    expect(await raceForPacks(buyers, 4)).toEqual({ sold: 4, breaches: [] });
    over.abort();
    expect(await killing).toBeGreaterThan(0);
  },
);
