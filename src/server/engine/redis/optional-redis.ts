import { now } from "../../../platform/clock.ts";
import type { Metrics } from "../../../platform/metrics.ts";
import type { EngineConfig, RedisConfig } from "../../config.ts";
import type { Presence } from "../../core/chat/presence.ts";
import type { Foundation } from "../../real-surroundings.ts";
import type { Engine } from "../engine.ts";
import { Beats } from "./beats.ts";
import { RedisConnections } from "./connections.ts";
import { KeptPresence } from "./kept-presence.ts";
import { Reservations } from "./reservations.ts";

interface Parts {
  readonly config: RedisConfig;
  readonly foundation: Pick<Foundation, "config" | "name" | "log">;
  readonly engineConfig: EngineConfig;
  readonly engine: Pick<Engine, "load">;
  readonly presence: Presence;
  /** The cluster's time. */
  correctedMs(): number;
  /** Whether this server is in the rotation. Before, it does not know the cluster's time. */
  isServing(): boolean;
  /** Called when this server is to look for what another one left. */
  onLost(): void;
}

/**
 * What a Redis does for a server with an engine: it helps with three things, and is never the source of
 * truth (K12).
 */
export class OptionalRedis implements AsyncDisposable {
  readonly reservations: Reservations;
  readonly keptPresence: KeptPresence;
  readonly #connections: RedisConnections;
  readonly #beats: Beats;

  constructor({ config, foundation, engineConfig, engine, presence, ...parts }: Parts) {
    const { name, log } = foundation;
    const prefix = prefixOf(foundation, engineConfig);
    const channel = `${prefix}beats`;
    const connections = new RedisConnections({ ...config, log }, channel);
    this.#connections = connections;
    this.#beats = new Beats({ connections, channel, name, onLost: () => parts.onLost() });
    this.reservations = new Reservations(connections, engine, prefix);
    this.keptPresence = new KeptPresence({
      ...{ connections, prefix, name },
      correctedMs: () => parts.correctedMs(),
      onFound: (server, heard) => presence.learn(server, heard, now().steadyMs),
    });
    connections.onHeard = (text) => this.#beats.hear(text);
    connections.onUp = () => {
      this.#beats.forget();
      // Redis may have lost what this server has told it. The other servers have missed nothing.
      for (const heard of presence.own(now().steadyMs)) void this.keptPresence.keep(heard);
      if (parts.isServing()) void this.keptPresence.recall();
    };
  }

  measure(metrics: Metrics): void {
    const help = "1 while the server's Redis can be used; absent without one.";
    metrics.gauge({ name: "tertulia_redis_up", help }, () => Number(this.#connections.isUp));
  }

  start(): void {
    this.#connections.connect();
    this.#beats.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#beats.stop();
    this.#connections.close();
  }
}

/**
 * Returns what the names of a cluster's keys begin with: clusters that share a Redis must not take the
 * packs of the other for theirs.
 */
function prefixOf({ config }: Parts["foundation"], { address }: EngineConfig): string {
  const [fingerprint] = config.secret.fingerprints;
  return `tertulia:${fingerprint}:${address.database}:${address.schema}:`;
}
