import { Writable } from "node:stream";
import pino from "pino";
import { redisAddress } from "../../src/platform/parse-redis.ts";
import { RedisConnections } from "../../src/server/engine/redis/connections.ts";
import type { TrialRedis } from "../../src/trials/redis.ts";
import { until } from "./until.ts";

/** Connections to a Redis, and what they log. */
export class LoggedConnections implements Disposable {
  readonly connections: RedisConnections;
  /** What was logged. */
  readonly lines: string[] = [];

  constructor(redis: Pick<TrialRedis, "url">, password?: string) {
    const write = (line: unknown, _encoding: unknown, done: () => void) => {
      this.lines.push(JSON.parse(String(line)).msg);
      done();
    };
    const log = pino({ level: "debug" }, new Writable({ write }));
    this.connections = new RedisConnections(
      { address: redisAddress(redis.url), password, log },
      "told",
    );
    this.connections.connect();
  }

  static async up(redis: TrialRedis, password?: string): Promise<LoggedConnections> {
    const logged = new LoggedConnections(redis, password);
    await logged.untilUp();
    return logged;
  }

  untilUp(): Promise<void> {
    return until(() => this.connections.isUp, "Redis answers");
  }

  untilAway(): Promise<void> {
    return until(() => !this.connections.isUp, "Redis is away");
  }

  [Symbol.dispose](): void {
    this.connections.close();
  }
}
