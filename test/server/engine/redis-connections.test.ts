import { describe, expect, test } from "vitest";
import { hasRedis, noRedisNote, TrialRedis } from "../../../src/trials/redis.ts";
import { LoggedConnections } from "../../support/redis-connections.ts";
import { SlowRedis } from "../../support/slow-redis.ts";
import { until } from "../../support/until.ts";

/** An answer has 100 ms; a busy machine may need longer to notice that they are over. */
const boundMs = 1_000;

describe.skipIf(!hasRedis)(`[K12] a Redis that may vanish${noRedisNote}`, () => {
  test("while Redis is away nothing waits for it, and the log says once that it is lost and once that it is back", async () => {
    await using redis = await TrialRedis.open();
    using logged = await LoggedConnections.up(redis);
    const { connections, lines } = logged;
    let ups = 0;
    connections.onUp = () => {
      ups += 1;
    };
    expect(await connections.ask((one) => one.set("a", "1"))).toBe("OK");
    await redis.kill();
    await logged.untilAway();
    let isAsked = false;
    const answer = await connections.ask(async () => {
      isAsked = true;
    });
    expect([answer, isAsked]).toEqual([undefined, false]);
    await redis.start();
    await logged.untilUp();
    expect(await connections.ask((one) => one.get("a"))).toBeNull();
    expect(ups).toBe(1);
    expect(lines).toEqual([
      expect.stringMatching(/^Redis is away, and this server goes on without it: /),
      "Redis answers again",
    ]);
  });

  test("only the first command to a hung Redis waits", async () => {
    await using redis = await TrialRedis.open();
    using logged = await LoggedConnections.up(redis);
    const { connections } = logged;
    redis.signal("SIGSTOP");
    const begunMs = performance.now();
    expect(await connections.ask((one) => one.ping())).toBeUndefined();
    expect(performance.now() - begunMs).toBeLessThan(boundMs);
    expect(connections.isUp).toBe(false);
    redis.signal("SIGCONT");
    await logged.untilUp();
    expect(await connections.ask((one) => one.ping())).toBe("PONG");
  });

  test("a Redis that refuses to write is away: one warning, and it is back once it writes", async () => {
    await using redis = await TrialRedis.open();
    using logged = await LoggedConnections.up(redis);
    const { connections, lines } = logged;
    await redis.call("config", "set", "maxmemory", 1);
    expect(await connections.ask((one) => one.set("a", "1"))).toBeUndefined();
    expect(connections.isUp).toBe(false);
    // It can be read meanwhile, and that is not enough.
    using other = new LoggedConnections(redis);
    await until(() => other.lines.length > 0, "it is logged");
    expect(other.connections.isUp).toBe(false);
    expect(await redis.call("get", "a")).toBeNull();
    await redis.call("config", "set", "maxmemory", 0);
    await logged.untilUp();
    expect(await connections.ask((one) => one.set("a", "1"))).toBe("OK");
    for (const one of [lines, other.lines]) {
      expect(one).toEqual([expect.stringMatching(/goes on without it: it refuses: OOM /)]);
    }
  });

  test("a Redis that refuses to be listened to is away", async () => {
    await using redis = await TrialRedis.open();
    await redis.call("acl", "setuser", "default", "-subscribe");
    using logged = new LoggedConnections(redis);
    await until(() => logged.lines.length > 0, "it is logged");
    expect(logged.connections.isUp).toBe(false);
    expect(logged.lines).toEqual([expect.stringMatching(/it refuses: NOPERM /)]);
    await redis.call("acl", "setuser", "default", "+subscribe");
    await logged.untilUp();
  });

  test("a Redis that answers late is asked less and less often, and the log says once that it is away", async () => {
    await using redis = await TrialRedis.open();
    await using slow = await SlowRedis.open(redis.port);
    using logged = new LoggedConnections(slow);
    let ups = 0;
    logged.connections.onUp = () => {
      ups += 1;
    };
    await until(() => slow.connectedMs.length >= 6, "it has tried three times");
    const [first = 0, second = 0, third = 0] = slow.connectedMs.filter((_, at) => at % 2 === 0);
    expect(second - first).toBeGreaterThan(1_000);
    expect(third - second).toBeGreaterThan(2_000);
    expect(ups).toBe(0);
    expect(logged.lines).toEqual([expect.stringMatching(/no answer within 100 ms/)]);
  });

  test("a password that Redis repeats in its errors is not logged", async () => {
    const secret = "hunter2";
    await using redis = await TrialRedis.open(undefined, ["--rename-command", "AUTH", ""]);
    using logged = new LoggedConnections(redis, secret);
    await until(() => logged.lines.length > 0, "it is logged");
    expect(logged.lines).toEqual([expect.stringMatching(/: ERR unknown command 'auth'$/i)]);
    using other = new LoggedConnections(redis, "unknown");
    await until(() => other.lines.length > 0, "it is logged");
    expect(other.lines).toEqual([expect.stringMatching(/: ERR … command 'auth'$/i)]);
  });

  test("a wrong password is one warning without the password, however often it is tried, and the right one helps", async () => {
    await using redis = await TrialRedis.open("the right one");
    using logged = new LoggedConnections(redis, "a wrong one");
    const failures = async () => {
      const entries = (await redis.call("ACL", "LOG")) as [string, number][];
      return entries.reduce((sum, [, count]) => sum + count, 0);
    };
    await until(async () => (await failures()) >= 4, "it has tried again");
    expect(logged.connections.isUp).toBe(false);
    expect(logged.lines).toEqual([expect.stringMatching(/goes on without it: WRONGPASS/)]);
    expect(logged.lines.join()).not.toContain("a wrong one");
    using right = await LoggedConnections.up(redis, "the right one");
    expect(await right.connections.ask((one) => one.ping())).toBe("PONG");
  });

  test("a missing password or a missing Redis is logged as one warning", async () => {
    await using redis = await TrialRedis.open("a password");
    using logged = new LoggedConnections(redis);
    await until(() => logged.lines.length > 0, "it is logged");
    await redis.kill();
    using other = new LoggedConnections(redis);
    await until(() => other.lines.length > 0, "it is logged");
    expect(logged.lines).toEqual([expect.stringContaining("NOAUTH")]);
    expect(other.lines).toEqual([expect.stringContaining("ECONNREFUSED")]);
  });
});
