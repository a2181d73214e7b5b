import { Writable } from "node:stream";
import pino from "pino";
import { engineAddress } from "../../src/platform/parse-engine.ts";
import type { PoolOptions } from "../../src/server/engine/postgres/pool.ts";

/** Options of a pool, and what it logs as warnings. */
export interface LoggedOptions extends PoolOptions {
  readonly warnings: readonly string[];
}

/** Returns the options of a pool at an address. */
export function poolOptions(url: string, more: Partial<PoolOptions> = {}): LoggedOptions {
  const warnings: string[] = [];
  const log = pino(
    { level: "warn" },
    new Writable({
      write: (line, _encoding, done) => {
        warnings.push(JSON.parse(String(line)).msg);
        done();
      },
    }),
  );
  return { address: engineAddress(url), password: undefined, log, ...more, warnings };
}
