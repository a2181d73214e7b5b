import { writeFile } from "node:fs/promises";
import type { Session } from "../../src/client/session.ts";
import { pause } from "../../src/platform/clock.ts";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { type Drawn, drawing } from "../support/dashboard-drawing.ts";
import { type Dashboard, dashboards, filled, legend } from "../support/dashboards.ts";
import { Prometheus } from "../support/prometheus.ts";

/**
 * Draws the dashboards from the answers of a real Prometheus to `docs/dashboards/`, for
 * `npm run dashboards`. Meanwhile server 2 hangs for some seconds, is killed, and starts again.
 */
const settleSeconds = 20;
const hangSeconds = 15;
const restSeconds = 30;

await using cluster = await LocalCluster.start({
  hasMetrics: true,
  bots: 2,
  gateways: 1,
  auth: "required",
});
await using prometheus = await Prometheus.of(cluster);
const from = Date.now() / 1_000 + 10;
const stop = new AbortController();
const writing = write(stop.signal);
await pause(1_000 * (10 + settleSeconds));
const server = cluster.server(2);
server.signal("SIGSTOP");
await pause(1_000 * hangSeconds);
const again = server.nextReady();
server.signal("SIGKILL");
await again;
await pause(1_000 * restSeconds);
const to = Date.now() / 1_000;
for (const [name, dashboard] of dashboards()) {
  const panels = await Promise.all(dashboard.panels.map((panel) => answered(panel)));
  const picture = drawing(dashboard.title, panels, { from, to });
  await writeFile(`docs/dashboards/${name}.svg`, picture);
}
stop.abort();
await writing;

async function answered(panel: Dashboard["panels"][number]): Promise<Drawn> {
  const lines = await Promise.all(
    panel.targets.map(async ({ expr, legendFormat }) => {
      const query = filled(expr, { window: "5s", server: server.label });
      const found = await prometheus.range(query, { from, to });
      return found.map(({ metric, values }) => {
        const points = values.map(([time, value]) => [time, Number(value)] as const);
        return { name: legend(legendFormat, metric), points };
      });
    }),
  );
  return { panel, lines: lines.flat() };
}

/** Writes beside the bots: messages, a mistake now and then, a page of history, a registration. */
async function write(until: AbortSignal): Promise<void> {
  const [client, visitors] = [cluster.client(), cluster.connection()];
  const [user, password] = [parseUserName("ana"), "a password of ana"];
  await client.register(user, password);
  await client.login(user, password);
  const [channel, missing] = [parseChannelName("geral"), parseChannelName("nowhere")];
  // One of the bots may have created it.
  await client.createChannel(channel).catch(() => {});
  await client.presence("online");
  for (let count = 1; !until.aborted; count += 1) {
    await client.publish(channel, "hello").catch(() => {});
    await fetch(`${cluster.http()}/api/v1/time`);
    if (count % 10 === 0) await client.publish(missing, "hello").catch(() => {});
    if (count % 5 === 0) await client.history({ channel }).catch(() => {});
    if (count % 40 === 0) await register(visitors.session(), count);
    if (count % 100 === 0) await client.presence("online").catch(() => {});
    await pause(20);
  }
}

/** Every second registration is for a name that is taken. */
async function register(session: Session, count: number): Promise<void> {
  const name = parseUserName(count % 80 === 0 ? "ana" : `visitor${count}`);
  await session.register(name, "a password of a visitor").catch(() => {});
}
