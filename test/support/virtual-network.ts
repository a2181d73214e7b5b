import type { Random } from "../../src/platform/random.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** The ways of the cluster: through the proxies, from server to server, to the reference. */
export const wires = ["broadcast", "peer", "reference"] as const;
export type Wire = (typeof wires)[number];

/** One direction of one connection. */
interface Way {
  readonly wire: Wire;
  readonly from: string;
  readonly to: string;
}

/** Carries messages in order on each link, late or not at all. */
export class VirtualNetwork {
  /** The share of broadcasts that get lost: only PUB/SUB loses while a connection stands. */
  broadcastLoss = 0;
  mostDelayMs = 4;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #cut = new Set<string>();
  /** When the last message on a link arrives: no later one overtakes it. */
  readonly #lastMs = new Map<string, number>();

  constructor(time: VirtualTime, random: Random) {
    this.#time = time;
    this.#random = random;
  }

  /** Cuts the links between two parties, both ways. */
  cut(a: string, b: string, cutWires: readonly Wire[] = wires): void {
    for (const wire of cutWires) {
      this.#cut.add(link({ wire, from: a, to: b }));
      this.#cut.add(link({ wire, from: b, to: a }));
    }
  }

  /** Cuts every link between the two sides. */
  partition(side: readonly string[], rest: readonly string[]): void {
    for (const a of side) for (const b of rest) this.cut(a, b);
  }

  heal(): void {
    this.#cut.clear();
    this.broadcastLoss = 0;
  }

  send({ wire, from, to }: Way, deliver: () => void): void {
    const way = link({ wire, from, to });
    const isLost = wire === "broadcast" && this.#random() < this.broadcastLoss;
    if (isLost || this.#cut.has(way)) return;
    const delayMs = 1 + Math.floor(this.#random() * this.mostDelayMs);
    const atMs = Math.max(this.#time.nowMs + delayMs, this.#lastMs.get(way) ?? 0);
    this.#lastMs.set(way, atMs);
    this.#time.at(atMs, () => {
      // What was on its way when the link was cut is lost with it.
      if (!this.#cut.has(way)) deliver();
    });
  }
}

function link({ wire, from, to }: Way): string {
  return `${wire} ${from} ${to}`;
}
