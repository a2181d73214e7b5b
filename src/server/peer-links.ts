import { Requester } from "../net/requester.ts";
import type { Seals } from "../net/seal.ts";
import { withKey } from "../platform/endpoint.ts";
import { Problem } from "../platform/problem.ts";
import { encodePeerMessage } from "../protocol/encode-peer.ts";
import { ProtocolError } from "../protocol/errors.ts";
import type { ServerName } from "../protocol/ids.ts";
import { durations } from "../protocol/limits.ts";
import {
  parseCoordinationAnswer,
  parseSnapshotPage,
  parseSyncAnswer,
} from "../protocol/parse-peer.ts";
import type {
  CoordinationAnswer,
  CoordinationRequest,
  PeerRequest,
  SnapshotPage,
  SnapshotRequest,
  SyncAnswer,
} from "../protocol/peer-messages.ts";

/** Sends this server's requests to the other servers, over one connection to each server. */
export class PeerLinks {
  readonly #links = new Map<ServerName, { readonly address: string; requester: Requester }>();
  readonly #seals: Seals;
  readonly #key: string;
  #isClosed = false;

  /**
   * @param seals makes and checks the seals of messages on peer links
   * @param key the key that a process needs to connect to a peer; a peer's address does not contain
   * this key
   */
  constructor(seals: Seals, key: string) {
    this.#seals = seals;
    this.#key = key;
  }

  /**
   * @throws ProtocolError `unavailable` if no answer comes in time, PeerMessageError if the answer
   * is malformed
   */
  async sync(
    peer: ServerName,
    address: string,
    request: PeerRequest & { service: "sync" },
  ): Promise<SyncAnswer> {
    const payload = encodePeerMessage(request);
    const reply = await this.#to(peer, address).ask(payload, durations.peerRequestMs);
    return parseSyncAnswer(reply);
  }

  /** @throws the same errors as `sync` */
  async coordinate(
    peer: ServerName,
    address: string,
    question: { readonly request: CoordinationRequest; readonly patienceMs: number },
  ): Promise<CoordinationAnswer> {
    const payload = encodePeerMessage(question.request);
    return parseCoordinationAnswer(await this.#to(peer, address).ask(payload, question.patienceMs));
  }

  /**
   * Sends an acknowledgement, which has no answer. @returns false if the peer is not connected; the
   * acknowledgement is then not sent
   */
  tell(peer: ServerName, address: string, ack: PeerRequest & { service: "ack" }): boolean {
    return this.#toIfEndpoint(peer, address)?.tell(encodePeerMessage(ack)) === true;
  }

  /**
   * Keeps a connection to the peer. If the address is not an endpoint, no connection is made, and
   * only the peer's silence will show that the peer is lost.
   * @param onLost called when the connection ends
   */
  watch(peer: ServerName, address: string, onLost: () => void): void {
    const link = this.#toIfEndpoint(peer, address);
    if (link !== undefined) link.onDisconnect = onLost;
  }

  #toIfEndpoint(peer: ServerName, address: string): Requester | undefined {
    if (this.#isClosed) return undefined;
    try {
      return this.#to(peer, address);
    } catch (error) {
      if (error instanceof Problem) return undefined;
      throw error;
    }
  }

  /** @throws the same errors as `sync` */
  async snapshot(
    peer: ServerName,
    address: string,
    request: SnapshotRequest,
  ): Promise<SnapshotPage> {
    const payload = encodePeerMessage(request);
    const reply = await this.#to(peer, address).ask(payload, durations.snapshotPageMs);
    return parseSnapshotPage(reply);
  }

  /** Closes the links to all peers for which `isKnown` returns false. */
  keep(isKnown: (peer: ServerName) => boolean): void {
    for (const [peer, { requester }] of this.#links) {
      if (isKnown(peer)) continue;
      requester.close();
      this.#links.delete(peer);
    }
  }

  /** Closes the links for good: no later call opens a connection. */
  close(): void {
    this.#isClosed = true;
    for (const { requester } of this.#links.values()) requester.close();
  }

  /**
   * Returns the link to the peer. If the peer has restarted at another address, closes the old link
   * and opens a new link.
   */
  #to(peer: ServerName, address: string): Requester {
    // The end of one link can make a stopping server ask another peer. A new socket would keep the
    // process from ending.
    if (this.#isClosed) throw new ProtocolError("unavailable", "This server stops.");
    const known = this.#links.get(peer);
    if (known?.address === address) return known.requester;
    known?.requester.close();
    const sealing = { seals: this.#seals, to: peer };
    const requester = new Requester(withKey([address], this.#key), { sealing });
    this.#links.set(peer, { address, requester });
    return requester;
  }
}
