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
  description: "kill -9 of the coordinator: the next claim that is served (E4), and the chat",
  counts: { kills: 20 },
  async measure({ counts: { kills }, beside, seconds }) {
    await using cluster = await LocalCluster.start();
    const sessions = await members(cluster);
    await warmUp(sessions);
    const [prober] = await members(cluster);
    const served: number[] = [];
    const disturbed = async () => {
      const over = new AbortController();
      const written = publish(sessions, { ...chat, until: over.signal });
      const killer = new Killer(cluster, prober as Session);
      for (let kill = 1; kill <= kills; kill += 1) served.push(await killer.kill());
      over.abort();
      return written;
    };
    const quiet = () => publish(sessions, { ...chat, seconds });
    const written: Figure[] = await beside("chat during the kills", disturbed, quiet);
    return [...figures("next claim served", latencyOf(served)), ...written];
  },
};

/** Kills the coordinator, again and again. */
class Killer {
  readonly #cluster: LocalCluster;
  readonly #client: Session;
  readonly #epochs = new Set<string>();
  #names = 0;

  constructor(cluster: LocalCluster, client: Session) {
    this.#cluster = cluster;
    this.#client = client;
  }

  /** @returns milliseconds from the kill until a claim that was made after it is served */
  async kill(): Promise<number> {
    const before = await this.#coordinator();
    this.#epochs.add(before.epoch);
    const victim = this.#cluster.of("server").find(({ ready }) => ready?.name === before.name);
    if (victim === undefined) throw new Error(`${before.name} is no server of this cluster`);
    const back = victim.nextReady();
    victim.signal("SIGKILL");
    const killedMs = performance.now();
    let servedMs: number | undefined;
    const claims: Promise<unknown>[] = [];
    while (servedMs === undefined) {
      this.#names += 1;
      const user = parseUserName(`name${this.#names}`);
      // A claim that was on its way to the victim is answered only seconds later.
      const claim = this.#client.ask("register", { user, password });
      claims.push(claim.then(() => (servedMs ??= performance.now() - killedMs)));
      await pause(probeEveryMs);
    }
    await Promise.all([back, ...claims]);
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
