import { runBench } from "./runner.ts";
import { catchUp } from "./workloads/catch-up.ts";
import { chat } from "./workloads/chat.ts";
import { checkpoint } from "./workloads/checkpoint.ts";
import { curve } from "./workloads/curve.ts";
import { decisions } from "./workloads/decisions.ts";
import { duels } from "./workloads/duels.ts";
import { endurance } from "./workloads/endurance.ts";
import { engine } from "./workloads/engine.ts";
import { engineRush } from "./workloads/engine-rush.ts";
import { failover } from "./workloads/failover.ts";
import { fairness } from "./workloads/fairness.ts";
import { fanOutWorkload } from "./workloads/fan-out.ts";
import { growth } from "./workloads/growth.ts";
import { hostKills } from "./workloads/host-kills.ts";
import { idle } from "./workloads/idle.ts";
import { logins } from "./workloads/logins.ts";
import { metrics } from "./workloads/metrics.ts";
import { engineNames, names } from "./workloads/names.ts";
import { plainClients } from "./workloads/plain-clients.ts";
import { reads } from "./workloads/reads.ts";
import { receivers } from "./workloads/receivers.ts";
import { resume } from "./workloads/resume.ts";
import { rollout } from "./workloads/rollout.ts";
import { rotation } from "./workloads/rotation.ts";
import { sockets } from "./workloads/sockets.ts";
import { start } from "./workloads/start.ts";
import { steps } from "./workloads/steps.ts";
import { engineStock, stock } from "./workloads/stock.ts";
import { writes } from "./workloads/writes.ts";

const workloads = [
  writes,
  fanOutWorkload,
  reads,
  idle,
  start,
  fairness,
  logins,
  curve,
  metrics,
  steps,
  duels,
  hostKills,
  stock,
  chat,
  growth,
  catchUp,
  checkpoint,
  endurance,
  engine,
  engineNames,
  engineRush,
  engineStock,
  failover,
  rollout,
  decisions,
  names,
  rotation,
  receivers,
  plainClients,
  sockets,
  resume,
];
const usual = ["writes", "fan-out", "reads", "idle", "start"];

await runBench({ command: "npm run bench --", workloads, usual }, process.argv.slice(2));
// Sockets of clients that were cut off may still linger.
process.exit();
