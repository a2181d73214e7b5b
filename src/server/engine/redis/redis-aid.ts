import { now } from "../../../platform/clock.ts";
import type { Metrics } from "../../../platform/metrics.ts";
import type { EngineConfig, RedisConfig } from "../../config.ts";
import type { Presence } from "../../core/chat/presence.ts";
import type { Foundation } from "../../real-surroundings.ts";
import type { Engine } from "../engine.ts";
import { Beats } from "./beats.ts";
import { KeptPresence } from "./kept-presence.ts";
import { RedisLink } from "./link.ts";
import { Reservations } from "./reservations.ts";

interface Parts {
  readonly config: RedisConfig;
  readonly foundation: Pick<Foundation, "config" | "name" | "log">;
  /** Where the engine is. */
  readonly given: EngineConfig;
  readonly engine: Pick<Engine, "load">;
  readonly presence: Presence;
  /** The cluster's time. */
  correctedMs(): number;
  /** Called when this server is to look for what another one left. */
  onLost(): void;
}

/**
 * What a Redis does for a server with an engine: it makes three things faster, and holds no truth
 * (K12).
 */
export class RedisAid implements AsyncDisposable {
  readonly reservations: Reservations;
  readonly kept: KeptPresence;
  readonly #link: RedisLink;
  readonly #beats: Beats;

  constructor({ config, foundation, given, engine, presence, ...parts }: Parts) {
    const { name, log } = foundation;
    const prefix = prefixOf(foundation, given);
    const channel = `${prefix}beats`;
    const link = new RedisLink({ ...config, log }, channel);
    this.#link = link;
    this.#beats = new Beats({ link, channel, name, onLost: () => parts.onLost() });
    this.reservations = new Reservations(link, engine, prefix);
    this.kept = new KeptPresence({
      ...{ link, prefix, name },
      correctedMs: () => parts.correctedMs(),
      onFound: (server, heard) => presence.learn(server, heard, now().steadyMs),
    });
    link.onHeard = (text) => this.#beats.hear(text);
    link.onUp = () => {
      this.#beats.forget();
      // Redis may have lost what this server has told it.
      presence.tellAll();
      void this.kept.recall();
    };
  }

  measure(metrics: Metrics): void {
    const help = "1 while the server's Redis answers; absent without one.";
    metrics.gauge({ name: "tertulia_redis_up", help }, () => Number(this.#link.isUp));
  }

  start(): void {
    this.#link.connect();
    this.#beats.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#beats.stop();
    this.#link.close();
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
