import { Writable } from "node:stream";
import pino from "pino";
import { redisAddress } from "../../src/platform/parse-redis.ts";
import { RedisLink } from "../../src/server/engine/redis/link.ts";
import type { TrialRedis } from "../../src/trials/redis.ts";
import { until } from "./until.ts";

/** Connections to a Redis, and what they log. */
export class LoggedLink implements Disposable {
  readonly link: RedisLink;
  /** What was logged from `info` on. */
  readonly lines: string[] = [];

  constructor(redis: TrialRedis, password?: string) {
    const write = (line: unknown, _encoding: unknown, done: () => void) => {
      this.lines.push(JSON.parse(String(line)).msg);
      done();
    };
    const log = pino({ level: "info" }, new Writable({ write }));
    this.link = new RedisLink({ address: redisAddress(redis.url), password, log }, "told");
    this.link.connect();
  }

  static async up(redis: TrialRedis, password?: string): Promise<LoggedLink> {
    const logged = new LoggedLink(redis, password);
    await logged.untilUp();
    return logged;
  }

  untilUp(): Promise<void> {
    return until(() => this.link.isUp, "Redis answers");
  }

  untilAway(): Promise<void> {
    return until(() => !this.link.isUp, "Redis is away");
  }

  [Symbol.dispose](): void {
    this.link.close();
  }
}
