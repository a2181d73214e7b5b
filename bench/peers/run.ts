import { runBench } from "../runner.ts";
import { fanOutWorkload } from "../workloads/fan-out.ts";
import { writes } from "../workloads/writes.ts";
import { etcd } from "./etcd.ts";
import { jetStream, jetStreamSynced, natsCore } from "./nats.ts";
import { redis } from "./redis.ts";

/** Tertulia's own workloads run too, so that all figures come from the same run. */
const workloads = [writes, jetStream, jetStreamSynced, etcd, fanOutWorkload, natsCore, redis];
const usual = workloads.map(({ name }) => name);

await runBench({ command: "npm run bench:peers --", workloads, usual }, process.argv.slice(2));
process.exit();
