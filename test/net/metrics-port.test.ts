import { expect, test } from "vitest";
import { openMetricsPort } from "../../src/net/metrics-port.ts";

const anywhere = "tcp://127.0.0.1:*";

function urlOf(endpoint: string | undefined, path: string): string {
  return `${endpoint?.replace("tcp:", "http:")}${path}`;
}

test("[O50] a process shows its metrics, whether it runs, and why it is not ready", async () => {
  let reason: string | undefined = "it reads its disk";
  await using port = await openMetricsPort(anywhere, () => reason);
  const read = port.metrics.histogram({ name: "tertulia_test_seconds", help: "A test." }, [0.1, 1]);
  read(0.5);
  port.metrics.gauge({ name: "tertulia_test", help: "Rooms.", labels: ["room"] }, () => [
    { labels: { room: 'the "red" one' }, value: 3 },
  ]);
  const get = (path: string, method = "GET") => fetch(urlOf(port.endpoint, path), { method });
  expect(await (await get("/livez")).json()).toEqual({ live: true });
  const unready = await get("/readyz");
  expect(unready.status).toBe(503);
  expect(await unready.json()).toEqual({ ready: false, reasons: [reason] });
  reason = undefined;
  const ready = await get("/readyz");
  expect(ready.status).toBe(200);
  expect(await ready.json()).toEqual({ ready: true });
  const metrics = await get("/metrics");
  expect(metrics.headers.get("content-type")).toMatch(/^text\/plain; version=0.0.4/);
  const text = await metrics.text();
  expect(text).toContain("# TYPE tertulia_test_seconds histogram");
  expect(text).toContain('tertulia_test_seconds_bucket{le="1"} 1');
  expect(text).toContain('tertulia_test{room="the \\"red\\" one"} 3');
  expect(text).toContain("nodejs_eventloop_lag_p99_seconds");
  expect((await get("/else")).status).toBe(404);
  expect((await get("/livez", "POST")).status).toBe(404);
  const head = await get("/metrics", "HEAD");
  expect([head.status, await head.text()]).toEqual([200, ""]);
});

test("a value that can't be read is answered with its error, and the process goes on", async () => {
  await using port = await openMetricsPort(anywhere, () => undefined);
  port.metrics.gauge({ name: "tertulia_broken", help: "A test." }, () => {
    throw new Error("the value is broken");
  });
  const broken = await fetch(urlOf(port.endpoint, "/metrics"));
  expect(broken.status).toBe(500);
  expect(await broken.json()).toEqual({ error: "the value is broken" });
  expect((await fetch(urlOf(port.endpoint, "/livez"))).status).toBe(200);
});

test("a process without an endpoint for metrics opens no port and measures nothing", async () => {
  await using port = await openMetricsPort(undefined, () => undefined);
  expect(port.endpoint).toBeUndefined();
  port.metrics.counter({ name: "tertulia_test_total", help: "A test." }, () => {
    throw new Error("nobody reads it");
  });
});

test("an endpoint for metrics that is taken is refused with a sentence", async () => {
  await using first = await openMetricsPort(anywhere, () => undefined);
  await expect(openMetricsPort(first.endpoint, () => undefined)).rejects.toThrow(/is taken/);
});
