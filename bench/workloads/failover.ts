import type { Connection } from "../../src/client/connection.ts";
import type { Session } from "../../src/client/session.ts";
import { pause } from "../../src/platform/clock.ts";
import { writeEpoch } from "../../src/protocol/epoch.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { members, password, publish, warmUp } from "../chat-load.ts";
import { latencyOf } from "../measure.ts";
import { type Figure, figures, type Workload } from "../workload.ts";

const chat = { inFlight: 8, everyMs: 5 };
const probeEveryMs = 25;

export const failover: Workload<"kills"> = {
  name: "failover",
  description: "kill -9 of the coordinator: the next decision that is told (E4), and the chat",
  counts: { kills: 20 },
  async measure({ counts: { kills }, beside, seconds }) {
    await using cluster = await LocalCluster.start();
    const sessions = await members(cluster);
    await warmUp(sessions);
    const prober = cluster.connection({ proxies: [], deadlineMs: 60_000 });
    const served: number[] = [];
    const disturbed = async () => {
      const over = new AbortController();
      const written = publish(sessions, { ...chat, until: over.signal });
      const killer = new Killer(cluster, prober);
      for (let kill = 1; kill <= kills; kill += 1) served.push(await killer.kill());
      over.abort();
      return written;
    };
    const quiet = () => publish(sessions, { ...chat, seconds });
    const written: Figure[] = await beside("chat during the kills", disturbed, quiet);
    return [...figures("next decision told", latencyOf(served)), ...written];
  },
};

/** Kills the coordinator, again and again. */
class Killer {
  readonly #cluster: LocalCluster;
  readonly #prober: Connection;
  readonly #client: Session;
  readonly #epochs = new Set<string>();
  #names = 0;

  constructor(cluster: LocalCluster, prober: Connection) {
    this.#cluster = cluster;
    this.#prober = prober;
    this.#client = prober.session();
  }

  /** @returns milliseconds from the kill until an operation that was asked for after it is decided */
  async kill(): Promise<number> {
    const before = await this.#coordinator();
    this.#epochs.add(before.epoch);
    const victim = this.#cluster.of("server").find(({ ready }) => ready?.name === before.name);
    if (victim === undefined) throw new Error(`${before.name} is no server of this cluster`);
    const back = victim.nextReady();
    victim.signal("SIGKILL");
    const killedMs = performance.now();
    let servedMs: number | undefined;
    const probes: Promise<unknown>[] = [];
    while (servedMs === undefined) {
      this.#names += 1;
      const user = parseUserName(`name${this.#names}`);
      // An operation that was on its way to the victim is answered only seconds later, and one session
      // has only so many undecided operations (D9).
      const probe = this.#prober.session().register(user, password);
      probes.push(probe.then(() => (servedMs ??= performance.now() - killedMs)));
      await pause(probeEveryMs);
    }
    await Promise.all([back, ...probes]);
    const { epoch } = await this.#coordinator();
    if (this.#epochs.has(epoch)) throw new Error(`epoch ${epoch} began before the kill`);
    return servedMs;
  }

  /** Returns the coordinator that a server names, once there is one. */
  async #coordinator(): Promise<{ name: string; epoch: string }> {
    for (;;) {
      const { coordinator: name, epoch } = await this.#client.status();
      if (name !== null && epoch !== null) return { name, epoch: writeEpoch(epoch) };
      await pause(probeEveryMs);
    }
  }
}
