import { limits } from "../protocol/limits.ts";

interface Known {
  connections: number;
  handshakes: number;
  /** What is left of the pace, and when that was so. */
  tokens: number;
  atMs: number;
}

/** How many connections each address has at a socket, and how fast it makes them. */
export class AddressBook {
  readonly #known = new Map<string, Known>();

  /** Whether one more connection of that address is taken; if so it counts from now on. */
  admit(address: string, nowMs: number): boolean {
    const known = this.#at(address, nowMs);
    const elapsedMs = Math.max(0, nowMs - known.atMs);
    known.tokens = Math.min(
      limits.addressBurst,
      known.tokens + (elapsedMs * limits.addressPace) / 1_000,
    );
    known.atMs = nowMs;
    if (known.tokens < 1) return false;
    known.tokens -= 1;
    if (known.connections >= limits.addressConnections) return false;
    known.connections += 1;
    known.handshakes += 1;
    return true;
  }

  /** Whether more of that address are in their handshake than may be: one is to give way. */
  isCrowded(address: string): boolean {
    return (this.#known.get(address)?.handshakes ?? 0) > limits.addressHandshakes;
  }

  /** Its handshake is over, one way or the other. */
  shaken(address: string): void {
    const known = this.#known.get(address);
    if (known !== undefined) known.handshakes -= 1;
  }

  gone(address: string): void {
    const known = this.#known.get(address);
    if (known !== undefined) known.connections -= 1;
  }

  #at(address: string, nowMs: number): Known {
    const known = this.#known.get(address) ?? {
      connections: 0,
      handshakes: 0,
      tokens: limits.addressBurst,
      atMs: nowMs,
    };
    // Heard of longest ago stands first.
    this.#known.delete(address);
    this.#known.set(address, known);
    if (this.#known.size > limits.addresses) this.#forgetOne();
    return known;
  }

  #forgetOne(): void {
    for (const [address, { connections }] of this.#known) {
      if (connections > 0) continue;
      this.#known.delete(address);
      return;
    }
  }
}

/** One who has an IPv6 network of their own has 2^64 addresses in it: it counts as one. */
export function addressOf(remote: string | undefined): string {
  if (remote === undefined) return "ipc";
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(remote)?.[1];
  if (mapped !== undefined) return mapped;
  if (!remote.includes(":")) return remote;
  return networkOf(remote.replace(/%.*$/, ""));
}

/** The first 64 of 128 bits. */
function networkOf(address: string): string {
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array.from({ length: zeros }, () => "0"), ...after].slice(0, 4).join(":");
}
