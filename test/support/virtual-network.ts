import type { Random } from "../../src/platform/random.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** The kinds of wires: through the proxies, from server to server, to the reference. */
export const wires = ["broadcast", "peer", "reference"] as const;
export type Wire = (typeof wires)[number];

/** One direction of one connection. */
interface Way {
  readonly wire: Wire;
  readonly from: string;
  readonly to: string;
}

/** Delivers messages late, twice, in another order, or not at all. */
export class VirtualNetwork {
  /**
   * The share of broadcasts that get lost: only PUB/SUB loses messages while a connection lasts.
   */
  broadcastLoss = 0;
  /** The share of messages that get lost on every wire, as on a connection that breaks. */
  loss = 0;
  /**
   * The share of messages that come twice, as from a sender that tries again or from two proxies.
   */
  duplication = 0;
  /** The share of messages that may overtake others, as with two proxies or a new connection. */
  reordering = 0;
  mostDelayMs = 4;
  readonly #encodes: boolean;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #cut = new Set<string>();
  /**
   * The time at which the last message on a link arrives, before which no later message may arrive.
   */
  readonly #lastMs = new Map<string, number>();

  /** @param encodes whether every message goes through the codec and the gates, as on real wires */
  constructor(time: VirtualTime, random: Random, encodes: boolean) {
    this.#time = time;
    this.#random = random;
    this.#encodes = encodes;
  }

  /** Encodes a message. @returns a function with which the receiver decodes it */
  carry<T>(
    message: T,
    encode: (message: T) => Uint8Array,
    parse: (payload: Uint8Array) => T,
  ): () => T {
    if (!this.#encodes) return () => message;
    const payload = encode(message);
    return () => parse(payload);
  }

  /** Cuts the links between two parties, in both directions. */
  cut(a: string, b: string, cutWires: readonly Wire[] = wires): void {
    this.cutOneWay(a, b, cutWires);
    this.cutOneWay(b, a, cutWires);
  }

  cutOneWay(from: string, to: string, cutWires: readonly Wire[] = wires): void {
    for (const wire of cutWires) this.#cut.add(link({ wire, from, to }));
  }

  partition(side: readonly string[], rest: readonly string[]): void {
    for (const a of side) for (const b of rest) this.cut(a, b);
  }

  heal(): void {
    this.#cut.clear();
    this.broadcastLoss = 0;
  }

  /** Ends all faults of the network. */
  calm(): void {
    this.heal();
    this.loss = 0;
    this.duplication = 0;
    this.reordering = 0;
    this.mostDelayMs = 4;
  }

  send(way: Way, deliver: () => void): void {
    const name = link(way);
    const share = way.wire === "broadcast" ? Math.max(this.loss, this.broadcastLoss) : this.loss;
    const isLost = share > 0 && this.#random() < share;
    if (isLost || this.#cut.has(name)) return;
    this.#deliver(name, deliver);
    if (this.duplication > 0 && this.#random() < this.duplication) this.#deliver(name, deliver);
  }

  #deliver(name: string, deliver: () => void): void {
    const delayMs = 1 + Math.floor(this.#random() * this.mostDelayMs);
    let atMs = this.#time.nowMs + delayMs;
    if (!(this.reordering > 0 && this.#random() < this.reordering)) {
      atMs = Math.max(atMs, this.#lastMs.get(name) ?? 0);
      this.#lastMs.set(name, atMs);
    }
    this.#time.at(atMs, () => {
      // A message that was on its way when the link was cut is lost.
      if (!this.#cut.has(name)) deliver();
    });
  }
}

function link({ wire, from, to }: Way): string {
  return `${wire} ${from} ${to}`;
}
