import type { CoreCluster } from "./core-cluster.ts";
import type { VirtualServer } from "./virtual-server.ts";

/** The running servers that believe that they are coordinator. */
export function coordinators(cluster: CoreCluster): VirtualServer[] {
  return cluster.servers.filter(({ isRunning, core }) => {
    return isRunning && core.election.ownEpoch !== undefined;
  });
}

/**
 * Waits until there is exactly one coordinator and all running servers know it. @returns that
 * server
 */
export function coordinator(cluster: CoreCluster): VirtualServer {
  cluster.runUntil(() => {
    const [first, ...more] = coordinators(cluster);
    const isKnown = cluster.servers.every(({ isRunning, core, name }) => {
      return !isRunning || name === first?.name || core.election.coordinator?.name === first?.name;
    });
    return first !== undefined && more.length === 0 && isKnown;
  }, "one is coordinator, and all know it");
  return coordinators(cluster)[0] as VirtualServer;
}

export function others(cluster: CoreCluster, ...not: VirtualServer[]): VirtualServer[] {
  return cluster.servers.filter((server) => !not.includes(server));
}

/** Cuts a server off from all other servers; the reference still hears it. */
export function cutOff(cluster: CoreCluster, server: VirtualServer): void {
  const rest = others(cluster, server).map(({ name }) => name);
  cluster.network.partition([server.name], rest);
}
