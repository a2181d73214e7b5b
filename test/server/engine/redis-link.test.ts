import { describe, expect, test } from "vitest";
import { hasRedis, noRedisNote, TrialRedis } from "../../../src/trials/redis.ts";
import { LoggedLink } from "../../support/redis-links.ts";
import { until } from "../../support/until.ts";

/** An answer has 100 ms; a busy machine may need longer to notice that they are over. */
const boundMs = 1_000;

describe.skipIf(!hasRedis)(`[K12] a Redis that may vanish${noRedisNote}`, () => {
  test("while Redis is away nothing waits for it, and the log says once that it is lost and once that it is back", async () => {
    await using redis = await TrialRedis.start();
    using logged = await LoggedLink.up(redis);
    const { link, lines } = logged;
    let ups = 0;
    link.onUp = () => {
      ups += 1;
    };
    expect(await link.ask((one) => one.set("a", "1"))).toBe("OK");
    await redis.kill();
    await logged.untilAway();
    let isAsked = false;
    const answer = await link.ask(async () => {
      isAsked = true;
    });
    expect([answer, isAsked]).toEqual([undefined, false]);
    await redis.start();
    await logged.untilUp();
    expect(await link.ask((one) => one.get("a"))).toBeNull();
    expect(ups).toBe(1);
    expect(lines).toEqual([
      expect.stringMatching(/^Redis is away, and this server goes on without it: /),
      "Redis answers again",
    ]);
  });

  test("a Redis that hangs holds up one moment, and nothing after it until it answers", async () => {
    await using redis = await TrialRedis.start();
    using logged = await LoggedLink.up(redis);
    const { link } = logged;
    redis.signal("SIGSTOP");
    const begunMs = performance.now();
    expect(await link.ask((one) => one.ping())).toBeUndefined();
    expect(performance.now() - begunMs).toBeLessThan(boundMs);
    expect(link.isUp).toBe(false);
    redis.signal("SIGCONT");
    await logged.untilUp();
    expect(await link.ask((one) => one.ping())).toBe("PONG");
  });

  test("a wrong password is one warning without the password, however often it is tried, and the right one helps", async () => {
    await using redis = await TrialRedis.start("the right one");
    using logged = new LoggedLink(redis, "a wrong one");
    const failures = async () => {
      const entries = (await redis.call("ACL", "LOG")) as [string, number][];
      return entries.reduce((sum, [, count]) => sum + count, 0);
    };
    await until(async () => (await failures()) >= 4, "it has tried again");
    expect(logged.link.isUp).toBe(false);
    expect(logged.lines).toEqual([expect.stringMatching(/goes on without it: WRONGPASS/)]);
    expect(logged.lines.join()).not.toContain("a wrong one");
    using right = await LoggedLink.up(redis, "the right one");
    expect(await right.link.ask((one) => one.ping())).toBe("PONG");
  });

  test("without the password that it wants, or with no Redis at all, it is one warning, too", async () => {
    await using redis = await TrialRedis.start("a password");
    using logged = new LoggedLink(redis);
    await until(() => logged.lines.length > 0, "it is logged");
    await redis.kill();
    using other = new LoggedLink(redis);
    await until(() => other.lines.length > 0, "it is logged");
    expect(logged.lines).toEqual([expect.stringContaining("NOAUTH")]);
    expect(other.lines).toEqual([expect.stringContaining("ECONNREFUSED")]);
  });
});
