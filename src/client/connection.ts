import type { KeyObject } from "node:crypto";
import type { Refusal } from "../net/connection-refusal.ts";
import { Subscriber } from "../net/subscriber.ts";
import { LamportClock } from "../protocol/lamport-clock.ts";
import { checkEndpoints, checkObject } from "./check-call.ts";
import type { ConnectionState } from "./connection-watch.ts";
import { Feeds } from "./feeds.ts";
import { RequestQueue } from "./request-queue.ts";
import { SealOpener } from "./seal-opener.ts";
import { Session, type SessionOptions, type SharedConnection } from "./session.ts";

export interface ConnectionOptions {
  /** Endpoints of all brokers, as `tcp://host:port`. */
  readonly brokers: readonly string[];
  /** Endpoints of all proxies; may be empty for a program that does not subscribe. */
  readonly proxies: readonly string[];
  /** The first value of the Lamport clock; 0 by default. */
  readonly clock?: number | undefined;
  /** Milliseconds after which a request fails; 15,000 by default. */
  readonly deadlineMs?: number | undefined;
  readonly onState?: ((state: ConnectionState) => void) | undefined;
  /** Called while no broker is connected, with the milliseconds until the next attempt. */
  readonly onRetry?: ((inMs: number) => void) | undefined;
  /** The most milliseconds between two attempts to connect; 250 by default. */
  readonly reconnectMaxMs?: number | undefined;
  /**
   * The key of a gateway, which makes requests for many people: servers then count the limits of
   * A9 for each session's `via`, and not for the connection (X9).
   */
  readonly gatewayKey?: KeyObject | undefined;
}

const defaultDeadlineMs = 15_000;

/**
 * A program's connection to the cluster: its sockets and its Lamport clock, for any number of
 * sessions. Each session has its own requests, token, keys and vector of what it has seen.
 */
export class Connection implements SharedConnection, Disposable {
  readonly clock: LamportClock;
  readonly #requests: RequestQueue;
  readonly #feeds: Feeds;
  readonly #opener = new SealOpener();
  readonly #deadlineMs: number;

  constructor(options: ConnectionOptions) {
    checkObject("options", options);
    const { brokers, proxies, clock = 0, onState = () => {}, ...others } = options;
    checkEndpoints("brokers", brokers);
    checkEndpoints("proxies", proxies);
    this.clock = new LamportClock(clock);
    this.#deadlineMs = options.deadlineMs ?? defaultDeadlineMs;
    this.#requests = new RequestQueue({ ...others, brokers, clock: this.clock, onState });
    this.#feeds = new Feeds(this.clock, (onMessage, onConnections) => {
      if (proxies.length === 0) return undefined;
      return new Subscriber(proxies, onMessage, onConnections);
    });
  }

  get state(): ConnectionState {
    return this.#requests.state;
  }

  /** Why a broker refused the connection; undefined while connected or if no broker refused. */
  get refusal(): Refusal | undefined {
    return this.#requests.refusal;
  }

  /** Number of unanswered requests of all sessions. */
  get open(): number {
    return this.#requests.open;
  }

  /** Number of retries, of all requests together. */
  get retried(): number {
    return this.#requests.retried;
  }

  /** Creates a session. In a cluster with accounts, a session without a token must log in. */
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

  /** Closes the sockets, and ends all sessions of the connection. */
  close(): void {
    this.#feeds.close();
    this.#requests.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
