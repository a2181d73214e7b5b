import { Buckets } from "../protocol/buckets.ts";
import { limits } from "../protocol/limits.ts";

interface Open {
  connections: number;
  /** How many of them are in their handshake. */
  handshakes: number;
}

/** How many connections each address has at a socket, and how fast it makes new ones. */
export class AddressBook {
  readonly #pace = new Buckets({ perSecond: limits.addressPace, burst: limits.addressBurst });
  readonly #open = new Map<string, Open>();

  /** Whether one more connection of that address is let in. If so, it counts from now on. */
  admit(address: string, nowMs: number): boolean {
    if (this.#pace.take(address, nowMs) > 0) return false;
    const open = this.#open.get(address) ?? { connections: 0, handshakes: 0 };
    if (open.connections >= limits.addressConnections) return false;
    open.connections += 1;
    open.handshakes += 1;
    this.#open.set(address, open);
    return true;
  }

  /** Whether too many of its connections are in their handshake, so that one of these must end. */
  isCrowded(address: string): boolean {
    return (this.#open.get(address)?.handshakes ?? 0) > limits.addressHandshakes;
  }

  /** A handshake of that address is over, good or not. */
  shaken(address: string): void {
    const open = this.#open.get(address);
    if (open !== undefined) open.handshakes -= 1;
  }

  /** A connection of that address has ended, after `shaken`. */
  gone(address: string): void {
    const open = this.#open.get(address);
    if (open === undefined) return;
    open.connections -= 1;
    if (open.connections === 0) this.#open.delete(address);
  }
}

/** An IPv6 network of 64 bits counts as one address: its owner has 2^64 of them. */
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
