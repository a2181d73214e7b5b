import type { CoreCluster } from "./core-cluster.ts";
import type { VirtualServer } from "./virtual-server.ts";

/** Who says that it is in office. */
export function inOffice(cluster: CoreCluster): VirtualServer[] {
  return cluster.servers.filter(({ isRunning, core }) => {
    return isRunning && core.election.office !== undefined;
  });
}

/** Whoever is in office, once it is one alone and all who run know it. */
export function coordinator(cluster: CoreCluster): VirtualServer {
  cluster.runUntil(() => {
    const [first, ...more] = inOffice(cluster);
    const isKnown = cluster.servers.every(({ isRunning, core, name }) => {
      return !isRunning || name === first?.name || core.election.leader?.name === first?.name;
    });
    return first !== undefined && more.length === 0 && isKnown;
  }, "one is coordinator, and all know it");
  return inOffice(cluster)[0] as VirtualServer;
}

export function others(cluster: CoreCluster, ...not: VirtualServer[]): VirtualServer[] {
  return cluster.servers.filter((server) => !not.includes(server));
}

/** From all other servers; the reference still hears it. */
export function cutOff(cluster: CoreCluster, server: VirtualServer): void {
  const rest = others(cluster, server).map(({ name }) => name);
  cluster.network.partition([server.name], rest);
}
