interface Named {
  readonly identity: string;
  readonly isEnding: boolean;
}

/**
 * Records the names (`Identity`) that peers give themselves, and finds open connections with the
 * same name.
 */
export class GivenNames<Peer extends Named> {
  readonly #peers = new Map<string, Set<Peer>>();

  /** @returns whether another open connection already has this peer's name */
  came(peer: Peer): boolean {
    if (peer.identity === "") return false;
    const peers = this.#peers.get(peer.identity) ?? new Set();
    const isShared = [...peers].some(({ isEnding }) => !isEnding);
    this.#peers.set(peer.identity, peers.add(peer));
    return isShared;
  }

  went(peer: Peer): void {
    const peers = this.#peers.get(peer.identity);
    peers?.delete(peer);
    if (peers?.size === 0) this.#peers.delete(peer.identity);
  }
}
