import { connect } from "node:net";
import { passwordOf, splitKey } from "../platform/endpoint.ts";
import { splitHost } from "../platform/parse-endpoint.ts";
import { Problem } from "../platform/problem.ts";
import { random } from "../platform/random.ts";
import type { Security } from "../zmtp/connection.ts";
import type { RefusedBecause } from "../zmtp/refused.ts";
import type { Refusal } from "./connection-refusal.ts";
import { messageBounds } from "./listener.ts";
import { addressOfName } from "./resolve.ts";
import { Wire } from "./wire.ts";

interface ConnectionEvents {
  onReady(wire: Wire): void;
  onMessage(frames: Buffer[]): void;
  /** Called when all that waited for the peer is written. */
  onDrained(): void;
  /** Called when a connection whose handshake had succeeded has ended. */
  onGone(wire: Wire): void;
  /** Called at each refusal, and with undefined when the endpoint no longer refuses. */
  onRefusal(refusal: Refusal | undefined): void;
  /** Called before each pause, with its length in milliseconds. */
  onRetry(inMs: number): void;
}

/** Milliseconds before the second attempt; they double after each failed attempt. */
const shortestPauseMs = 50;
/** Short, so that members reconnect to a restarted reference while it waits for their reports. */
const usualLongestMs = 250;

/** A DEALER's connection to one endpoint. Whenever it ends, a new one is made. */
export class DealerConnection {
  /** Why the endpoint refuses this side; undefined if it does not. */
  refusal: Refusal | undefined;
  /** The present connection, also during its handshake. */
  wire: Wire | undefined;
  readonly #address: string;
  readonly #security: Security;
  readonly #hasKey: boolean;
  readonly #events: ConnectionEvents;
  readonly #longestMs: number;
  #pauseMs = shortestPauseMs;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /**
   * @param longestMs the longest pause between two attempts
   * @throws Problem if the endpoint is invalid
   */
  constructor(endpoint: string, events: ConnectionEvents, longestMs = usualLongestMs) {
    const { address, key } = splitKey(endpoint);
    if (placeOf(address) === undefined) {
      throw new Problem(`"${address}" is not an endpoint: write it as tcp://host:port.`, 2);
    }
    this.#address = address;
    this.#security = { credentials: credentialsOf(key) };
    this.#hasKey = key !== undefined;
    this.#events = events;
    this.#longestMs = longestMs;
  }

  start(): void {
    void this.#dial();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.wire?.leave();
  }

  async #dial(): Promise<void> {
    const place = await resolved(this.#address);
    if (this.#isClosed) return;
    if (place === undefined) return this.#dialLater();
    const socket = connect({ ...place, noDelay: true, keepAlive: true });
    const settings = {
      address: "",
      socketType: "DEALER",
      peers: ["ROUTER", "REP", "DEALER"],
      security: this.#security,
      bounds: messageBounds,
    } as const;
    const wire: Wire = new Wire(socket, settings, {
      onShaken: () => {},
      onReady: () => this.#ready(wire),
      onMessage: (frames) => this.#events.onMessage(frames),
      onDrained: () => this.#events.onDrained(),
      onClosed: ({ wasReady, byPeer }) => {
        this.wire = undefined;
        if (this.#isClosed) return;
        if (wasReady) this.#events.onGone(wire);
        // A bound socket that refuses the key closes the connection without an error. Without a key,
        // such a close means that the process stops.
        else if (byPeer && this.#hasKey) this.#refused("otherKey");
        this.#dialLater();
      },
      onRefused: (because) => this.#refused(because),
      onHeld: () => {},
    });
    this.wire = wire;
  }

  #dialLater(): void {
    if (this.#isClosed) return;
    // The random part spreads the reconnections of processes that lost the same peer.
    const inMs = this.#pauseMs * (0.5 + random() / 2);
    this.#timer = setTimeout(() => void this.#dial(), inMs);
    this.#pauseMs = Math.min(2 * this.#pauseMs, this.#longestMs);
    this.#events.onRetry(inMs);
  }

  #ready(wire: Wire): void {
    this.#pauseMs = shortestPauseMs;
    const wasRefused = this.refusal !== undefined;
    this.refusal = undefined;
    if (wasRefused) this.#events.onRefusal(undefined);
    this.#events.onReady(wire);
  }

  #refused(because: RefusedBecause): void {
    if (this.#isClosed || this.wire?.isReady === true) return;
    if (because !== "keyWanted" && because !== "keyUnwanted" && because !== "otherKey") return;
    this.refusal = because;
    this.#events.onRefusal(because);
  }
}

type Place = { readonly path: string } | { readonly host: string; readonly port: number };

function placeOf(address: string): Place | undefined {
  const [, path] = /^ipc:\/\/(.+)$/.exec(address) ?? [];
  if (path !== undefined) return { path };
  const { host = "", port = "" } = splitHost(address) ?? {};
  const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535;
  return host === "" || !isPort ? undefined : { host, port: Number(port) };
}

/** @returns undefined if the endpoint's name can't be resolved at present */
async function resolved(address: string): Promise<Place | undefined> {
  const place = placeOf(address);
  if (place === undefined || "path" in place) return place;
  const found = await addressOfName(place.host);
  return found && { host: found.address, port: place.port };
}

function credentialsOf(key: string | undefined) {
  const password = passwordOf(key);
  if (password !== undefined) {
    return { mechanism: "PLAIN", password: Buffer.from(password, "latin1") } as const;
  }
  if (key === undefined) return { mechanism: "NULL" } as const;
  return { mechanism: "CURVE", serverKey: Buffer.from(key, "hex") } as const;
}
