import { integer, type Settings } from "../platform/settings.ts";
import { untilStopped } from "../platform/run-process.ts";
import { type ClusterConfig, Supervisor } from "./supervisor.ts";

export async function runUp(o: Record<string, string>, settings: Settings): Promise<void> {
  const n = (k: string, d: string) => integer(0, 100)(o[k] ?? d);
  const config: ClusterConfig = {
    servers: n("servers", "3"), bots: n("bots", "0"), brokers: n("brokers", "1"), proxies: n("proxies", "1"),
    data: settings.get("data"), port: integer(0, 65000)(o.port ?? "5555"), logLevel: settings.get("logLevel"), logFiles: false,
  };
  const stopped = untilStopped();
  await using cluster = new Supervisor(config);
  if (await Promise.race([cluster.start().then(() => false), stopped.then(() => true)])) return;
  const { broker, proxy, reference } = cluster.endpoints;
  console.log(JSON.stringify({ ready: true, broker, proxy, reference, processes: cluster.children.map((c) => ({ role: c.role, name: c.ready?.name, pid: c.pid })) }));
  await stopped;
}
