import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EngineUnavailable } from "../../../src/server/engine/engine.ts";
import { EnginePool } from "../../../src/server/engine/postgres/pool.ts";
import {
  hasPostgres,
  type Postgres,
  skipNote,
  startPostgres,
} from "../../../src/trials/postgres.ts";
import { poolOptions } from "../../support/engine-pool.ts";
import { until } from "../../support/until.ts";

const one = { text: "select 1 as one" };
/** The own port of a connection, as PostgreSQL sees it, and PostgreSQL's process. */
const ends = { text: "select inet_client_port() as port, pg_backend_pid() as pid" };

/** Passes bytes on to PostgreSQL, until a connection is cut: then both sides hear nothing more. */
class Network implements Disposable {
  readonly #server: Server;
  readonly #pairs: { readonly near: Socket; readonly far: Socket }[] = [];

  private constructor(target: number) {
    this.#server = createServer((near) => {
      const far = connect(target, "127.0.0.1");
      for (const socket of [near, far]) socket.on("error", () => {});
      near.pipe(far).pipe(near);
      this.#pairs.push({ near, far });
    });
  }

  static async open(target: number): Promise<Network> {
    const network = new Network(target);
    await once(network.#server.listen(0, "127.0.0.1"), "listening");
    return network;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  cut(port: number | undefined): void {
    const pair = this.#pairs.find(({ far }) => far.localPort === port);
    expect(pair).toBeDefined();
    pair?.near.unpipe(pair.far).resume();
    pair?.far.unpipe(pair.near).resume();
  }

  [Symbol.dispose](): void {
    this.#server.close();
    for (const { near, far } of this.#pairs) for (const end of [near, far]) end.destroy();
  }
}

describe.skipIf(!hasPostgres)(`changes in PostgreSQL${skipNote}`, { timeout: 60_000 }, () => {
  let postgres: Postgres;

  beforeAll(async () => {
    postgres = await startPostgres({ standby: true });
  }, 60_000);
  afterAll(() => postgres?.[Symbol.asyncDispose]());

  test("whose connection is cut without a word are given up, and later ones get another connection", async () => {
    using network = await Network.open(postgres.primary.port);
    const url = `postgres://postgres@127.0.0.1:${network.port}/postgres`;
    await using pool = await EnginePool.open(poolOptions(url, { writers: 1, lookMs: 100 }));
    const { rows } = await pool.write<{ port: number; pid: number }>(ends);
    network.cut(rows[0]?.port);
    await expect(pool.write(one)).rejects.toThrow(EngineUnavailable);
    expect(pool.isUp).toBe(true);
    expect((await pool.write(one)).rows).toEqual([{ one: 1 }]);
  });

  test("that wait for the standby are not given up, however often PostgreSQL is asked about them", async () => {
    await using pool = await EnginePool.open(poolOptions(postgres.url, { lookMs: 20 }));
    await pool.write({ text: "create table awaited (number integer)" });
    await postgres.standby.kill();
    let isEnded = false;
    const change = pool.write({ text: "insert into awaited values (1)" }).finally(() => {
      isEnded = true;
    });
    const looks = new Set<unknown>();
    const isAskedOften = async () => {
      const asked = await postgres.query<{ query_start: Date }>(
        `select query_start from pg_stat_activity
        where query like '%is distinct from ''idle''%' and pid <> pg_backend_pid()`,
      );
      for (const { query_start } of asked) looks.add(query_start.getTime());
      return looks.size >= 5;
    };
    await until(isAskedOften, "PostgreSQL is asked about the change");
    expect(isEnded).toBe(false);
    await postgres.standby.start();
    await change;
  });
});
