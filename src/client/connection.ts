import type { Refusal } from "../net/handshake.ts";
import { Subscriber } from "../net/subscriber.ts";
import { LamportClock } from "../protocol/lamport-clock.ts";
import { checkEndpoints, checkObject } from "./check-call.ts";
import type { ConnectionState } from "./connection-watch.ts";
import { Feeds } from "./feeds.ts";
import { RequestQueue } from "./request-queue.ts";
import { SealOpener } from "./seal-opener.ts";
import { Session, type SessionOptions, type SharedConnection } from "./session.ts";

export interface ConnectionOptions {
  /** Endpoints of all brokers; `tcp://host:port`. */
  readonly brokers: readonly string[];
  /** Endpoints of all proxies; may be empty for a program that does not subscribe. */
  readonly proxies: readonly string[];
  /** The Lamport clock to go on from. */
  readonly clock?: number | undefined;
  /** Milliseconds until a request is given up; 15,000 unless told. */
  readonly deadlineMs?: number | undefined;
  readonly onState?: ((state: ConnectionState) => void) | undefined;
  /** No broker is there; the next try is in so many milliseconds. */
  readonly onRetry?: ((inMs: number) => void) | undefined;
  /** Milliseconds between tries to connect, at most; 250 unless told. */
  readonly reconnectMaxMs?: number | undefined;
}

const defaultDeadlineMs = 15_000;

/**
 * A program's connection to the cluster: its sockets and its Lamport clock, for any number of
 * sessions. What one session asks, has seen and may read is not the others'.
 */
export class Connection implements SharedConnection, Disposable {
  readonly clock: LamportClock;
  readonly #requests: RequestQueue;
  readonly #feeds: Feeds;
  readonly #opener = new SealOpener();
  readonly #deadlineMs: number;

  constructor(options: ConnectionOptions) {
    checkObject("options", options);
    const { brokers, proxies, clock = 0, onState = () => {}, onRetry, reconnectMaxMs } = options;
    checkEndpoints("brokers", brokers);
    checkEndpoints("proxies", proxies);
    this.clock = new LamportClock(clock);
    this.#deadlineMs = options.deadlineMs ?? defaultDeadlineMs;
    this.#requests = new RequestQueue({
      brokers,
      clock: this.clock,
      onState,
      onRetry,
      reconnectMaxMs,
    });
    this.#feeds = new Feeds(this.clock, (onMessage, onConnections) => {
      if (proxies.length === 0) return undefined;
      return new Subscriber(proxies, onMessage, onConnections);
    });
  }

  get state(): ConnectionState {
    return this.#requests.state;
  }

  /** Why no broker is there, if one refused the connection. */
  get refusal(): Refusal | undefined {
    return this.#requests.refusal;
  }

  /** Requests of all sessions without an answer yet. */
  get open(): number {
    return this.#requests.open;
  }

  /** Requests that had to be sent more than once. */
  get retried(): number {
    return this.#requests.retried;
  }

  /** One more user on this connection; without a token it logs in, where that is needed. */
  session(options: SessionOptions = {}): Session {
    const parts = {
      connection: this,
      requests: this.#requests,
      feeds: this.#feeds,
      opener: this.#opener,
      deadlineMs: this.#deadlineMs,
    };
    return new Session(parts, options);
  }

  /** Ends all its sessions too. */
  close(): void {
    this.#feeds.close();
    this.#requests.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
