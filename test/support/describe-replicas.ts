import { describe } from "vitest";
import { LocalCluster } from "../../src/trials/local-cluster.ts";

/**
 * Describes what only replicas have: data in their own folders, a view and its quorum, an elected
 * coordinator, steps. It is left out of a run whose servers have an engine.
 */
export const describeReplicas = describe.skipIf(LocalCluster.hasEngine);
