import { describe, expect, test, vi } from "vitest";
import type { Request } from "../../../src/protocol/client-messages.ts";
import type { ServerName } from "../../../src/protocol/ids.ts";
import { limits } from "../../../src/protocol/limits.ts";
import type { Vector } from "../../../src/protocol/vector.ts";
import { services } from "../../../src/server/core/services.ts";
import { PayloadReply } from "../../../src/server/core/serving/payload-reply.ts";
import type { WaitingCover } from "../../../src/server/core/serving/waiting-covers.ts";
import { WaitingCovers } from "../../../src/server/core/serving/waiting-covers.ts";
import { Scene } from "../../support/account-scene.ts";
import { type CoreCluster, servingCluster } from "../../support/core-cluster.ts";

/** A vector with the maximum number of servers, none of which exists. */
const never = Object.fromEntries(
  Array.from({ length: limits.vectorServers }, (_, number) => [
    `server_${(0xff000000 + number).toString(16)}`,
    1,
  ]),
);

describe("[X2] with accounts no request of a guest waits", () => {
  test("with accounts, a login without a password is refused at once, even if the server does not cover the login's `after`", () => {
    const scene = new Scene();
    const asked = scene.cluster.ask(scene.server, "login", { user: "ana", after: never });
    expect(asked.reply).toMatchObject({ code: "unauthenticated", reason: "no_session" });
  });

  test("with accounts, a guest's request gets `behind` at once if the server does not cover `after`, and uses up no attempt with a password", () => {
    const scene = new Scene();
    scene.user("ana");
    const { cluster, server } = scene;
    const login = { user: "ana", password: "ana's" };
    const asked = [
      cluster.ask(server, "login", { ...login, after: never }),
      cluster.ask(server, "password", { ...login, newPassword: "new", after: never }),
      ...Array.from({ length: 2 * limits.accountAttempts }, () => {
        return cluster.ask(server, "login", { ...login, after: never });
      }),
    ];
    for (const { reply } of asked) expect(reply).toMatchObject({ code: "behind", retry: true });
    scene.login("ana");
  });

  test("a request with an expired token does not wait for missing events, but gets `behind` at once", () => {
    const scene = new Scene();
    scene.user("ana");
    const { cluster, server } = scene;
    const expiresMs = cluster.correctedMs(server) - 1;
    const token = scene.token({ user: "ana", version: "" }, { expiresMs });
    const login = { user: "ana", password: "ana's", after: never, token };
    expect(cluster.ask(server, "login", login).reply).toMatchObject({ code: "behind" });
  });

  test("a request with a valid token waits until the server covers the request's `after`, or gets `behind`", () => {
    const scene = new Scene();
    const token = scene.user("ana");
    const asked = scene.cluster.ask(scene.server, "users", { token, after: never });
    expect(asked.reply).toBeUndefined();
    scene.cluster.runUntil(() => asked.reply !== undefined, "it is given up");
    expect(asked.reply).toMatchObject({ code: "behind" });
  });
});

describe("[X4] the limit on the waiting requests of a connection", () => {
  const reads = (count: number, after: object) =>
    Array.from({ length: count }, () => ({ service: "users", data: { after } }));
  const ask = (cluster: CoreCluster, connection: string, payload: object) =>
    cluster.askPayload(cluster.server(1), payload, connection);

  test("a server refuses further requests of a connection with too many waiting requests, but serves other connections", () => {
    const cluster = servingCluster(1);
    const { name } = cluster.server(1);
    const after = { [name]: 1_000_000 };
    const count = limits.batchRequests;
    for (let held = 0; held < limits.connectionOpen; held += count) {
      expect(ask(cluster, "one", reads(count, after)).replies).toBeUndefined();
    }
    const refused = ask(cluster, "one", reads(1, after)).reply;
    expect(refused).toMatchObject({ code: "unavailable", retry: true });
    expect(refused?.description).toContain("This connection has");
    expect(ask(cluster, "another", reads(1, {})).reply).toMatchObject({ status: "OK" });
    // Once the waiting requests have timed out, new requests are accepted.
    cluster.runFor(1_100);
    expect(ask(cluster, "one", reads(1, {})).reply).toMatchObject({ status: "OK" });
  });

  test("a waiting request with a large vector counts as several requests toward its connection's limit", () => {
    const cluster = servingCluster(1);
    const most = limits.connectionOpen / (limits.vectorServers / limits.namesOfOneRequest);
    const asked = Array.from({ length: 100 }, () => ask(cluster, "one", reads(1, never)));
    const held = asked.filter(({ reply }) => reply === undefined);
    expect(held.length).toBeLessThanOrEqual(most);
    expect(held.length).toBeGreaterThan(most / 2);
  });
});

describe("[R9] repeated checks of a waiting request", () => {
  const [a, b] = ["server_0000000a", "server_0000000b"] as [ServerName, ServerName];

  /** A request that waits for a vector, with a count of how often the vector is read. */
  function cover(until: Vector, deadlineMs: number) {
    const reads = { count: 0 };
    const counted = new Proxy(until, {
      ownKeys: (target) => {
        reads.count += 1;
        return Reflect.ownKeys(target);
      },
    });
    const request = { service: "users", after: until } as Request;
    const payload = new PayloadReply({
      table: services,
      to: {},
      batch: false,
      requests: [request],
      server: a,
    });
    const asked = { payload, index: 0, request, connection: "one", isAdmitted: true };
    return { reads, asked: { ...asked, until: counted, deadlineMs } satisfies WaitingCover };
  }

  test("a waiting read is checked again only when an event for which the read waits is committed, or at the read's deadline", () => {
    const covers = new WaitingCovers<WaitingCover>();
    const first = cover({ [a]: 2, [b]: 5 }, 1_000);
    const second = cover({ [b]: 3 }, 1_000);
    const third = cover({ [a]: 1 }, 1_001);
    for (const { asked } of [first, second, third]) covers.add(asked, {});
    for (let step = 0; step < 500; step += 1) expect(covers.due({ [b]: 2 }, step)).toEqual([]);
    expect([first, second, third].map(({ reads }) => reads.count)).toEqual([1, 1, 1]);
    // Requests that become due together are returned in the order in which they came.
    expect(covers.due({ [a]: 1, [b]: 3 }, 500)).toEqual([second.asked, third.asked]);
    expect(covers.due({ [a]: 2, [b]: 3 }, 501)).toEqual([]);
    expect(first.reads.count).toBe(2);
    expect(covers.due({ [a]: 2, [b]: 3 }, 999)).toEqual([]);
    expect(covers.due({ [a]: 2, [b]: 3 }, 1_000)).toEqual([first.asked]);
    expect(covers.size).toBe(0);
  });

  test("a look ahead finds each read that the next check returns, and none that waits for what never was", () => {
    const covers = new WaitingCovers<WaitingCover>();
    const [due, partly, waiting, covered] = [{ [a]: 1 }, { [a]: 1, [b]: 9 }, { [b]: 9 }, {}].map(
      (until) => cover(until, 1_000).asked,
    );
    for (const asked of [due, partly, waiting, covered]) covers.add(asked as WaitingCover, {});
    expect(covers.candidates({ [a]: 1 }, 0)).toEqual([covered, due, partly]);
    expect(covers.due({ [a]: 1 }, 0)).toEqual([due, covered]);
    expect(covers.candidates({ [a]: 1 }, 999)).toEqual([]);
    expect(covers.candidates({ [a]: 1 }, 1_000)).toEqual([partly, waiting]);
    expect(covers.size).toBe(2);
  });

  test("a write that waits for live members is checked again only after something changed, not at every tick", () => {
    const cluster = servingCluster(3);
    const [server, , last] = cluster.servers;
    if (server === undefined || last === undefined) throw new Error("no servers");
    last.syncMs = 150;
    const looks = vi.spyOn(server.core.replication, "onAllLive");
    const publish = { user: "ana", channel: "geral", message: "Olá!" };
    const asked = cluster.ask(server, "publish", publish);
    cluster.runUntil(() => looks.mock.calls.length > 0, "it waits for the last one's disk");
    const before = looks.mock.calls.length;
    for (let step = 0; step < 200; step += 1) cluster.hand(server, { type: "tick" });
    // During all these ticks the write was checked at most once.
    expect(looks.mock.calls.length - before).toBeLessThanOrEqual(1);
    cluster.runUntil(() => asked.reply !== undefined, "it is answered");
    expect(asked.reply).toMatchObject({ status: "OK" });
  });
});
