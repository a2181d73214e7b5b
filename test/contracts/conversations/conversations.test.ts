import { afterAll, beforeAll, describe } from "vitest";
import { LocalCluster } from "../../../src/trials/local-cluster.ts";
import { hasPostgres, skipNote } from "../../../src/trials/postgres.ts";
import { hasRedis, noRedisNote } from "../../../src/trials/redis.ts";
import { promisesOfDecisions } from "./decisions.ts";
import { MemorySubject } from "./memory.ts";
import { ProcessSubject, startEngineSubject, startRedisSubject } from "./processes.ts";
import { promisesOfReads } from "./reads.ts";
import { refusalsOfServers } from "./refusals.ts";
import { Scene } from "./scene.ts";
import type { Subject } from "./subject.ts";
import { promisesOfWrites } from "./writes.ts";

const { hasEngine } = LocalCluster;

const subjects: [string, boolean, () => Promise<Subject>][] = [
  ["memory", false, MemorySubject.start],
  [
    `a replicated cluster${hasEngine ? " (skipped: the servers of this run have an engine)" : ""}`,
    hasEngine,
    () => ProcessSubject.start(),
  ],
  [`PostgreSQL with a synchronous standby${skipNote}`, !hasPostgres, () => startEngineSubject()],
  [
    `PostgreSQL with Redis${skipNote || noRedisNote}`,
    !hasPostgres || !hasRedis,
    () => startRedisSubject(),
  ],
];

for (const [keeper, isSkipped, start] of subjects) {
  describe.skipIf(isSkipped)(`conversations in ${keeper}`, { timeout: 60_000 }, () => {
    let subject: Subject;
    let scene: Scene;
    beforeAll(async () => {
      subject = await start();
      scene = new Scene(subject);
    }, 90_000);
    afterAll(() => subject?.[Symbol.asyncDispose](), 60_000);

    promisesOfWrites(() => scene);
    promisesOfReads(() => scene);
    promisesOfDecisions(() => scene);
    refusalsOfServers(() => scene);
  });
}
