import pino from "pino";
import { describe, expect, test } from "vitest";
import { now } from "../../../src/platform/clock.ts";
import { redisAddress } from "../../../src/platform/parse-redis.ts";
import type { ServerName, UserName } from "../../../src/protocol/ids.ts";
import { durations } from "../../../src/protocol/limits.ts";
import { Presence } from "../../../src/server/core/chat/presence.ts";
import { KeptPresence } from "../../../src/server/engine/redis/kept-presence.ts";
import { OptionalRedis } from "../../../src/server/engine/redis/optional-redis.ts";
import { hasRedis, noRedisNote, TrialRedis } from "../../../src/trials/redis.ts";
import { LoggedConnections } from "../../support/redis-connections.ts";
import { until } from "../../support/until.ts";

const [first, second] = ["server_0000000a", "server_0000000b"] as unknown as [
  ServerName,
  ServerName,
];
const [ana, bia] = ["ana", "bia"] as unknown as [UserName, UserName];
const prefix = "test:";

/** The presence that a server knows of, with a clock that a test sets. */
class PresentServer {
  readonly presence: Presence;
  readonly keptPresence: KeptPresence;
  nowMs: number;

  constructor(
    connections: LoggedConnections["connections"],
    name: ServerName,
    nowMs = 1_000_000_000,
  ) {
    this.nowMs = nowMs;
    this.presence = new Presence(name);
    this.keptPresence = new KeptPresence({
      ...{ connections, prefix, name },
      correctedMs: () => this.nowMs,
      onFound: (server, heard) => this.presence.learn(server, heard, this.nowMs),
    });
  }

  hear(user: UserName, state: "online" | "away" | "gone", clock: number): void {
    this.presence.hear({ user, client: "c", state, clock }, this.nowMs);
  }

  /** Tells everything, as the housekeeping does. */
  async tell(): Promise<void> {
    this.presence.tellAll();
    this.nowMs += durations.presenceNewsMs;
    for (const heard of this.presence.due(this.nowMs)) await this.keptPresence.keep(heard);
  }

  get present() {
    return this.presence.list(this.nowMs).map(({ user, state }) => `${user} ${state}`);
  }
}

describe.skipIf(!hasRedis)(`[K12] [L11] presence that Redis keeps${noRedisNote}`, () => {
  test("a server that starts knows at once who is present, by the latest report of each client", async () => {
    await using redis = await TrialRedis.open();
    using logged = await LoggedConnections.up(redis);
    const [one, other] = [first, second].map((name) => new PresentServer(logged.connections, name));
    one?.hear(ana, "online", 5);
    other?.hear(ana, "away", 7);
    other?.hear(bia, "online", 6);
    await other?.tell();
    await one?.tell();
    const started = new PresentServer(logged.connections, first, one?.nowMs);
    await started.keptPresence.recall();
    expect(started.present).toEqual(["ana away", "bia online"]);
    one?.hear(ana, "gone", 9);
    await one?.tell();
    await started.keptPresence.recall();
    expect(started.present).toEqual(["bia online"]);
  });

  test("a recalled report expires when it would have expired at its server, also across two spans", async () => {
    await using redis = await TrialRedis.open();
    using logged = await LoggedConnections.up(redis);
    const spanMs = durations.presenceSilenceMs;
    const one = new PresentServer(logged.connections, first, 1_000 * spanMs - 1_000);
    one.hear(ana, "online", 5);
    await one.tell();
    const started = new PresentServer(logged.connections, second, one.nowMs + spanMs - 1_000);
    await started.keptPresence.recall();
    expect(started.present).toEqual(["ana online"]);
    started.nowMs += 1_001;
    expect(started.present).toEqual([]);
    const late = new PresentServer(logged.connections, second, one.nowMs + spanMs + 1);
    await late.keptPresence.recall();
    expect(late.present).toEqual([]);
    const [key] = (await redis.call("keys", "test:*")) as string[];
    expect(await redis.call("pttl", key as string)).toBeGreaterThan(spanMs);
  });

  test("texts that are not reports are ignored", async () => {
    await using redis = await TrialRedis.open();
    using logged = await LoggedConnections.up(redis);
    const one = new PresentServer(logged.connections, first);
    one.hear(ana, "online", 5);
    await one.tell();
    const [key] = (await redis.call("keys", "test:*")) as string[];
    const wrong = ["", "null", "7", "{}", '{"server":"server_0000000a","atMs":"x"}'];
    for (const [at, text] of wrong.entries()) await redis.call("hset", key as string, at, text);
    const started = new PresentServer(logged.connections, second, one.nowMs);
    await started.keptPresence.recall();
    expect(started.present).toEqual(["ana online"]);
  });

  test("more reports than a page has are all recalled", async () => {
    await using redis = await TrialRedis.open();
    using logged = await LoggedConnections.up(redis);
    const one = new PresentServer(logged.connections, first);
    for (let at = 0; at < 1_500; at += 1) one.hear(`user${at}` as UserName, "online", at + 1);
    await one.tell();
    const started = new PresentServer(logged.connections, second, one.nowMs);
    await started.keptPresence.recall();
    expect(started.present).toHaveLength(1_500);
  });

  test("while Redis is away nothing is recalled, and once it is back and was told again everything is", async () => {
    await using redis = await TrialRedis.open();
    using logged = await LoggedConnections.up(redis);
    const one = new PresentServer(logged.connections, first);
    one.hear(ana, "online", 5);
    await one.tell();
    await redis.kill();
    await logged.untilAway();
    const started = new PresentServer(logged.connections, second, one.nowMs);
    await started.keptPresence.recall();
    await one.tell();
    expect(started.present).toEqual([]);
    await redis.start();
    await logged.untilUp();
    await one.tell();
    await started.keptPresence.recall();
    expect(started.present).toEqual(["ana online"]);
  });

  test("when Redis comes back empty, it is told what this server has heard, and the other servers are not", async () => {
    await using redis = await TrialRedis.open();
    const presence = new Presence(first);
    await using own = optionalRedis(redis, presence);
    own.start();
    presence.hear({ user: ana, client: "c", state: "online", clock: 5 }, now().steadyMs);
    const told = () => [...presence.due(now().steadyMs + durations.presenceNewsMs)];
    expect(told()).toHaveLength(1);
    const isKept = async () => ((await redis.call("keys", "*presence*")) as string[]).length > 0;
    await until(isKept, "Redis was told");
    await redis.kill();
    await redis.start();
    await until(isKept, "Redis was told again");
    expect(told()).toEqual([]);
  });

  test("a server recalls nothing before it serves, because it does not know the cluster's time", async () => {
    await using redis = await TrialRedis.open();
    const told = new Presence(first);
    told.hear({ user: ana, client: "c", state: "online", clock: 5 }, now().steadyMs);
    await using other = optionalRedis(redis, told);
    other.start();
    const isKept = async () => ((await redis.call("keys", "*presence*")) as string[]).length > 0;
    await until(isKept, "Redis was told");
    const presences = [false, true].map((isServing) => ({
      isServing,
      presence: new Presence(second),
    }));
    const [early, serving] = presences.map(({ isServing, presence }) => {
      const started = optionalRedis(redis, presence, isServing);
      started.start();
      return { presence, started };
    });
    const present = (one: typeof early) => one?.presence.list(now().steadyMs).length;
    await until(() => present(serving) === 1, "the one that serves knows it");
    await until(() => isUp(early?.started), "the other one has Redis, too");
    expect(present(early)).toBe(0);
    for (const one of [early, serving]) await one?.started[Symbol.asyncDispose]();
  });
});

describe("[K12] nonsense in place of kept presence", () => {
  async function recall(answer: unknown): Promise<number> {
    let asked = 0;
    const ask = async () => {
      asked += 1;
      return answer;
    };
    const parts = { prefix, name: first, correctedMs: () => 1_000, onFound: () => {} };
    await new KeptPresence({ ...parts, connections: { ask } as never }).recall();
    return asked;
  }

  const wrong = ["OK", 7, null, [], ["0"], [0, []], ["0", "x"], ["0", [1, { a: 1 }, null, null]]];
  test.each(wrong.map((answer) => ({ answer })))(
    "$answer in place of a page is ignored",
    async ({ answer }) => {
      expect(await recall(answer)).toBe(2);
    },
  );

  test("pages without an end come to an end", async () => {
    expect(await recall(["1", []])).toBe(400);
  });
});

/** What a server with this presence does with Redis. */
function optionalRedis(redis: TrialRedis, presence: Presence, isServing = true): OptionalRedis {
  const log = pino({ level: "silent" });
  return new OptionalRedis({
    config: { address: redisAddress(redis.url), password: undefined },
    foundation: { config: { secret: { fingerprints: ["f"] } }, name: first, log } as never,
    engineConfig: { address: { database: "d", schema: "s" } } as never,
    ...{ engine: {} as never, presence, correctedMs: () => now().wallMs },
    isServing: () => isServing,
    onLost: () => {},
  });
}

function isUp(redis: OptionalRedis | undefined): boolean {
  let isUp = 0;
  const gauge = (_: unknown, read: () => number) => {
    isUp = read();
  };
  redis?.measure({ gauge } as never);
  return isUp === 1;
}
