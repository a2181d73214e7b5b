import { type ClusterStatus, clusterStatus } from "../client/core/cluster-status.ts";
import type { ReferenceLink } from "../net/reference-link.ts";
import { now } from "../platform/clock.ts";
import { addressesOf } from "../platform/endpoint.ts";
import { ProtocolError } from "../protocol/errors.ts";
import type { Reply } from "../protocol/replies.ts";
import type { GatewayConfig } from "./config.ts";

interface LookParts {
  readonly link: ReferenceLink;
  readonly config: Pick<GatewayConfig, "brokers" | "proxies" | "reference">;
  /** Returns what a server told last; undefined while no server answers. */
  status(): Reply<"status"> | undefined;
}

/** All looks within this time get the same answer, so that more people cost the cluster no more. */
const keptMs = 250;
const patienceMs = 700;

/**
 * Looks at the cluster as `tertulia status` does: a server and the reference each tell their part,
 * and one of them is enough.
 */
export class ClusterLook {
  readonly #parts: LookParts;
  #latest: Promise<ClusterStatus> | undefined;
  #lookAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: LookParts) {
    this.#parts = parts;
  }

  /** @throws ProtocolError `unavailable` if neither a server nor the reference answers */
  look(): Promise<ClusterStatus> {
    const { steadyMs } = now();
    if (this.#latest === undefined || steadyMs - this.#lookAtMs >= keptMs) {
      this.#lookAtMs = steadyMs;
      this.#latest = this.#look();
    }
    return this.#latest;
  }

  async #look(): Promise<ClusterStatus> {
    const { link, config, status } = this.#parts;
    const reply = await link.ask("list", {}, patienceMs).catch(() => undefined);
    const server = status();
    if (server === undefined && reply === undefined) {
      const sentence = "The gateway reaches neither a server nor the reference.";
      throw new ProtocolError("unavailable", sentence);
    }
    const address = addressesOf(config.reference);
    return clusterStatus({
      server,
      reference: reply && { address, reply },
      configured: { brokers: config.brokers.length, proxies: config.proxies.length },
    });
  }
}
