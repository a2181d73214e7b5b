import { Buckets } from "../protocol/buckets.ts";
import { limits } from "../protocol/limits.ts";

interface Open {
  connections: number;
  /** The number of the open connections that are in their handshake. */
  handshakes: number;
}

/**
 * Counts the open connections and handshakes of each remote IP address at a bound socket, and
 * limits the rate of new connections.
 */
export class AddressBook {
  readonly #pace = new Buckets({ perSecond: limits.addressPace, burst: limits.addressBurst });
  readonly #open = new Map<string, Open>();

  /**
   * Decides whether a new connection of the address is accepted; an accepted connection is counted.
   */
  admit(address: string, nowMs: number): boolean {
    if (this.#pace.take(address, nowMs) > 0) return false;
    const open = this.#open.get(address) ?? { connections: 0, handshakes: 0 };
    if (open.connections >= limits.addressConnections) return false;
    open.connections += 1;
    open.handshakes += 1;
    this.#open.set(address, open);
    return true;
  }

  /**
   * Returns whether more than `limits.addressHandshakes` connections of the address are in their
   * handshake. Then the listener must end one of them.
   */
  isCrowded(address: string): boolean {
    return (this.#open.get(address)?.handshakes ?? 0) > limits.addressHandshakes;
  }

  /** Records that a handshake of the address has ended, successfully or not. */
  shaken(address: string): void {
    const open = this.#open.get(address);
    if (open !== undefined) open.handshakes -= 1;
  }

  /**
   * Records that a connection of the address has ended. The caller must have called `shaken` for
   * this connection before.
   */
  gone(address: string): void {
    const open = this.#open.get(address);
    if (open === undefined) return;
    open.connections -= 1;
    if (open.connections === 0) this.#open.delete(address);
  }
}

/**
 * Returns the address for which connections are counted. An IPv6 network with a 64-bit prefix
 * counts as one address, because its owner has 2^64 addresses.
 */
export function addressOf(remote: string | undefined): string {
  if (remote === undefined) return "ipc";
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(remote)?.[1];
  if (mapped !== undefined) return mapped;
  if (!remote.includes(":")) return remote;
  return networkOf(remote.replace(/%.*$/, ""));
}

/** Returns the first 64 of the 128 bits of an IPv6 address, as text. */
function networkOf(address: string): string {
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array.from({ length: zeros }, () => "0"), ...after].slice(0, 4).join(":");
}
