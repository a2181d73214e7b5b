import { describe, expect, test } from "vitest";
import type { ServerName, UserName } from "../../../src/protocol/ids.ts";
import { durations } from "../../../src/protocol/limits.ts";
import { Presence } from "../../../src/server/core/chat/presence.ts";
import { KeptPresence } from "../../../src/server/engine/redis/kept-presence.ts";
import { hasRedis, noRedisNote, TrialRedis } from "../../../src/trials/redis.ts";
import { LoggedConnections } from "../../support/redis-connections.ts";

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
    const [key] = (await redis.call("keys", "*")) as string[];
    expect(await redis.call("pttl", key as string)).toBeGreaterThan(spanMs);
  });

  test("texts that are not reports are ignored", async () => {
    await using redis = await TrialRedis.open();
    using logged = await LoggedConnections.up(redis);
    const one = new PresentServer(logged.connections, first);
    one.hear(ana, "online", 5);
    await one.tell();
    const [key] = (await redis.call("keys", "*")) as string[];
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
});
