import { afterEach, describe, expect, test } from "vitest";
import type { ServerName } from "../../../src/protocol/ids.ts";
import { Beats } from "../../../src/server/engine/redis/beats.ts";
import { hasRedis, noRedisNote, TrialRedis } from "../../../src/trials/redis.ts";
import { LoggedConnections } from "../../support/redis-connections.ts";
import { until } from "../../support/until.ts";

const nameOf = (letter: string) => `server_0000000${letter}` as ServerName;

class BeatingServer {
  readonly heard = new Set<string>();
  readonly logged: LoggedConnections;
  readonly beats: Beats;
  /** How often it was to look for what another server left. */
  looks = 0;

  constructor(redis: TrialRedis, letter: string) {
    this.logged = new LoggedConnections(redis);
    const { connections } = this.logged;
    const onLost = () => {
      this.looks += 1;
    };
    this.beats = new Beats({ connections, channel: "told", name: nameOf(letter), onLost });
    connections.onHeard = (text) => {
      this.heard.add(text);
      this.beats.hear(text);
    };
    connections.onUp = () => this.beats.forget();
    this.beats.start();
  }

  /** Ends as a killed process does. */
  die(): void {
    this.logged.connections.close();
  }
}

describe.skipIf(!hasRedis)(`[K12] servers that hear each other by Redis${noRedisNote}`, () => {
  const running: BeatingServer[] = [];
  afterEach(async () => {
    for (const { beats, logged } of running.splice(0)) {
      await beats.stop();
      logged.connections.close();
    }
  });

  async function servers(redis: TrialRedis, ...letters: readonly string[]) {
    const all = letters.map((letter) => new BeatingServer(redis, letter));
    running.push(...all);
    await hearingEachOther(all);
    return all as [BeatingServer, BeatingServer, BeatingServer];
  }

  async function hearingEachOther(all: readonly BeatingServer[]): Promise<void> {
    for (const { heard } of all) heard.clear();
    await until(() => all.every(({ heard }) => heard.size === all.length), "all hear all");
  }

  test("when a server dies, the first of the others soon looks for what it left", async () => {
    await using redis = await TrialRedis.open();
    const [first, second, third] = await servers(redis, "a", "b", "c");
    const begunMs = performance.now();
    second.die();
    await until(() => first.looks === 1, "the first looks");
    // It aims at half a second; a busy machine may need longer.
    expect(performance.now() - begunMs).toBeLessThan(2_000);
    await hearingEachOther([first, third]);
    expect([first.looks, third.looks]).toEqual([1, 0]);
  });

  test("a server that ends by itself says so, and nobody looks in vain", async () => {
    await using redis = await TrialRedis.open();
    const [first, second, third] = await servers(redis, "a", "b", "c");
    await third.beats.stop();
    third.die();
    await until(() => first.heard.has(`${nameOf("c")} ends`), "the farewell is heard");
    for (let round = 0; round < 8; round += 1) await hearingEachOther([first, second]);
    expect([first.looks, second.looks]).toEqual([0, 0]);
  });

  test("a Redis that is killed and comes back empty makes nobody look, and after it a death is noticed", async () => {
    await using redis = await TrialRedis.open();
    const [first, second, third] = await servers(redis, "a", "b", "c");
    await redis.kill();
    for (const { logged } of running) await logged.untilAway();
    await redis.start();
    await hearingEachOther(running);
    expect(running.map(({ looks }) => looks)).toEqual([0, 0, 0]);
    first.die();
    await until(() => second.looks > 0, "the second looks");
    expect(third.looks).toBe(0);
  });

  test("nobody looks for a server that died while Redis was away: the keeper finds what it left", async () => {
    await using redis = await TrialRedis.open();
    const [first, second, third] = await servers(redis, "a", "b", "c");
    await redis.kill();
    third.die();
    for (const { logged } of running) await logged.untilAway();
    await redis.start();
    for (let round = 0; round < 8; round += 1) await hearingEachOther([first, second]);
    expect([first.looks, second.looks]).toEqual([0, 0]);
  });

  test("texts that are not beats are ignored", async () => {
    const name = nameOf("a");
    let looks = 0;
    const connections = { ask: async () => undefined } as never;
    const onLost = () => {
      looks += 1;
    };
    const beats = new Beats({ connections, channel: "told", name, onLost });
    for (const text of ["", " ends", "server_x", "{}", name]) beats.hear(text);
    for (let beat = 0; beat < 10; beat += 1) beats.hear(name);
    expect(looks).toBe(0);
  });
});
