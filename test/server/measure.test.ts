import { describe, expect, test } from "vitest";
import { PrometheusMetrics } from "../../src/platform/prometheus.ts";
import type { SentReply } from "../../src/protocol/client-messages.ts";
import { errorCodes } from "../../src/protocol/errors.ts";
import { ownTables } from "../../src/server/core/services.ts";
import { measureServer } from "../../src/server/measure.ts";
import { servingCluster } from "../support/core-cluster.ts";

const services = Object.keys(ownTables.services);
const codes = Object.keys(errorCodes);

/** A server's metrics, after the replies that `record` hands to the recorder. */
async function seriesAfter(replies: readonly SentReply[]): Promise<string[]> {
  const { shell } = servingCluster(3).server(1);
  const metrics = new PrometheusMetrics();
  const recorder = measureServer(metrics, {
    figures: () => shell?.figures,
    sizes: () => ({ journalBytes: 1, stateBytes: 1 }),
    fetchedStates: () => 0,
    disk: () => ({ freeBytes: 1, totalBytes: 2 }),
    isService: (service) => services.includes(service),
    isWrite: (service) => service === "publish",
  });
  recorder.answered(replies, 0.002);
  const lines = (await metrics.text()).split("\n");
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}

function reply(service: string, code?: string): SentReply {
  const data = code === undefined ? { status: "OK" } : { status: "erro", code };
  return { service, data } as SentReply;
}

describe("[O50] a server's metrics", () => {
  test("a server has fewer than 300 time series even if its clients cause every error of every service", async () => {
    const replies = services.flatMap((service) => [
      reply(service),
      ...codes.map((code) => reply(service, code)),
    ]);
    const series = await seriesAfter([...replies, reply("nonsense", "unknown_service")]);
    // Each further peer adds two.
    expect(series.length).toBeLessThan(250);
    const counts = series.filter((line) => line.startsWith("tertulia_requests_total"));
    const sum = counts.reduce((all, line) => all + Number(line.split(" ").at(-1)), 0);
    expect(sum).toBe(replies.length + 1);
    for (const service of services) {
      expect(counts).toContain(`tertulia_requests_total{service="${service}",code="OK"} 1`);
    }
  });

  test("only payloads in which a message or channel was made count for the time of writes", async () => {
    const counted = async (...replies: SentReply[]) =>
      (await seriesAfter(replies)).includes("tertulia_write_seconds_count 1");
    expect(await counted(reply("history"), reply("publish"))).toBe(true);
    expect(await counted(reply("history"))).toBe(false);
    expect(await counted(reply("publish", "channel_not_found"))).toBe(false);
  });
});
