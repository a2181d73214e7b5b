import { afterAll, beforeAll, expect, test } from "vitest";
import { parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";
import { send } from "./http-ask.ts";

let cluster: LocalCluster;
const url = (path: string, number = 1) => `${cluster.http(number)}${path}`;
const readiness = async (number = 1) => {
  return (await send({ method: "GET", url: url("/readyz", number) })).status;
};

/** The status of `/readyz` at each gateway, right after the gateway said that it is ready. */
let first: readonly number[];

beforeAll(async () => {
  cluster = await LocalCluster.start({ auth: "required", gateways: 2, hasMetrics: true });
  first = await Promise.all([readiness(1), readiness(2)]);
}, 90_000);
afterAll(() => cluster?.[Symbol.asyncDispose](), 30_000);

const logIn = (user: string, password: string, from: string) => {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ user, password });
  return send({ method: "POST", url: url("/api/v1/session"), headers, body, from });
};

/** Stops a server without ending it, until the result is disposed of. */
function hang(number: number): Disposable {
  const server = cluster.server(number);
  server.signal("SIGSTOP");
  return { [Symbol.dispose]: () => server.signal("SIGCONT") };
}

test("[G5] a gateway says that it is ready when it answers requests, and not before", () => {
  expect(first).toEqual([200, 200]);
});

test("[G6] 200 wrong log-ins from one address leave another address's log-in below a second", async () => {
  const password = "the long password of ana";
  await cluster.client().register(parseUserName("ana"), password);
  expect((await logIn("ana", password, "127.0.0.3")).status).toBe(200);
  const wrong = Array.from({ length: 200 }, (_, number) =>
    logIn(`nobody${number}`, "a wrong password", "127.0.0.2"),
  );
  await Promise.race(wrong);
  const took: number[] = [];
  for (let count = 0; count < 5; count += 1) {
    const begun = performance.now();
    expect((await logIn("ana", password, "127.0.0.3")).status).toBe(200);
    took.push(performance.now() - begun);
  }
  const statuses = (await Promise.all(wrong)).map(({ status }) => status);
  const refused = statuses.filter((status) => status === 429).length;
  expect(refused).toBeGreaterThanOrEqual(100);
  expect(new Set(statuses)).toEqual(new Set([401, 429]));
  // The median, because a busy machine may delay any single request.
  expect(took.sort((a, b) => a - b)[2]).toBeLessThan(1_000);
}, 60_000);

test("[G5] without a quorum a gateway is not ready within 2 s, answers every route but one with 503, and serves again after the servers return", async () => {
  const { json } = await send({ method: "GET", url: url("/api/v1/openapi.json") });
  using hanging = cluster.withoutQuorum();
  const isUnready = async () => (await readiness()) === 503;
  await until(isUnready, "the gateway is not ready", 2_000);
  for (const [path, methods] of Object.entries(json.paths as Record<string, object>)) {
    if (path === "/api/v1/cluster") continue;
    for (const method of Object.keys(methods)) {
      const { status, headers } = await send({
        method: method.toUpperCase(),
        url: url(path.replace(/\{\w+\}/g, "x")),
      });
      expect([method, path, status]).toEqual([method, path, 503]);
      expect(Number(headers["retry-after"])).toBeGreaterThanOrEqual(1);
    }
  }
  await until(async () => {
    const { status, json } = await send({ method: "GET", url: url("/api/v1/cluster") });
    expect(status).toBe(200);
    return json.server === null && json.liveMembers === hanging.running;
  }, "the gateway tells what the reference knows");
  hanging[Symbol.dispose]();
  for (const number of [1, 2]) {
    await until(async () => (await readiness(number)) === 200, "it is ready again", 30_000);
  }
}, 90_000);

test("[G5] a gateway stays ready while one of three servers hangs", async () => {
  using _hanging = hang(3);
  const end = performance.now() + 3_000;
  const found = new Set<number>();
  while (performance.now() < end) found.add(await readiness());
  expect([...found]).toEqual([200]);
}, 60_000);

test("[G5] while the cluster is well, a gateway asks for its state about once a second", async () => {
  /** How many times the servers were asked for their status. */
  const asked = async () => {
    const pages = await Promise.all(
      cluster.of("server").map(async ({ ready }) => {
        const address = ready?.endpoints.metrics?.replace("tcp:", "http:");
        return (await fetch(`${address}/metrics`)).text();
      }),
    );
    const counts = pages.map((page) => /\{service="status",code="OK"\} (\d+)/.exec(page)?.[1]);
    return counts.reduce((sum, count) => sum + Number(count ?? 0), 0);
  };
  const [before, begunMs] = [await asked(), performance.now()];
  await until(async () => (await asked()) - before >= 8, "two gateways ask eight times");
  // A busy machine may delay answers, and a gateway then asks again.
  expect(performance.now() - begunMs).toBeGreaterThan(1_500);
}, 60_000);

test("[G5] a gateway whose process dies leaves the other gateway's clients alone, and is started again at its address", async () => {
  const [first] = cluster.of("gateway");
  const again = first?.nextReady();
  first?.signal("SIGKILL");
  expect(await readiness(2)).toBe(200);
  await again;
  expect(await readiness()).toBe(200);
}, 60_000);
